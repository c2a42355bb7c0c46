#!/bin/sh
# Puts the page in its place; the file provisioner brought it to /tmp/page.
set -eu
mkdir -p /srv/http
cp /tmp/page/answer /tmp/page/json.awk /tmp/page/page.awk /srv/http/
chmod 755 /srv/http/answer
rm -rf /tmp/page
/usr/lib/mini/services
# The page must really answer before this becomes a template.
tries=0
until [ "$(wget -q -O - http://127.0.0.1/health 2>/dev/null)" = ok ]; do
    tries=$((tries + 1))
    [ $tries -lt 50 ] || { echo "the page does not answer on port 80" >&2; exit 1; }
    usleep 100000
done
echo "the page answers on port 80"
