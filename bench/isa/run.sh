#!/usr/bin/env bash
# npm run bench:isa -- [OPTIONS]
#
# Fetches Mesa's drivers, with shims that stand in for the hardware, from Debian 13's backports into .cache/isa, where
# they are used from: nothing is installed. Then starts main.ts. Exits 3 where they cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/isa

unavailable() {
  echo "bench:isa: NOT RUN: $1" >&2
  exit 3
}

# shellcheck source=../../scripts/debian.sh
. "$root/scripts/debian.sh"

case " $* " in *" --help "*) ;; *)
  command -v gcc >/dev/null || unavailable "no gcc here"
  if [ ! -d "$cache/root" ]; then
    echo "Fetching Mesa's drivers from Debian's trixie-backports (once, about 85 MB) …" >&2
    debian_fetch "$cache/root" trixie yes \
      mesa-vulkan-drivers mesa-drm-shim libvulkan1 libvulkan-dev libc6 libstdc++6
  fi
  mkdir -p "$cache/tap"
  # Dawn looks for libvulkan.so.1 beside the program first, and the program is this loader.
  if [ ! "$cache/tap/libvulkan.so.1" -nt "$here/tap.c" ]; then
    cp -L "$cache/root/usr/lib64/ld-linux-x86-64.so.2" "$cache/tap/"
    gcc -O1 -shared -fPIC -I "$cache/root/usr/include" -Wl,-soname,libvulkan.so.1 \
      -o "$cache/tap/libvulkan.so.1" "$here/tap.c" -ldl -lpthread
  fi
  if [ ! "$cache/tap/offline" -nt "$here/offline.c" ]; then
    gcc -O1 -I "$cache/root/usr/include" -o "$cache/tap/offline" "$here/offline.c" -ldl
  fi
  case " $* " in *" --peers "*) . "$here/peers.sh" ;; esac
  export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}
  ;;
esac
exec node "$root/scripts/run.mjs" bench/isa/main.ts "$@"
