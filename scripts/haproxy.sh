#!/usr/bin/env bash
# scripts/haproxy.sh ARGUMENTS…
#
# Runs haproxy: the one that is installed, or Debian 12's, which is fetched into .cache/haproxy and used from there.
# Exits 3 where it cannot be had.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$root/.cache/haproxy

unavailable() {
  echo "haproxy: NOT RUN: $1" >&2
  exit 3
}

# shellcheck source=debian.sh
. "$root/scripts/debian.sh"

if command -v haproxy >/dev/null; then exec haproxy "$@"; fi
if [ ! -d "$folder" ]; then
  grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release || unavailable "this is not Debian 12"
  debian_fetch "$folder" bookworm no haproxy
fi
export LD_LIBRARY_PATH="$folder/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$folder/usr/sbin/haproxy" "$@"
