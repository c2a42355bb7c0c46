# Takes Debian packages apart without installing anything: a library for the examples' scripts.
#
#   . lib/debian.sh
#   debian_open ARCH                  choose where packages of ARCH come from
#   debian_first NAME...              print the first of NAMEs that exists in Debian
#   debian_fetch NAME...              print the path of each package's .deb, one a line, downloading what is missing
#   debian_closure NAME...            print the packages with all that they depend on
#   debian_unpack FOLDER DEB...       unpack the packages into FOLDER
#   debian_kernel META                print the package that a kernel's meta package stands for
#   debian_modules FROM TO NAME...    copy kernel modules with all that they need, and write the tables modprobe reads
#   debian_close                      leave the cache tidy
#
# No root is needed and nothing outside the cache folder is written: neither dpkg's list of architectures nor apt's
# configuration, lists or caches of the host change. If the host's own lists know ARCH they are read; otherwise a
# private set of lists is kept in the cache, from the host's own sources.
#
# Variables: GANTRY_PACKAGES (cache folder), DEBIAN_MIRROR and DEBIAN_SUITE (take packages from there instead of
# from the host's sources: for hosts that are not Debian).

GANTRY_PACKAGES=${GANTRY_PACKAGES:-${XDG_CACHE_HOME:-$HOME/.cache}/gantry/packages}

say() { printf '%s\n' "$*" >&2; }

# Ends the script. The first line says what is wrong, the next ones what to do.
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

# Host commands that a script needs: `need COMMAND PACKAGE` pairs. Names every missing package at once.
need() {
    missing=
    while [ $# -gt 0 ]; do
        command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
        shift 2
    done
    [ -z "$missing" ] || die "these packages are missing:$missing" "Install them: apt-get install -y$missing"
}

# The Debian name of this host's instruction set.
debian_host_arch() {
    if command -v dpkg >/dev/null 2>&1; then
        dpkg --print-architecture
        return
    fi
    case $(uname -m) in
        x86_64) echo amd64 ;;
        aarch64) echo arm64 ;;
        *) die "no Debian architecture is known for $(uname -m)" ;;
    esac
}

debian_open() {
    debian_arch=$1
    debian_root=$GANTRY_PACKAGES/apt/$debian_arch
    debian_debs=$GANTRY_PACKAGES/debs
    mkdir -p "$debian_root" "$debian_debs"
    need apt-get apt dpkg-deb dpkg sha256sum coreutils

    if [ -z "${DEBIAN_MIRROR:-}" ] && [ "$debian_arch" = "$(debian_host_arch)" ] && debian_lists_of_host; then
        debian_private=no
        debian_configure /var/lib/apt/lists
    else
        debian_use_private
    fi
}

# The host's lists serve when they hold an index of a Debian release for this architecture.
debian_lists_of_host() {
    [ "$(. /etc/os-release 2>/dev/null; echo "${ID:-}")" = debian ] || return 1
    for index in /var/lib/apt/lists/*_dists_*_main_binary-"$debian_arch"_Packages*; do
        [ -r "$index" ] && return 0
    done
    return 1
}

debian_use_private() {
    debian_private=yes
    mkdir -p "$debian_root/lists/partial"
    debian_sources
    debian_configure "$debian_root/lists"
    for index in "$debian_root"/lists/*_Packages*; do
        [ -r "$index" ] && return 0
    done
    debian_update
}

debian_update() {
    say "Reading Debian's list of $debian_arch packages"
    # A source that does not carry this architecture (a vendor's own) fails; what matters is found out when a
    # package is asked for.
    debian_apt apt-get -q update >"$debian_root/update.log" 2>&1 || true
    for index in "$debian_root"/lists/*_Packages*; do
        [ -r "$index" ] && return 0
    done
    die "apt could not read a package list for $debian_arch" "$(tail -n 3 "$debian_root/update.log")" \
        "Check /etc/apt/sources.list*, the network, or set DEBIAN_MIRROR and DEBIAN_SUITE."
}

# The host's sources, without a restriction to the host's own architecture.
debian_sources() {
    parts=$debian_root/etc/sources.list.d
    rm -rf "${debian_root:?}/etc"
    mkdir -p "$parts"
    : >"$debian_root/etc/sources.list"
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        echo "deb $DEBIAN_MIRROR ${DEBIAN_SUITE:-bookworm} main" >"$debian_root/etc/sources.list"
        return
    fi
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -r "$file" ] || continue
        sed -E '/^deb-src/d; s/(\[[^]]*)\barch=[^] ]*/\1/; s/\[ *\] *//' "$file" >>"$debian_root/etc/sources.list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -r "$file" ] || continue
        sed -E '/^Architectures:/d; s/^Types:.*/Types: deb/' "$file" >"$parts/${file##*/}"
    done
}

# Writes the configuration that every apt call here uses instead of the host's, keeping the host's proxies and such.
debian_configure() {
    {
        # Written first, by the host's apt, so that hooks of the host (Post-Invoke and the like) are left out.
        apt-config dump 2>/dev/null | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
        echo "APT::Architecture \"$debian_arch\";"
        echo "APT::Architectures { \"$debian_arch\"; };"
        echo "APT::Sandbox::User \"\";"
        echo "Acquire::Languages \"none\";"
        echo "Acquire::Retries \"2\";"
        echo "Acquire::GzipIndexes \"true\";"
        echo "Dir::State \"$debian_root/state\";"
        echo "Dir::State::status \"$debian_root/state/status\";"
        echo "Dir::State::lists \"$1\";"
        echo "Dir::Cache \"$debian_root/cache\";"
        echo "Dir::Cache::srcpkgcache \"\";"
        echo "Dir::Etc::parts \"$debian_root/none\";"
        echo "Dir::Etc::main \"$debian_root/none\";"
        [ "$debian_private" = no ] || {
            echo "Dir::Etc::sourcelist \"$debian_root/etc/sources.list\";"
            echo "Dir::Etc::sourceparts \"$debian_root/etc/sources.list.d\";"
        }
    } >"$debian_root/apt.conf.$$"
    mv "$debian_root/apt.conf.$$" "$debian_root/apt.conf"
    mkdir -p "$debian_root/state" "$debian_root/cache/archives/partial"
    [ -e "$debian_root/state/status" ] || : >"$debian_root/state/status"
}

# Call at the end: removes apt's index of the lists (35 MB, made again in a second when it is needed), and packages that
# nothing asked for in 60 days.
debian_close() {
    rm -f "$debian_root"/cache/*.bin
    find "$debian_debs" -maxdepth 1 -name '*.deb' -mtime +60 -exec rm -f {} +
}

debian_apt() { APT_CONFIG=$debian_root/apt.conf "$@"; }

# A word that changes when a package list changes; reads names, sizes and times only.
debian_stamp() {
    # shellcheck disable=SC2012 # names made by apt: no odd characters; find has no portable time format
    if [ "$debian_private" = yes ]; then
        ls -l --time-style=+%s "$debian_root"/lists/*_Packages* 2>/dev/null | sha256sum | cut -c1-16
    else
        ls -l --time-style=+%s /var/lib/apt/lists/*_Packages* 2>/dev/null | sha256sum | cut -c1-16
    fi
}

debian_first() {
    for name in "$@"; do
        if debian_apt apt-cache show --no-all-versions "$name" 2>/dev/null | grep -q '^Version:'; then
            echo "$name"
            return
        fi
    done
    die "none of these packages exists for $debian_arch: $*"
}

debian_kernel() {
    found=$(debian_apt apt-cache depends "$1" 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    [ -n "$found" ] || die "Debian has no kernel package $1 for $debian_arch"
    echo "$found"
}

debian_fetch() {
    # Each line: 'address' file-name size checksum. apt prints nothing for what it does not know.
    if ! uris=$(debian_apt apt-get -q --print-uris download "$@" 2>"$debian_root/fetch.log"); then
        die "apt does not know all of these packages for $debian_arch: $*" "$(tail -n 2 "$debian_root/fetch.log")"
    fi
    wanted=
    for file in $(echo "$uris" | awk '{print $2}'); do
        [ -s "$debian_debs/$file" ] || wanted="$wanted ${file%%_*}"
    done
    if [ -n "$wanted" ]; then
        total=$(echo "$uris" | awk -v want="$wanted " '{n = $2; sub(/_.*/, "", n)
            if (index(want, " " n " ")) s += $3} END {printf "%.1f", s / 1e6}')
        say "Downloading$wanted ($total MB)"
        partial=$debian_debs/partial.$$
        mkdir -p "$partial"
        # shellcheck disable=SC2086 # a list of names
        if ! (cd "$partial" && debian_apt apt-get -q download $wanted) >"$debian_root/fetch.log" 2>&1; then
            rm -rf "$partial"
            debian_fetch_again "$@"
            return
        fi
        mv "$partial"/*.deb "$debian_debs/"
        rmdir "$partial"
    fi
    echo "$uris" | awk -v at="$debian_debs" '{print at "/" $2}' | while read -r file; do
        touch "$file"
        echo "$file"
    done
}

# Lists that are older than the mirror name files that are gone: read them anew, once.
debian_fetch_again() {
    if [ "${debian_retried:-no}" = yes ]; then
        die "a package could not be downloaded" "$(grep -E '^(E|Err)' "$debian_root/fetch.log" | tail -n 3)" \
            "Check the network and /etc/apt/sources.list*."
    fi
    debian_retried=yes
    debian_use_private
    debian_update
    debian_fetch "$@"
}

debian_unpack() {
    into=$1
    shift
    mkdir -p "$into"
    for deb in "$@"; do
        # Only what these examples read; documentation and the like would be most of the writing.
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$into" --exclude='./usr/share/doc' --exclude='./usr/share/man' \
            --exclude='./usr/share/locale' --exclude='./usr/share/bash-completion' ||
            die "$deb is damaged" "Remove it and run this again."
    done
}

# debian_modules FROM TO NAME...: FROM is a lib/modules/VERSION folder as packaged (without the tables that depmod
# makes at installation), TO the same folder in the new tree. Names that this kernel does not have are passed over:
# they are built in, or made for another machine.
debian_modules() {
    from=$1
    to=$2
    shift 2
    mkdir -p "$to"
    (cd "$from" && find kernel -name '*.ko*') >"$to/.all"
    # Module names use - and _ alike; the tables use the file's name.
    todo=$*
    : >"$to/.chosen"
    while [ -n "$todo" ]; do
        next=
        for name in $todo; do
            pattern=$(echo "$name" | sed 's/[-_]/[-_]/g')
            path=$(grep -E "/$pattern\.ko(\.[a-z]+)?\$" "$to/.all" | head -n 1)
            [ -n "$path" ] || continue
            plain=${path%.ko*}.ko
            grep -qx "$plain" "$to/.chosen" && continue
            echo "$plain" >>"$to/.chosen"
            mkdir -p "$to/${plain%/*}"
            case $path in
                *.xz) xz -dc "$from/$path" >"$to/$plain" ;;
                *.zst) zstd -dcq "$from/$path" >"$to/$plain" ;;
                *) cp "$from/$path" "$to/$plain" ;;
            esac
            # A module says itself what it needs and which hardware it drives, as words ended by zero bytes.
            tr '\0' '\n' <"$to/$plain" | LC_ALL=C grep -aE '^(depends|alias|softdep)=' >"$to/$plain.info" || true
            next="$next $(sed -n 's/^depends=//p; s/^softdep=pre: *//p' "$to/$plain.info" | tr ',\n' '  ')"
        done
        todo=$(echo "$next" | tr -s ' ' | sed 's/^ //; s/ $//')
    done
    debian_module_tables "$to"
    find "$to" -name '*.info' -exec rm -f {} +
    rm -f "$to/.all" "$to/.chosen"
}

# Writes modules.dep (each module with all that it needs, the nearest last as modprobe loads from the end) and
# modules.alias (hardware names) for the modules chosen.
debian_module_tables() (
    cd "$1" || exit 1
    LC_ALL=C sort .chosen >.sorted
    while read -r path; do
        printf '%s %s\n' "$path" "$(sed -n 's/^depends=//p; s/^softdep=pre: *//p' "$path.info" | tr ',\n' '  ')"
    done <.sorted | awk '
        function base(p) { sub(/.*\//, "", p); sub(/\.ko$/, "", p); gsub(/-/, "_", p); return p }
        { path[base($1)] = $1; order[NR] = base($1); n = ""; for (i = 2; i <= NF; i++) { d = $i; gsub(/-/, "_", d)
          n = n " " d }; needs[base($1)] = n }
        # Depth first: a module is put before (that is, loaded after) all that it needs.
        function walk(m, list, i, k) {
            k = split(needs[m], list, " ")
            for (i = 1; i <= k; i++) if (list[i] in path && !(list[i] in seen)) { seen[list[i]] = 1
                walk(list[i]); out = " " path[list[i]] out }
        }
        END { for (j = 1; j <= NR; j++) { split("", seen); out = ""; walk(order[j])
              print path[order[j]] ":" out } }' >modules.dep
    while read -r path; do
        name=${path##*/}
        name=$(echo "${name%.ko}" | tr - _)
        sed -n "s/^alias=\(.*\)/alias \1 $name/p" "$path.info"
    done <.sorted | LC_ALL=C sort >modules.alias
    rm -f .sorted
)

# debian_closure NAME...: prints the packages and all that they depend on, as they would be installed on an empty system.
debian_closure() {
    if ! found=$(debian_apt apt-get -q --print-uris --no-install-recommends install "$@" 2>"$debian_root/fetch.log"); then
        die "apt does not know all of these packages for $debian_arch: $*" "$(tail -n 2 "$debian_root/fetch.log")"
    fi
    echo "$found" | awk '/^\047/ { n = $2; sub(/_.*/, "", n); print n }'
}
