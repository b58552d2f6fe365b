#!/usr/bin/env bash
# Puts a release on a host, one process after the other, and takes it back by itself if it is not well there.
#   deploy/deploy.sh HOST TAG      HOST is what ssh takes for root, or `localhost` for this machine
set -euo pipefail

if [ $# -ne 2 ]; then
  sed -n '2,3s/^# *//p' "$0" >&2
  exit 2
fi
host=$1 tag=$2
script=$(dirname "$0")/on-host.sh
repository=${BOOKMESH_REPOSITORY:-$(git -C "$(dirname "$0")" remote get-url origin)}

if [ "$host" = localhost ]; then
  exec bash "$script" "$tag" "$repository"
fi
exec ssh -o BatchMode=yes "$host" "$(printf '%q ' bash -s -- "$tag" "$repository")" < "$script"
