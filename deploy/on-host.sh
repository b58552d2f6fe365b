#!/usr/bin/env bash
# What deploy.sh does on the host: install beside the release that runs, migrate, switch, restart, or take it all back.
set -euo pipefail

tag=$1 repository=$2
root=${BOOKMESH_ROOT:-/opt/bookmesh}
units=${BOOKMESH_UNITS:-/etc/systemd/system}
settings=${BOOKMESH_SETTINGS:-/etc/bookmesh/environment}
python=${BOOKMESH_PYTHON:-python3}
torch_index=https://download.pytorch.org/whl/cpu
patience_s=120
kept_releases=3
# Servers before the gateway: they understand what it asked before.
services=(bookmesh-server@{embedder,similarity,als,metadata,semantic} bookmesh-worker bookmesh-gateway)

release=$root/releases/$tag
previous=$(readlink -f "$root/current" 2>/dev/null || true)
[ -d "$previous" ] || previous=
touched=()

say() { echo "$(date --utc +%H:%M:%S) $*"; }

install_release() {
  if [ -e "$release/installed" ]; then
    return
  fi
  rm -rf "$release"
  mkdir -p "$release"
  git -c advice.detachedHead=false clone --quiet --depth 1 --branch "$tag" "$repository" "$release/source"
  "$python" -m venv "$release/venv"
  # PyTorch's own build for CPUs saves gigabytes; where it cannot be had, any other will do.
  "$release/venv/bin/python" -m pip install --quiet --no-deps --constraint "$release/source/constraints.txt" \
    --index-url "$torch_index" --retries 0 --timeout 5 torch >/dev/null 2>&1 || true
  "$release/venv/bin/python" -m pip install --quiet --constraint "$release/source/constraints.txt" \
    "$release/source[mysql,postgresql,tracing,train]"
  touch "$release/installed"
}

# In one step: nobody ever finds no current release.
switch_to() {
  ln -sfn "$1" "$root/current.new"
  mv -T "$root/current.new" "$root/current"
}

place_units() {
  cp -R "$1/source/deploy/systemd/." "$units/"
  systemctl daemon-reload
}

find_port() {
  if [ "$1" = bookmesh-worker ]; then
    set_port=$(sed -n 's/^BOOKMESH_WORKER__PORT=//p' "$settings" | tail -n 1)
    echo "${set_port:-8106}"
  else
    sed -n 's/^ListenStream=127\.0\.0\.1://p' "$units/$1.socket"
  fi
}

is_well() {
  curl --silent --fail --max-time 5 --output /dev/null "http://127.0.0.1:$(find_port "$1")/health/$2"
}

restart() {
  # Before the first training nothing is ready: then it is enough to live.
  local service=$1 wanted=live deadline
  if [ -n "$previous" ] && is_well "$service" ready; then
    wanted=ready
  fi
  touched+=("$service")
  say "restarting $service"
  systemctl restart "$service.service" || return 1
  deadline=$((SECONDS + patience_s))
  until is_well "$service" "$wanted"; do
    if [ $SECONDS -gt $deadline ]; then
      say "$service is not $wanted after $patience_s s"
      return 1
    fi
    sleep 0.5
  done
}

roll_back() {
  say "$1; going back to ${previous##*/}"
  switch_to "$previous"
  place_units "$previous"
  for service in "${touched[@]}"; do
    restart "$service" || say "$service is not well with ${previous##*/} either: journalctl -u $service"
  done
  say "$tag is not in use; the catalog keeps what it migrated, which ${previous##*/} can work with"
  exit 1
}

fail() {
  if [ -n "$previous" ]; then
    roll_back "$1"
  fi
  say "$1; there is no release to go back to"
  exit 1
}

forget_old_releases() {
  local old
  find "$root/releases" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn | cut -d' ' -f2 |
    tail -n +$((kept_releases + 1)) | while read -r old; do
      if [ "$old" != "$release" ] && [ "$old" != "$previous" ]; then
        rm -rf "$old"
      fi
    done
}

deploy() {
  local service
  mkdir -p "$root/releases"
  exec 9>"$root/deploy.lock"
  flock --nonblock 9 || { say "somebody else deploys here"; exit 1; }

  say "installing $tag"
  install_release
  say "migrating"
  place_units "$release"
  systemctl start "bookmesh-migrate@$tag.service" || fail "the catalog could not be migrated"
  switch_to "$release"
  systemctl enable --quiet bookmesh.target bookmesh-gateway.socket bookmesh-train.timer \
    bookmesh-server@{embedder,similarity,als,metadata,semantic}.socket
  for service in "${services[@]}"; do
    restart "$service" || fail "$service does not run with $tag"
  done
  systemctl start bookmesh.target
  forget_old_releases
  say "$tag is in use"
}

# By ssh this script is standard input, which no command in it may read.
deploy < /dev/null
