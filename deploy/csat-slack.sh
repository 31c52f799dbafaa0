#!/bin/sh
# Run a command of the app as root, with the settings of the systemd service: see docs/service.md
set -eu
umask 077
app=$(cd "$(dirname "$0")/.." && pwd)
state=${STATE_FOLDER:-/var/lib/csat-slack}
cd "${SETTINGS_FOLDER:-/etc/csat-slack}" # where .env, which the app reads, is a link to settings.env
fail() {
  echo "$1" >&2
  exit 1
}
[ -e settings.env ] || fail "There is no $PWD/settings.env: see docs/service.md."
[ .env -ef settings.env ] || fail "$PWD/.env is no link to settings.env, so commands would not have the settings of \
the service. Make it: ln -s settings.env $PWD/.env"
for secret in slack_bot_token slack_app_token slack_signing_secret \
  x_api_key x_api_secret x_access_token x_access_token_secret x_webhook_password csat_secret_key database_url; do
  if [ -e "$secret" ]; then
    export "$(echo "$secret" | tr '[:lower:]' '[:upper:]')_FILE=$PWD/$secret"
  fi
done
if [ -z "${DATABASE_URL_FILE:-}" ] && ! grep -Eq '^DATABASE_URL(_FILE)?=.' settings.env; then
  mkdir -p "$state" # before the first start; systemd gives it to the app's user then
  export DATABASE_URL="sqlite:///$state/csat.db"
fi
exec "$app/.venv/bin/python" "$app/app.py" "$@"
