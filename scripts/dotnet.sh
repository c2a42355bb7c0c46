# shellcheck shell=bash
# shellcheck disable=SC1090,SC2034,SC2154
# Finds the .NET SDK and says how to get it. Sourced by ./gantry and ./test, which are bash.

dotnet_major=10

# Sets dotnet_root to the folder of an SDK of the right major version and dotnet_sdks to the versions in it.
# ./gantry does this at each call, so it starts no process: each costs milliseconds.
find_dotnet() {
  local folder candidate candidates=("${DOTNET_ROOT:-}") usual sdks
  usual=(/usr/share/dotnet /usr/lib/dotnet /usr/lib64/dotnet "${HOME:-/nonexistent}/.dotnet")
  local IFS=:
  for folder in $PATH; do
    [[ -x $folder/dotnet ]] || continue
    if [[ -L $folder/dotnet ]]; then
      # A link in /usr/bin leads to one of the usual folders, most of the time.
      for candidate in "${usual[@]}"; do
        [[ $folder/dotnet -ef $candidate/dotnet ]] && folder=$candidate && break
      done
      [[ -L $folder/dotnet ]] && folder=$(readlink -f "$folder/dotnet") && folder=${folder%/dotnet}
    fi
    candidates+=("$folder")
  done
  IFS=' '
  for candidate in "${candidates[@]}" "${usual[@]}"; do
    [[ -n $candidate && -x $candidate/dotnet ]] || continue
    sdks=("$candidate/sdk/$dotnet_major".*)
    [[ -d ${sdks[0]} ]] || continue
    dotnet_root=$candidate
    dotnet_sdks="${sdks[*]##*/}"
    return 0
  done
  return 1
}

# What a program started later needs to find the same runtime, and an SDK that keeps quiet.
use_dotnet() {
  export DOTNET_ROOT=$dotnet_root
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
  export DOTNET_CLI_UI_LANGUAGE=en DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=true MSBUILDTERMINALLOGGER=off
  [[ -n ${HOME:-} ]] || export DOTNET_CLI_HOME=$root/artifacts/home
}

# Prints the one line that installs the SDK on this distribution.
# Sources: learn.microsoft.com/dotnet/core/install/linux and the distributions' package pages.
dotnet_install_line() {
  local ID='' ID_LIKE='' VERSION_ID='' sudo='sudo ' feed
  [[ $EUID -eq 0 ]] && sudo=''
  [[ -r ${OS_RELEASE:-/etc/os-release} ]] && . "${OS_RELEASE:-/etc/os-release}"
  feed=https://packages.microsoft.com/config
  case $ID:${VERSION_ID%%.*} in
    debian:12 | debian:13)
      # Debian has no .NET of its own; this package adds Microsoft's feed and its key.
      echo "${sudo}apt-get install -y curl && curl -fLo /tmp/feed.deb $feed/debian/${VERSION_ID%%.*}/packages-microsoft-prod.deb" \
        "&& ${sudo}dpkg -i /tmp/feed.deb && ${sudo}apt-get update && ${sudo}apt-get install -y dotnet-sdk-10.0"
      return ;;
    ubuntu:2[4-9] | ubuntu:[3-9]?)
      echo "${sudo}apt-get update && ${sudo}apt-get install -y dotnet-sdk-10.0"
      return ;;
    fedora:*)
      echo "${sudo}dnf install -y dotnet-sdk-10.0"
      return ;;
    arch:*)
      echo "${sudo}pacman -S --needed dotnet-sdk-10.0"
      return ;;
    opensuse-leap:16)
      # openSUSE has none either; SLES 16's feed serves Leap 16.
      echo "${sudo}rpm -Uvh $feed/sles/16/packages-microsoft-prod.rpm && ${sudo}zypper install -y dotnet-sdk-10.0"
      return ;;
  esac
  case " $ID $ID_LIKE " in
    *' rhel '*)
      echo "${sudo}dnf install -y dotnet-sdk-10.0" ;;
    *)
      # Into ~/.dotnet, where this script looks too; needs curl, bash and the ICU-free libraries only.
      echo "curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0" ;;
  esac
}

# require_dotnet PROGRAM: finds the SDK or ends with what to do.
require_dotnet() {
  find_dotnet && return
  {
    echo "$1: the .NET SDK $dotnet_major is needed to build Gantry, and none was found in PATH, /usr/share/dotnet," \
      "/usr/lib/dotnet or ~/.dotnet"
    echo "Install it with this line, then run $1 again:"
    echo "  $(dotnet_install_line)"
  } >&2
  exit 5
}

# require_host PROGRAM: Linux on x86_64 or arm64; sets rid.
require_host() {
  case $OSTYPE:$HOSTTYPE in
    linux*:x86_64) rid=linux-x64 ;;
    linux*:aarch64 | linux*:arm64) rid=linux-arm64 ;;
    *)
      echo "$1: Gantry runs on Linux on x86_64 and arm64; this is $OSTYPE on $HOSTTYPE." >&2
      exit 5 ;;
  esac
}

# restore_with_retries LOG ARGUMENT...: package feeds fail for moments; three tries, with a pause between.
restore_with_retries() {
  local log=$1 try
  shift
  for try in 1 2 3; do
    "$dotnet_root/dotnet" restore "$@" >>"$log" 2>&1 </dev/null && return 0
    # A wrong project file does not heal by waiting; only a feed that did not answer does.
    grep -qE 'NU1301|NU1101|NU5037|Unable to load the service index|timed out|Response status code' "$log" || return 1
    [[ $try -lt 3 ]] && { echo "restoring packages failed, trying again in $((try * 5)) s" >&2; sleep $((try * 5)); }
  done
  return 1
}
