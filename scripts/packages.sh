#!/usr/bin/env bash
# Says which host packages are missing for a use (demo, tests, bench, isa) and installs them: through apt as root without
# questions, otherwise by printing the one line to run. The list itself is scripts/packages.txt.
# Sourced by ./test; on its own: scripts/packages.sh missing|install USE

# shellcheck disable=SC1090,SC2034

# Exit code when packages are missing and can't be installed from here.
packages_unavailable=5

# debian, fedora, arch, suse or nothing.
package_family() {
  local ID='' ID_LIKE=''
  [[ -r ${OS_RELEASE:-/etc/os-release} ]] && . "${OS_RELEASE:-/etc/os-release}"
  case " $ID $ID_LIKE " in
    *' debian '* | *' ubuntu '*) echo debian ;;
    *' fedora '* | *' rhel '*) echo fedora ;;
    *' arch '*) echo arch ;;
    *' suse '* | *opensuse*) echo suse ;;
  esac
}

package_present() {
  local probe probes
  IFS='|' read -ra probes <<<"$1"
  for probe in "${probes[@]}"; do
    if [[ $probe == /* ]]; then [[ -e $probe ]] && return 0; else type -P "$probe" >/dev/null && return 0; fi
  done
  return 1
}

# missing_packages USE: the packages to install on this host, or the plain names where the family is unknown.
missing_packages() {
  local name probe debian fedora arch suse uses use family package
  family=$(package_family)
  while read -r name probe debian fedora arch suse uses; do
    [[ -z $name || $name == \#* ]] && continue
    use=,$uses,
    [[ $use == *",$1,"* || $use == *",$1@$HOSTTYPE,"* ]] || continue
    package_present "$probe" && continue
    package=${family:+${!family}}
    [[ -z $package || $package == - ]] && package=$name
    echo "$package"
  done <"$(dirname "${BASH_SOURCE[0]}")/packages.txt" | sort -u
}

# package_line PACKAGE...: what a person runs.
package_line() {
  local sudo='sudo '
  [[ $EUID -eq 0 ]] && sudo=''
  case $(package_family) in
    debian) echo "${sudo}apt-get install -y --no-install-recommends $*" ;;
    fedora) echo "${sudo}dnf install -y $*" ;;
    arch) echo "${sudo}pacman -S --needed $*" ;;
    suse) echo "${sudo}zypper install -y $*" ;;
    *) echo "install with your distribution's package manager: $*" ;;
  esac
}

# install_packages PROGRAM USE: returns at once when nothing is missing.
install_packages() {
  local missing log apt
  mapfile -t missing < <(missing_packages "$2")
  [[ ${#missing[@]} -eq 0 ]] && return 0
  if [[ $EUID -ne 0 || $(package_family) != debian ]] || ! type -P apt-get >/dev/null; then
    { echo "$1: needs packages that are not installed. Run this line, then $1 again:"
      echo "  $(package_line "${missing[@]}")"; } >&2
    return "$packages_unavailable"
  fi
  echo "Installing ${missing[*]}" >&2
  log=$(mktemp) || return 1
  # Another apt may be at work: wait for its lock. A mirror that fails once is asked again.
  apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
  if compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null \
      && "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 </dev/null; then
    rm -f "$log"
    return 0
  fi
  # No lists yet, or lists so old that the versions they name are gone.
  if "${apt[@]}" update >>"$log" 2>&1 </dev/null \
      && "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 </dev/null; then
    rm -f "$log"
    return 0
  fi
  { tail -n 20 "$log"; echo "$1: apt could not install ${missing[*]}; the whole log is $log"; } >&2
  return "$packages_unavailable"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  case ${1:-}:${2:-} in
    missing:?*) missing_packages "$2" ;;
    install:?*) install_packages "${0##*/}" "$2" ;;
    *) echo "usage: $0 missing|install demo|tests|bench|isa" >&2; exit 2 ;;
  esac
fi
