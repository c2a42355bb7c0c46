using Gantry.Hcl.Schema;
using Gantry.Hcl.Values;

namespace Gantry.Imaging.Template;

/// <summary>The arguments of <c>source "qemu"</c>: Packer's (plugin version 1.1) and ours.</summary>
internal static class QemuSourceSchema
{
    private static readonly HclType Strings = HclType.List(HclType.String);
    private static readonly HclType Map = HclType.Map(HclType.String);

    /// <summary>
    /// Arguments of Packer's that change nothing here, because Gantry does what they ask for anyway, or better.
    /// </summary>
    private static readonly string[] Harmless =
    [
        "headless", "display", "use_default_display", "vnc_bind_address", "vnc_port_min", "vnc_port_max", "vnc_use_password",
        "vnc_password", "disable_vnc", "qmp_enable", "qmp_socket_path", "iso_skip_cache", "run_once", "use_backing_file",
        "skip_resize_disk", "skip_nat_mapping", "ssh_clear_authorized_keys", "ssh_handshake_attempts", "ssh_file_transfer_method",
        "ssh_keep_alive_interval", "ssh_read_write_timeout", "ssh_agent_auth", "ssh_disable_agent_forwarding",
        "ssh_temporary_key_pair_type", "temporary_key_pair_type", "temporary_key_pair_bits", "host_key_algorithms", "ssh_ciphers",
        "ssh_key_exchange_algorithms", "http_interface", "http_network_protocol", "iso_target_extension", "efi_drop_efivars", "use_pflash",
    ];

    /// <summary>Arguments of Packer's that would change the result and that Gantry does not carry out.</summary>
    public static readonly IReadOnlyList<string> Refused =
    [
        "ssh_bastion_host", "ssh_proxy_host", "ssh_local_tunnels", "ssh_remote_tunnels", "ssh_certificate_file", "boot_steps",
        "winrm_username", "winrm_password", "winrm_host", "winrm_port", "winrm_timeout", "winrm_use_ssl", "winrm_insecure",
        "winrm_use_ntlm", "winrm_no_proxy",
    ];

    private static readonly string[] Texts =
    [
        "iso_url", "iso_checksum", "iso_target_path", "accelerator", "machine_type", "cpu_model", "qemu_binary", "disk_size",
        "disk_interface", "disk_cache", "disk_discard", "disk_detect_zeroes", "cdrom_interface", "efi_firmware_code",
        "efi_firmware_vars", "firmware", "tpm_device_type", "net_device", "net_bridge", "vga", "format", "output_directory",
        "vm_name", "http_directory", "http_bind_address", "cd_label", "floppy_label", "boot_wait", "boot_key_interval",
        "boot_keygroup_interval", "communicator", "ssh_username", "ssh_password", "ssh_private_key_file", "ssh_host",
        "ssh_timeout", "ssh_wait_timeout", "pause_before_connecting", "shutdown_command", "shutdown_timeout",
        // Ours.
        "isa", "kernel", "initrd", "kernel_arguments", "template", "keyboard_layout", "max_age",
    ];

    private static readonly string[] Numbers =
    [
        "cpus", "sockets", "cores", "threads", "memory", "host_port_min", "host_port_max", "ssh_host_port_min",
        "ssh_host_port_max", "http_port_min", "http_port_max", "ssh_port",
    ];

    private static readonly string[] Flags =
    [
        "disk_image", "disk_compression", "skip_compaction", "efi_boot", "vtpm", "use_tpm1", "ssh_pty",
        // Ours.
        "seal", "secure_boot", "uses_network",
    ];

    private static readonly string[] Lists =
    [
        "iso_urls", "disk_additional_size", "cd_files", "floppy_files", "floppy_dirs", "boot_command",
    ];

    public static BodySchema Body { get; } = new()
    {
        Attributes =
        [
            .. Texts.Select(name => new AttributeSchema(name, HclType.String)),
            .. Numbers.Select(name => new AttributeSchema(name, HclType.Number)),
            .. Flags.Select(name => new AttributeSchema(name, HclType.Bool)),
            .. Lists.Select(name => new AttributeSchema(name, Strings)),
            .. Harmless.Concat(Refused).Select(name => new AttributeSchema(name, HclType.Any)),
            new("http_content", Map), new("cd_content", Map), new("floppy_content", Map),
            new("qemuargs", HclType.List(Strings)),
            new("base", HclType.Any),
        ],
        Blocks =
        [
            new BlockSchema { Type = "qemu_img_args", Body = new() { AllowsMore = true } },
        ],
    };
}
