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

    /// <summary>Debian's cloud kernel has no 9p.</summary>
    private static readonly string[] NinePModules =
    [
        .. Modules, "fs/netfs/netfs.ko", "fs/fscache/fscache.ko", "net/9p/9pnet.ko", "net/9p/9pnet_virtio.ko", "fs/9p/9p.ko",
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

    private static readonly Lazy<Task<SmallLinux>> Shared = new(() => MakeAsync("linux-image-cloud-amd64", Modules));

    private static readonly Lazy<Task<SmallLinux>> SharedWithNineP = new(() => MakeAsync("linux-image-amd64", NinePModules));

    public required string Kernel { get; init; }

    public required string Initrd { get; init; }

    public static Task<SmallLinux> GetAsync() => Shared.Value;

    /// <summary>Debian's kernel for all PCs, a package of 70 MB, with the modules for 9p shares loaded.</summary>
    public static Task<SmallLinux> WithNinePAsync() => SharedWithNineP.Value;

    private static async Task<SmallLinux> MakeAsync(string meta, string[] names)
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set
            ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var packages = Path.Combine(cache, "gantry", "test-packages");
        Directory.CreateDirectory(packages);
        using var gate = Lock(Path.Combine(packages, ".lock"));
        var depends = await RunAsync(packages, "apt-cache", "depends", meta);
        var image = depends.Split('\n').Select(l => l.Trim())
            .First(l => l.StartsWith("Depends: linux-image-", StringComparison.Ordinal))["Depends: ".Length..];
        var tree = Path.Combine(packages, $"tree-{image}");
        if (!Directory.Exists(tree) || names.Any(name => !File.Exists(ModuleFile(tree, name))))
            await UnpackAsync(packages, image, names, tree);
        var initrd = Path.Combine(tree, "small-linux.cpio.gz");
        await WriteInitrdAsync(tree, names, initrd);
        return new SmallLinux { Kernel = Directory.GetFiles(Path.Combine(tree, "boot"), "vmlinuz*").Single(), Initrd = initrd };
    }

    private static async Task UnpackAsync(string packages, string image, string[] names, string tree)
    {
        foreach (var package in (string[])[image, "busybox-static"])
        {
            if (Directory.GetFiles(packages, $"{package}_*.deb").Length == 0)
                await RunAsync(packages, "apt-get", "download", package);
        }
        var part = tree + ".part";
        if (Directory.Exists(part))
            Directory.Delete(part, recursive: true);
        Directory.CreateDirectory(part);
        // All modules of the large kernel would take half a gigabyte.
        string[] wanted = ["./boot/vmlinuz*", .. names.Select(name => $"./lib/modules/*/kernel/{name}"), "./bin/busybox"];
        foreach (var package in (string[])[image, "busybox-static"])
        {
            await RunAsync(
                packages,
                "sh",
                [
                    "-c", "deb=$1; shift; dpkg-deb --fsys-tarfile \"$deb\" | tar -x --wildcards \"$@\"", "sh",
                    Directory.GetFiles(packages, $"{package}_*.deb")[0], "-C", part,
                    .. wanted.Where(name => name.EndsWith("busybox", StringComparison.Ordinal) == (package != image)),
                ]);
        }

        if (Directory.Exists(tree))
            Directory.Delete(tree, recursive: true);
        Directory.Move(part, tree);
    }

    private static async Task WriteInitrdAsync(string tree, string[] names, string initrd)
    {
        var content = new MediaTree()
            .AddDirectory("dev")
            .AddFile("init", MediaContent.FromText(Init), MediaModes.Executable)
            .AddFile("bin/busybox", MediaContent.FromFile(Path.Combine(tree, "bin/busybox")), MediaModes.Executable)
            .AddDevice("dev/console", MediaDeviceKind.Character, 5, 1);
        for (var i = 0; i < names.Length; i++)
        {
            var file = ModuleFile(tree, names[i]);
            content.AddFile($"modules/{i:00}-{Path.GetFileName(file)}", MediaContent.FromFile(file));
        }
        await CpioWriter.WriteFileAsync(content, new CpioOptions { Gzip = true }, initrd);
    }

    private static string ModuleFile(string tree, string name) =>
        Path.Combine(Directory.GetDirectories(Path.Combine(tree, "lib/modules")).Single(), "kernel", name);

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
