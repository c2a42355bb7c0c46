# Answers: lines of `key=value`; a `#` starts a comment line. Keys: hostname, user, password or password_hash (as in
# /etc/shadow), authorized_key (may be repeated), disk (auto, or a name such as vda), boot (auto, bios or uefi), after
# (reboot, poweroff or halt). An unknown key or value stops the installation, for a misspelt answer is no answer.

answers_limit=65536

# ask_consoles QUESTION: asks on every console at once and prints the first line that somebody types.
ask_consoles() {
    rm -f /run/reply
    mkfifo /run/reply
    readers=
    for console in $(cat /sys/class/tty/console/active); do
        # tty0 is whatever screen is shown; typing arrives at the first.
        [ "$console" != tty0 ] || console=tty1
        {
            # Open before the question is seen: a screen that nobody has open drops what is typed.
            exec 3<>"/dev/$console" && printf '%s ' "$1" >&3
            IFS= read -r line <&3 && printf '%s\n' "$line" >/run/reply
        } 2>/dev/null &
        readers="$readers $!"
    done
    IFS= read -r reply </run/reply
    # shellcheck disable=SC2086 # a list of numbers
    kill $readers 2>/dev/null
    printf '%s\n' "$reply"
}

start_network() {
    for path in /sys/class/net/*; do
        interface=${path##*/}
        [ "$interface" != lo ] || continue
        ip link set "$interface" up
        if udhcpc -i "$interface" -n -q -t 10 -T 1 >/run/udhcpc.log 2>&1; then
            step "network $interface has $(ip -4 -o addr show "$interface" | awk '{print $4}')"
            return 0
        fi
    done
    return 1
}

fetch_answers() {
    start_network || fail "no network answered DHCP" "answers=$1 needs one: attach a virtio network device"
    tries=0
    # Not wget's own -T: with it Debian's static busybox 1.35 ends with a segmentation fault.
    until timeout 10 wget -q -O - "$1" 2>/run/wget.log | head -c "$answers_limit" >/run/answers &&
        [ -s /run/answers ]; do
        tries=$((tries + 1))
        [ $tries -lt 5 ] || fail "no answers at $1" "$(tail -n 1 /run/wget.log)"
        sleep 1
    done
}

# copy_answers DEVICE...: from the first of these that holds a file called answers.
copy_answers() {
    modprobe -abq vfat nls_cp437 nls_ascii nls_utf8 nls_iso8859-1 2>/dev/null
    mkdir -p /answers
    for device in "$@"; do
        [ -b "$device" ] || continue
        for type in iso9660 vfat ext4; do
            mount -t "$type" -o ro "$device" /answers 2>/dev/null || continue
            for name in answers ANSWERS answers.txt ANSWERS.TXT; do
                [ -r "/answers/$name" ] || continue
                head -c "$answers_limit" "/answers/$name" >/run/answers
                umount /answers
                answers_from="$name on $device"
                return 0
            done
            umount /answers
        done
    done
    return 1
}

labelled_devices() {
    for label in cidata CIDATA ANSWERS answers; do
        findfs "LABEL=$label" 2>/dev/null
    done
}

ask_for_answers() {
    step "no answers were given; type them, or restart with answers=http://... on the kernel command line"
    : >/run/answers
    printf 'hostname=%s\n' "$(ask_consoles 'Host name [mini]:')" >>/run/answers
    printf 'user=%s\n' "$(ask_consoles 'User [root]:')" >>/run/answers
    printf 'password=%s\n' "$(ask_consoles 'Password (shown as you type):')" >>/run/answers
    sed -i '/=$/d' /run/answers
    reply=$(ask_consoles "Everything on the disk will be lost. Type yes to go on:")
    [ "$reply" = yes ] || fail "the installation was not confirmed"
    answers_from="the console"
}

find_answers() {
    where=$(argument answers)
    case $where in
        http://*)
            fetch_answers "$where"
            answers_from=$where
            ;;
        iso:/*)
            [ -r "/medium${where#iso:}" ] || fail "the installation medium holds no file ${where#iso:}"
            head -c "$answers_limit" "/medium${where#iso:}" >/run/answers
            answers_from="${where#iso:} on the installation medium"
            ;;
        cd)
            # shellcheck disable=SC2046 # a list of devices
            copy_answers $(labelled_devices) ||
                fail "no disc labelled cidata or ANSWERS holds a file called answers" "answers=cd asked for one"
            ;;
        floppy)
            modprobe -q floppy 2>/dev/null
            copy_answers /dev/fd0 || fail "no floppy holds a file called answers" \
                "Debian's cloud kernel has no floppy driver: use answers=cd"
            ;;
        "")
            # shellcheck disable=SC2046 # a list of devices
            copy_answers $(labelled_devices) || ask_for_answers
            ;;
        *) fail "answers=$where is not understood" "say http://..., cd, floppy or iso:/path" ;;
    esac
}

# Values end in the shadow file, in /etc/hosts and in file names, so each is held to a strict form.
check_word() {
    case $2 in
        "" | *[!A-Za-z0-9._-]* | [-.]*) fail "$1=$2 in the answers is not a plain name" ;;
    esac
    [ ${#2} -le 63 ] || fail "$1 in the answers is longer than 63 characters"
}

check_choice() {
    name=$1
    given=$2
    shift 2
    for choice in "$@"; do
        [ "$given" != "$choice" ] || return 0
    done
    fail "$name=$given in the answers is not understood" "say one of: $*"
}

read_answers() {
    answer_hostname=mini
    answer_user=root
    answer_password=
    answer_password_hash=
    answer_disk=auto
    answer_boot=auto
    answer_after=reboot
    : >/run/authorized-keys
    find_answers
    number=0
    while IFS= read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        line=$(printf '%s' "$line" | tr -d '\r')
        case $line in "" | \#*) continue ;; *=*) ;; *) fail "line $number of the answers is no key=value: $line" ;; esac
        value=${line#*=}
        case ${line%%=*} in
            hostname) answer_hostname=$value ;;
            user) answer_user=$value ;;
            password) answer_password=$value ;;
            password_hash) answer_password_hash=$value ;;
            authorized_key) printf '%s\n' "$value" >>/run/authorized-keys ;;
            disk) answer_disk=$value ;;
            boot) answer_boot=$value ;;
            after) answer_after=$value ;;
            *) fail "line $number of the answers has an unknown key: ${line%%=*}" ;;
        esac
    done </run/answers
    check_word hostname "$answer_hostname"
    check_word user "$answer_user"
    check_choice boot "$answer_boot" auto bios uefi
    check_choice after "$answer_after" reboot poweroff halt
    case $answer_password_hash in *[:\ ]*) fail "password_hash in the answers is no entry of a shadow file" ;; esac
    if [ -z "$answer_password$answer_password_hash" ] && [ ! -s /run/authorized-keys ]; then
        fail "nobody could log in: the answers have neither password, password_hash nor authorized_key"
    fi
}
