#!/usr/bin/env bash
# npm run bench:isa -- [OPTIONS]
#
# Fetches Mesa's drivers, with shims that stand in for the hardware, from Debian 13's backports into .cache/isa, where
# they are used from: nothing is installed. Then starts main.ts. Exits 3 where they cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/isa
suite=trixie

unavailable() {
  echo "bench:isa: NOT RUN: $1" >&2
  exit 3
}

fetch() {
  [ "$(uname -sm)" = "Linux x86_64" ] || unavailable "the drivers are fetched for Linux on x86-64 only"
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || unavailable "no apt-get here"
  local draft keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror package
  mkdir -p "$cache"
  draft=$(mktemp -d "$cache/draft-XXXXXX")
  trap 'rm -rf "$draft"' EXIT
  mkdir -p "$draft"/{lists,cache/archives}/partial "$draft/root"
  : >"$draft/status"
  # Whatever mirror this machine is set up with.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Component: main' | grep -E '/debian/?$' | head -n 1)
  [ -n "$mirror" ] || unavailable "no Debian mirror is set up here"
  printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$mirror" "$suite" "$keys" "$mirror" "$suite-backports" \
    >"$draft/sources.list"
  # An empty list of what is installed makes apt fetch the C library too: the drivers need nothing of this machine.
  local options=(
    -qq
    -o "Dir::State::Lists=$draft/lists"
    -o "Dir::State::status=$draft/status"
    -o "Dir::Cache=$draft/cache"
    -o "Dir::Etc::SourceList=$draft/sources.list"
    -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null
    -o Debug::NoLocking=1
    -o APT::Sandbox::User=
    -o Acquire::Languages=none
    -o Acquire::http::Timeout=20
    -o Acquire::Retries=2
  )
  echo "Fetching Mesa's drivers from Debian's $suite-backports (once, about 85 MB) …" >&2
  apt-get "${options[@]}" update >&2 || unavailable "Debian's packages cannot be reached"
  apt-get "${options[@]}" --yes --no-install-recommends --download-only -t "$suite-backports" install \
    mesa-vulkan-drivers mesa-drm-shim libvulkan1 libvulkan-dev libc6 libstdc++6 >&2 ||
    unavailable "the packages cannot be fetched"
  for package in "$draft"/cache/archives/*.deb; do dpkg -x "$package" "$draft/root"; done
  rm -rf "$cache/root"
  mv -T "$draft/root" "$cache/root"
  rm -rf "$draft"
  trap - EXIT
}

case " $* " in *" --help "*) ;; *)
  command -v gcc >/dev/null || unavailable "no gcc here"
  [ -d "$cache/root" ] || fetch
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
  export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}
  ;;
esac
exec node "$root/scripts/run.mjs" bench/isa/main.ts "$@"
