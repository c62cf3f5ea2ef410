#!/usr/bin/env bash
# npm run lavapipe -- COMMAND …
#
# Runs a command on Mesa 25's software Vulkan driver, which unlike SwiftShader has f16. It is
# fetched from Debian 12's backports into .cache/lavapipe and used from there: nothing is installed.
# Without a command it prints the environment. Exits 3 where the driver cannot be had.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$root/.cache/lavapipe
suite=bookworm-backports

unavailable() {
  echo "lavapipe: NOT RUN: $1" >&2
  exit 3
}

fetch() {
  [ "$(uname -sm)" = "Linux x86_64" ] || unavailable "it is fetched for Linux on x86-64 only"
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || unavailable "no apt-get here"
  grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release || unavailable "this is not Debian 12"
  draft=$(mktemp -d "$root/.cache/lavapipe-XXXXXX")
  trap 'rm -rf "$draft"' EXIT
  mkdir -p "$draft"/{lists,cache/archives,root}/partial
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror
  # Whatever mirror this machine is set up with.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Component: main' | grep -E '/debian/?$' | head -n 1)
  [ -n "$mirror" ] || unavailable "no Debian mirror is set up here"
  printf 'deb [signed-by=%s] %s %s main\n' \
    "$keys" "$mirror" bookworm "$keys" "$mirror" "$suite" >"$draft/sources.list"
  local options=(
    -qq
    -o "Dir::State::Lists=$draft/lists"
    -o "Dir::Cache=$draft/cache"
    -o "Dir::Etc::SourceList=$draft/sources.list"
    -o Dir::Etc::SourceParts=/dev/null
    -o Debug::NoLocking=1
    -o APT::Sandbox::User=
    -o Acquire::Languages=none
    -o Acquire::http::Timeout=20
    -o Acquire::Retries=2
  )
  echo "Fetching Mesa's software Vulkan driver from Debian's backports (once, about 60 MB) …" >&2
  apt-get "${options[@]}" update >&2 || unavailable "Debian's packages cannot be reached"
  apt-get "${options[@]}" --yes --no-install-recommends --download-only -t "$suite" \
    install mesa-vulkan-drivers libvulkan1 >&2 || unavailable "the packages cannot be fetched"
  local package
  for package in "$draft"/cache/archives/*.deb; do dpkg -x "$package" "$draft/root"; done
  [ -f "$draft/root/usr/share/vulkan/icd.d/lvp_icd.x86_64.json" ] ||
    [ -f "$draft/root/usr/share/vulkan/icd.d/lvp_icd.json" ] || unavailable "the package holds no lavapipe"
  mv -T "$draft/root" "$folder" 2>/dev/null || [ -d "$folder" ]
  rm -rf "$draft"
  trap - EXIT
}

mkdir -p "$root/.cache"
[ -d "$folder" ] || fetch

# The manifest names the library by its file name, which the library path finds.
export LD_LIBRARY_PATH=$folder/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
VK_ICD_FILENAMES=$(ls "$folder"/usr/share/vulkan/icd.d/lvp_icd*.json)
export VK_ICD_FILENAMES
# Mesa complains on stderr when there is none.
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}
unset VK_DRIVER_FILES WEBGGUF_VULKAN

if [ $# -gt 0 ]; then exec "$@"; fi
printf 'export %s=%q\n' LD_LIBRARY_PATH "$LD_LIBRARY_PATH" VK_ICD_FILENAMES "$VK_ICD_FILENAMES"
