#!/bin/sh
# Run a command of the app as root, with the settings of the systemd service: see docs/service.md
set -eu
umask 077
app=$(cd "$(dirname "$0")/.." && pwd)
cd "${SETTINGS_FOLDER:-/etc/csat-slack}" # where .env, which the app reads, is a link to settings.env
for secret in slack_bot_token slack_app_token slack_signing_secret \
  x_api_key x_api_secret x_access_token x_access_token_secret x_webhook_password csat_secret_key database_url; do
  if [ -e "$secret" ]; then
    export "$(echo "$secret" | tr '[:lower:]' '[:upper:]')_FILE=$PWD/$secret"
  fi
done
if [ -z "${DATABASE_URL_FILE:-}" ] && ! grep -Eq '^DATABASE_URL(_FILE)?=.' settings.env; then
  export DATABASE_URL=sqlite:////var/lib/csat-slack/csat.db
fi
exec "$app/.venv/bin/python" "$app/app.py" "$@"
