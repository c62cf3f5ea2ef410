# Fetches Debian packages into a folder, from where they are used: nothing is installed. For scripts that source this file.
# A script that sources it defines `unavailable MESSAGE`, which ends it.

# debian_fetch FOLDER SUITE ALONE PACKAGE…: unpacks the packages, and what they depend on, of SUITE and its backports, from
# whatever mirror this machine is set up with. ALONE = yes fetches the C library too, so that they need nothing of this
# machine; no leaves out what is installed.
debian_fetch() {
  local folder=$1 suite=$2 alone=$3
  shift 3
  [ "$(uname -sm)" = "Linux x86_64" ] || unavailable "Debian's packages are fetched for Linux on x86-64 only"
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || unavailable "no apt-get here"
  local keys=/usr/share/keyrings/debian-archive-keyring.gpg mirror package
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Component: main' | grep -E '/debian/?$' | head -n 1)
  [ -n "$mirror" ] || unavailable "no Debian mirror is set up here"
  mkdir -p "$(dirname "$folder")"
  debian_draft=$(mktemp -d "$folder-XXXXXX")
  trap 'rm -rf "$debian_draft"' EXIT
  mkdir -p "$debian_draft"/{lists,cache/archives}/partial "$debian_draft/root"
  printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$mirror" "$suite" "$keys" "$mirror" "$suite-backports" \
    >"$debian_draft/sources.list"
  local options=(
    -qq
    -o "Dir::State::Lists=$debian_draft/lists"
    -o "Dir::Cache=$debian_draft/cache"
    -o "Dir::Etc::SourceList=$debian_draft/sources.list"
    -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null
    -o Debug::NoLocking=1
    -o APT::Sandbox::User=
    -o Acquire::Languages=none
    -o Acquire::http::Timeout=20
    -o Acquire::Retries=2
  )
  if [ "$alone" = yes ]; then
    : >"$debian_draft/status"
    options+=(-o "Dir::State::status=$debian_draft/status")
  fi
  apt-get "${options[@]}" update >&2 || unavailable "Debian's packages cannot be reached"
  apt-get "${options[@]}" --yes --no-install-recommends --download-only -t "$suite-backports" install "$@" >&2 ||
    unavailable "the packages cannot be fetched"
  for package in "$debian_draft"/cache/archives/*.deb; do dpkg -x "$package" "$debian_draft/root"; done
  # Another process may have been faster.
  mv -T "$debian_draft/root" "$folder" 2>/dev/null || [ -d "$folder" ]
  rm -rf "$debian_draft"
  trap - EXIT
}
