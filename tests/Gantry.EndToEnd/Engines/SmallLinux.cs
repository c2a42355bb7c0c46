using System.Diagnostics;
using Gantry.Storage.Media;

namespace Gantry.EndToEnd.Engines;

/// <summary>
/// A kernel and an initramfs of Debian's packages whose init obeys lines on the serial console: it answers each with
/// what the line printed and <c>DONE:CODE</c>. Packages are kept in the user's cache folder.
/// </summary>
internal sealed class SmallLinux
{
    /// <summary>In loading order; the cloud kernel has none of them built in.</summary>
    private static readonly string[] Modules =
    [
        "drivers/virtio/virtio_ring.ko", "drivers/virtio/virtio.ko", "drivers/virtio/virtio_pci_legacy_dev.ko",
        "drivers/virtio/virtio_pci_modern_dev.ko", "drivers/virtio/virtio_pci.ko", "drivers/block/virtio_blk.ko",
        "net/core/failover.ko", "drivers/net/net_failover.ko", "drivers/net/virtio_net.ko",
    ];

    private const string Init = """
        #!/bin/busybox sh
        /bin/busybox mkdir -p /proc /sys /dev /sbin
        /bin/busybox --install -s /bin
        mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
        for m in /modules/*; do insmod $m; done
        exec </dev/ttyS0 >/dev/ttyS0 2>&1
        stty -echo -icanon min 1
        echo GUEST-READY
        while read -r line; do eval "$line"; echo "DONE:$?"; done
        """;

    private static readonly Lazy<Task<SmallLinux>> Shared = new(MakeAsync);

    public required string Kernel { get; init; }

    public required string Initrd { get; init; }

    public static Task<SmallLinux> GetAsync() => Shared.Value;

    private static async Task<SmallLinux> MakeAsync()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set
            ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var packages = Path.Combine(cache, "gantry", "test-packages");
        Directory.CreateDirectory(packages);
        using var gate = Lock(Path.Combine(packages, ".lock"));
        var depends = await RunAsync(packages, "apt-cache", "depends", "linux-image-cloud-amd64");
        var image = depends.Split('\n').Select(l => l.Trim())
            .First(l => l.StartsWith("Depends: linux-image-", StringComparison.Ordinal))["Depends: ".Length..];
        var tree = Path.Combine(packages, $"tree-{image}");
        if (!Directory.Exists(tree))
            await UnpackAsync(packages, image, tree);
        var initrd = Path.Combine(tree, "small-linux.cpio.gz");
        await WriteInitrdAsync(tree, initrd);
        return new SmallLinux { Kernel = Directory.GetFiles(Path.Combine(tree, "boot"), "vmlinuz*").Single(), Initrd = initrd };
    }

    private static async Task UnpackAsync(string packages, string image, string tree)
    {
        foreach (var package in (string[])[image, "busybox-static"])
        {
            if (Directory.GetFiles(packages, $"{package}_*.deb").Length == 0)
                await RunAsync(packages, "apt-get", "download", package);
        }
        var part = tree + ".part";
        if (Directory.Exists(part))
            Directory.Delete(part, recursive: true);
        foreach (var package in (string[])[image, "busybox-static"])
            await RunAsync(packages, "dpkg-deb", "-x", Directory.GetFiles(packages, $"{package}_*.deb")[0], part);
        Directory.Move(part, tree);
    }

    private static async Task WriteInitrdAsync(string tree, string initrd)
    {
        var content = new MediaTree()
            .AddDirectory("dev")
            .AddFile("init", MediaContent.FromText(Init), MediaModes.Executable)
            .AddFile("bin/busybox", MediaContent.FromFile(Path.Combine(tree, "bin/busybox")), MediaModes.Executable)
            .AddDevice("dev/console", MediaDeviceKind.Character, 5, 1);
        var modules = Directory.GetDirectories(Path.Combine(tree, "lib/modules")).Single();
        for (var i = 0; i < Modules.Length; i++)
        {
            var file = Path.Combine(modules, "kernel", Modules[i]);
            content.AddFile($"modules/{i:00}-{Path.GetFileName(file)}", MediaContent.FromFile(file));
        }
        await CpioWriter.WriteFileAsync(content, new CpioOptions { Gzip = true }, initrd);
    }

    private static FileStream Lock(string path)
    {
        // Tests of several processes may fetch at once; the file's exclusive use lasts as long as the stream.
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (tries < 600)
            {
                Thread.Sleep(100);
            }
        }
    }

    private static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {await error}");
    }
}
