#!/usr/bin/env bash
# Prints the .env of docker-compose.yml with new secrets: deploy/compose-env.sh SMTP_URL SENDER > .env
set -euo pipefail

if [ $# -ne 2 ]; then
  echo "usage: deploy/compose-env.sh SMTP_URL SENDER > .env" >&2
  exit 2
fi
cat <<END
BOOKMESH_MAIL__SMTP_URL=$1
BOOKMESH_MAIL__SENDER=$2
BOOKMESH_MESH_TOKEN=$(openssl rand -hex 32)
BOOKMESH_ACCOUNTS_SECRET=$(openssl rand -hex 32)
DATABASE_PASSWORD=$(openssl rand -hex 24)
REDIS_PASSWORD=$(openssl rand -hex 24)
GRAFANA_PASSWORD=$(openssl rand -hex 12)
END
