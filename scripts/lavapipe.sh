#!/usr/bin/env bash
# npm run lavapipe -- COMMAND …
#
# Runs a command on Mesa 25's software Vulkan driver, which unlike SwiftShader has f16. It is
# fetched from Debian 12's backports into .cache/lavapipe and used from there: nothing is installed.
# Without a command it prints the environment. Exits 3 where the driver cannot be had.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$root/.cache/lavapipe

unavailable() {
  echo "lavapipe: NOT RUN: $1" >&2
  exit 3
}

# shellcheck source=debian.sh
. "$root/scripts/debian.sh"

if [ ! -d "$folder" ]; then
  grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release || unavailable "this is not Debian 12"
  echo "Fetching Mesa's software Vulkan driver from Debian's backports (once, about 60 MB) …" >&2
  debian_fetch "$folder" bookworm no mesa-vulkan-drivers libvulkan1
fi
manifests=("$folder"/usr/share/vulkan/icd.d/lvp_icd*.json)
[ -f "${manifests[0]}" ] || unavailable "the package holds no lavapipe"

# The manifest names the library by its file name, which the library path finds.
export LD_LIBRARY_PATH=$folder/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export VK_ICD_FILENAMES=${manifests[0]}
# Mesa complains on stderr when there is none.
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}
unset VK_DRIVER_FILES WEBGGUF_VULKAN

if [ $# -gt 0 ]; then exec "$@"; fi
printf 'export %s=%q\n' LD_LIBRARY_PATH "$LD_LIBRARY_PATH" VK_ICD_FILENAMES "$VK_ICD_FILENAMES"
