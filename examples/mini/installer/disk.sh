# The disk: an MBR partition table, which BIOS and UEFI both read. For BIOS one partition holds the system; for UEFI a
# small FAT partition with GRUB stands before it. The system's partition is the last, so that it can grow.

first_sector=2048
smallest_sectors=131072 # 64 MiB: the system takes about 45

choose_disk() {
    names=$answer_disk
    [ "$names" != auto ] || names="vda sda nvme0n1 vdb sdb"
    for disk in $names; do
        [ -b "/dev/$disk" ] && [ "$disk" != "$medium" ] || continue
        disk_sectors=$(cat "/sys/class/block/$disk/size")
        [ "$disk_sectors" -ge $smallest_sectors ] ||
            fail "/dev/$disk has only $((disk_sectors / 2048)) MiB" \
                "at least $((smallest_sectors / 2048)) MiB are needed"
        [ "$disk_sectors" -le 4294967295 ] || disk_sectors=4294967295
        choose_firmware
        return
    done
    fail "no disk to install to: looked for $names" "attach a virtio, SCSI or NVMe disk"
}

choose_firmware() {
    firmware=$answer_boot
    if [ "$firmware" = auto ]; then
        firmware=bios
        [ ! -d /sys/firmware/efi ] || firmware=uefi
        [ -d /medium/isolinux ] || firmware=uefi
    fi
    [ "$firmware" = uefi ] || [ -d /medium/isolinux ] || fail "this medium has no boot loader for BIOS"
    [ "$firmware" = bios ] || [ -r /medium/boot/grub/efi.img ] || fail "this medium has no boot loader for UEFI"
}

# partition NUMBER: its device.
partition() {
    case $disk in
        *[0-9]) echo "/dev/${disk}p$1" ;;
        *) echo "/dev/$disk$1" ;;
    esac
}

# entry ACTIVE TYPE START SIZE: one row of the table. The old cylinder fields say "see the sector numbers".
entry() {
    printf '\\%03o\\376\\377\\377\\%03o\\376\\377\\377%s%s' "$1" "$2" "$(bytes32 "$3")" "$(bytes32 "$4")"
}

write_bytes() {
    # shellcheck disable=SC2059 # the escapes are the point
    printf "$2" | dd of="/dev/$disk" bs=1 seek="$1" conv=notrunc 2>/run/last-command ||
        fail "the disk cannot be written" "$(tail -n 1 /run/last-command)"
}

partition_disk() {
    must "the disk cannot be cleared" dd if=/dev/zero of="/dev/$disk" bs=1M count=1 conv=notrunc
    esp_sectors=0
    if [ "$firmware" = uefi ]; then
        # What is on the medium for UEFI is a whole FAT file system: it is copied as it is.
        esp_sectors=$((($(wc -c </medium/boot/grub/efi.img) + 1048575) / 1048576 * 2048))
    fi
    root_start=$((first_sector + esp_sectors))
    root_sectors=$((disk_sectors - root_start))
    if [ "$firmware" = uefi ]; then
        root_number=2
        write_bytes 446 "$(entry 0 239 $first_sector $esp_sectors)$(entry 0 131 $root_start $root_sectors)"
    else
        root_number=1
        write_bytes 446 "$(entry 0 131 $root_start $root_sectors)"
    fi
    write_bytes 510 '\125\252'
    must "the kernel does not take the new partitions" blockdev --rereadpt "/dev/$disk"
    wait_for_device "$(partition $root_number)" >/dev/null || fail "the new partition did not appear"
}

make_file_systems() {
    root_uuid=$(cat /proc/sys/kernel/random/uuid)
    # Without 64bit and metadata_csum, which the BIOS boot loader cannot read. One inode for 32 KiB is plenty here.
    must "the file system cannot be made" chroot /live /sbin/mke2fs -q -F -t ext4 -L mini-root -U "$root_uuid" \
        -O ^64bit,^metadata_csum -i 32768 -m 1 -J size=4 -E lazy_itable_init=0 "$(partition $root_number)"
    mkdir -p /target
    must "the new file system cannot be mounted" mount -t ext4 "$(partition $root_number)" /target
}

kernel_arguments() {
    serial=ttyS0,115200
    [ "$(uname -m)" != aarch64 ] || serial=ttyAMA0
    echo "root=UUID=$root_uuid console=tty0 console=$serial quiet"
}

install_boot_loader() {
    case $firmware in
        bios) install_extlinux ;;
        uefi) install_grub ;;
    esac
}

install_extlinux() {
    mkdir -p /target/boot/extlinux
    cat >/target/boot/extlinux/extlinux.conf <<END
DEFAULT mini
PROMPT 0
LABEL mini
    LINUX /boot/vmlinuz
    INITRD /boot/initrd.img
    APPEND $(kernel_arguments)
END
    must "the boot loader cannot be installed" chroot /target /usr/bin/extlinux --install /boot/extlinux
    sync
    # The code in the first sector starts the partition marked active; both come last.
    must "the boot code cannot be written" \
        dd if=/target/usr/lib/EXTLINUX/mbr.bin of="/dev/$disk" bs=440 count=1 conv=notrunc
    write_bytes 446 '\200'
}

install_grub() {
    modprobe -abq vfat nls_cp437 nls_ascii nls_utf8 nls_iso8859-1 2>/dev/null
    sync
    must "the boot partition cannot be written" dd if=/medium/boot/grub/efi.img of="$(partition 1)" bs=1M conv=notrunc
    mkdir -p /esp
    must "the boot partition cannot be mounted" mount -t vfat "$(partition 1)" /esp
    mkdir -p /esp/boot/grub
    cat >/esp/boot/grub/grub.cfg <<END
set timeout=0
search --no-floppy --fs-uuid --set=root $root_uuid
menuentry mini {
    linux /boot/vmlinuz $(kernel_arguments)
    initrd /boot/initrd.img
}
END
    must "the boot partition cannot be released" umount /esp
}
