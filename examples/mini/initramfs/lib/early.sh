# What the installer and the start of the installed system share. Sourced with /proc, /sys and /dev mounted.

# Prints on every console the kernel has (screen and serial line), so that whoever watches either sees it.
say() {
    for console in $(cat /sys/class/tty/console/active 2>/dev/null); do
        printf '%s\r\n' "$*" >"/dev/$console" 2>/dev/null
    done
}

# The end of a start that cannot go on. Nothing is tried half; the machine waits to be looked at.
stop() {
    say "mini: cannot start: $1"
    say "mini: turn the machine off, correct this and start again"
    while :; do sleep 3600; done
}

# argument NAME: the last value of NAME= on the kernel command line.
argument() {
    value=
    for word in $(cat /proc/cmdline); do
        case $word in "$1"=*) value=${word#*=} ;; esac
    done
    echo "$value"
}

# Loads a driver for every device that says what it is. A driver may uncover more devices (a PCI function holds a
# virtio device, that a SCSI bus, that a CD), so this goes on until nothing new is said.
coldplug() {
    seen=
    while :; do
        names=$(cat /sys/bus/*/devices/*/modalias 2>/dev/null | sort -u | tr ' ' '?')
        [ "$names" != "$seen" ] || break
        seen=$names
        # shellcheck disable=SC2086 # one word a device
        modprobe -abq $names 2>/dev/null
    done
}

# wait_for_device UUID=...|LABEL=...|/dev/...: prints the device; up to 10 s, for disks that come late.
wait_for_device() {
    tries=0
    while [ $tries -lt 100 ]; do
        case $1 in
            /dev/*) [ -b "$1" ] && echo "$1" && return 0 ;;
            *) findfs "$1" 2>/dev/null && return 0 ;;
        esac
        [ $((tries % 10)) -ne 9 ] || coldplug
        tries=$((tries + 1))
        usleep 100000
    done
    return 1
}

# disk_of PARTITION: prints the disk's and the partition's names and number, "vda vda2 2".
disk_of() {
    part=${1##*/}
    [ -r "/sys/class/block/$part/partition" ] || return 1
    disk=$(readlink -f "/sys/class/block/$part")
    disk=${disk%/*}
    echo "${disk##*/} $part $(cat "/sys/class/block/$part/partition")"
}

# bytes32 NUMBER: four bytes, lowest first, as escapes for printf.
bytes32() {
    for shift in 0 8 16 24; do
        printf '\\%03o' $((($1 >> shift) & 255))
    done
}

# Lets the last partition reach the end of a disk that was made larger. Only the size in the partition table changes;
# the file system follows once it is mounted.
grow() {
    # shellcheck disable=SC2046 # three words
    set -- $(disk_of "$1") || return 0
    [ $# -eq 3 ] || return 0
    start=$(cat "/sys/class/block/$2/start")
    size=$(cat "/sys/class/block/$2/size")
    end=$(cat "/sys/class/block/$1/size")
    # Partition tables of this kind count sectors in 32 bits: 2 TiB.
    [ "$end" -le 4294967295 ] || end=4294967295
    # Less than 1 MiB is only the rounding of the layout.
    [ $((start + size + 2048)) -le "$end" ] || return 0
    next=$(($3 + 1))
    [ ! -e "/sys/class/block/${2%"$3"}$next" ] || return 0
    # shellcheck disable=SC2059 # the escapes are the point
    printf "$(bytes32 $((end - start)))" |
        dd of="/dev/$1" bs=1 seek=$((446 + 16 * ($3 - 1) + 12)) conv=notrunc 2>/dev/null
    blockdev --rereadpt "/dev/$1" && : >/run/grown
}
