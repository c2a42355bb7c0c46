namespace Gantry.Imaging.Builds;

/// <summary>
/// What makes a Linux guest general before its disk becomes a template: everything by which two clones could be taken
/// for each other, and everything that let the build in, goes.
/// </summary>
public static class SealScript
{
    /// <summary>
    /// A POSIX shell script, run as root. It ends with 0 even where parts of it do not apply, and with another
    /// number when something that is there can't be removed.
    /// </summary>
    /// <param name="buildKey">The public key that the build logged in with, to be taken out of authorized_keys.</param>
    /// <param name="user">The user that it was given to.</param>
    public static string For(string? buildKey, string user)
    {
        // Only the base64 part identifies the key; the comment may have been changed.
        var key = buildKey?.Split(' ') is [_, var blob, ..] ? blob : "";
        return Text.Replace("@KEY@", key, StringComparison.Ordinal).Replace("@USER@", user, StringComparison.Ordinal);
    }

    private const string Text =
        """
        set -eu
        # The machine's identity: made anew at the next boot.
        if [ -e /etc/machine-id ]; then : > /etc/machine-id; fi
        rm -f /var/lib/dbus/machine-id
        # Host keys. cloud-init makes new ones; where it is not, sshd's own unit does, before it starts.
        rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub /etc/dropbear/dropbear_*_host_key
        if [ -x /usr/sbin/sshd ] && [ -d /run/systemd/system ] && ! [ -e /usr/bin/cloud-init ]; then
          mkdir -p /etc/systemd/system/ssh.service.d
          printf '[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n' \
            > /etc/systemd/system/ssh.service.d/gantry-host-keys.conf
        fi
        # Seeds of the random number generator: two clones must not begin with the same.
        rm -f /var/lib/systemd/random-seed /var/lib/urandom/random-seed /var/lib/random-seed
        rm -rf /var/lib/seedrng
        rm -f /var/lib/systemd/credential.secret /loader/random-seed /boot/efi/loader/random-seed
        # Leases and what the network gave this machine.
        rm -f /var/lib/dhcp/*.leases /var/lib/dhcp/*.lease /var/lib/dhclient/* /var/lib/NetworkManager/*.lease
        rm -f /var/lib/udhcpd.leases /var/lib/NetworkManager/secret_key /var/lib/dhcpcd/*.lease /var/lib/dhcpcd/duid
        rm -f /etc/udev/rules.d/70-persistent-net.rules
        # cloud-init is to see a new instance.
        if [ -x /usr/bin/cloud-init ]; then cloud-init clean --logs > /dev/null 2>&1 || true; fi
        rm -rf /var/lib/cloud/instance /var/lib/cloud/instances /var/lib/cloud/sem /var/lib/cloud/data
        rm -rf /var/lib/gantry-seed /var/lib/gantry
        # The build's way in.
        if [ -n '@KEY@' ]; then
          for file in /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys; do
            [ -f "$file" ] || continue
            grep -v -F '@KEY@' "$file" > "$file.sealed" || true
            cat "$file.sealed" > "$file"
            rm -f "$file.sealed"
          done
        fi
        rm -f /root/.bash_history /root/.ash_history /home/*/.bash_history /home/*/.ash_history
        # Logs tell of the build, and each line of a journal of its machine-id. What is logged from here on stays in memory.
        if command -v journalctl > /dev/null 2>&1; then journalctl --relinquish-var > /dev/null 2>&1 || true; fi
        rm -rf /var/log/journal/* /var/log/installer /var/log/cloud-init*.log
        find /var/log -type f \( -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' \) -exec rm -f {} + 2> /dev/null || true
        find /var/log -type f -size +0 2> /dev/null | while read -r file; do : > "$file"; done
        # The way down writes seeds and leases once more: it is given memory to write them to. What these folders hold
        # on the disk is only hidden until then.
        for folder in /var/lib/systemd /var/lib/urandom /var/lib/dhcp /var/lib/dhcpcd /var/lib/NetworkManager; do
          if [ -d "$folder" ]; then mount -t tmpfs -o mode=755,size=4m tmpfs "$folder" 2> /dev/null || true; fi
        done
        # Blocks that are free again need not be in the template.
        if command -v fstrim > /dev/null 2>&1; then fstrim / > /dev/null 2>&1 || true; fi
        sync
        """;
}
