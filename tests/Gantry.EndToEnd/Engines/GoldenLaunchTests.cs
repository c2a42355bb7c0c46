using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Gantry.Engines.Linux;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Storage.Volumes;

namespace Gantry.EndToEnd.Engines;

/// <summary>
/// Each command line that a golden file holds, given to the installed QEMU: with files made for it, and on TCG. What
/// needs a bridge or a TPM's process of its own has other tests.
/// </summary>
public sealed partial class GoldenLaunchTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-e2e-");

    public static TheoryData<string> Names() =>
    [
        .. Directory.GetFiles(Folder()).Select(f => Path.GetFileNameWithoutExtension(f)!)
            .Where(n => !n.StartsWith("riscv64", StringComparison.Ordinal) && !n.StartsWith("ppc64", StringComparison.Ordinal)
                && n is not "networks" and not "x86_64-secure-boot-windows")
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Qemu_GivenGoldenArguments_MakesTheMachine(string name)
    {
        var text = await LocalizeAsync(await File.ReadAllTextAsync(
            Path.Combine(Folder(), $"{name}.golden"), TestContext.Current.CancellationToken));
        var arguments = text.TrimEnd('\n').Split('\n').SelectMany(line => line.Split(' ', 2)).Append("-S").ToList();
        var program = text.Contains("highmem=off", StringComparison.Ordinal) ? "qemu-system-arm"
            : text.Contains("-machine virt", StringComparison.Ordinal) ? "qemu-system-aarch64"
            : name.StartsWith("i386", StringComparison.Ordinal) ? "qemu-system-i386" : "qemu-system-x86_64";
        var log = In("log");
        var child = Spawner.Start(new SpawnRequest
        {
            Program = Programs.Find(program)!,
            Arguments = arguments,
            LogPath = log,
        });
        try
        {
            using var ended = new CancellationTokenSource();
            _ = child.Exited.ContinueWith(_ => ended.Cancel(), TaskScheduler.Default);
            await using var monitor = await QmpClient.ConnectAsync(
                In("qmp.sock"), new QmpOptions { ConnectTimeout = TimeSpan.FromSeconds(60) }, ended.Token);
            Assert.Equal(
                "6f1c7b1e-2a0d-4a4e-9d5b-0a9c8d7e6f50",
                (await monitor.ExecuteAsync("query-uuid")).GetProperty("UUID").GetString());
        }
        catch (OperationCanceledException)
        {
            Assert.Fail(await File.ReadAllTextAsync(log, CancellationToken.None));
        }
        finally
        {
            using (var process = ProcessHandle.TryOpen(child.Pid))
                process?.TrySignal(Libc.SigKill);
            await child.Exited;
        }
    }

    private async Task<string> LocalizeAsync(string text)
    {
        var linux = await SmallLinux.GetAsync();
        var vars = text.Contains("AAVMF", StringComparison.Ordinal) ? 64L << 20 : 540672;
        Directory.CreateDirectory(In("home"));
        Directory.CreateDirectory(In("output"));
        Qcow2Writer.CreateEmpty(In("output/web"), 16 << 20);
        await File.WriteAllBytesAsync(In("a.iso"), new byte[65536]);
        text = text.Replace("/run/gantry/101", _folder.FullName, StringComparison.Ordinal)
            .Replace("/home/me/src,, old", In("home"), StringComparison.Ordinal)
            .Replace("path=/srv/media", $"path={In("home")}", StringComparison.Ordinal)
            .Replace("file=output/web", $"file={In("output/web")}", StringComparison.Ordinal)
            .Replace("file=a.iso", $"file={In("a.iso")}", StringComparison.Ordinal)
            .Replace("/boot/vmlinuz", linux.Kernel, StringComparison.Ordinal)
            .Replace("/boot/initrd.img", linux.Initrd, StringComparison.Ordinal)
            .Replace("OVMF_CODE.fd", "OVMF_CODE_4M.fd", StringComparison.Ordinal)
            .Replace("accel=kvm", "accel=tcg", StringComparison.Ordinal)
            .Replace("-accel hvf", "-accel tcg", StringComparison.Ordinal)
            .Replace("-cpu host", "-cpu max", StringComparison.Ordinal);
        return HostFile().Replace(text, match =>
        {
            var file = In(Path.GetFileName(match.Value));
            if (File.Exists(file))
                return file;
            if (file.EndsWith(".qcow2", StringComparison.Ordinal))
                Qcow2Writer.CreateEmpty(file, Path.GetFileName(file).StartsWith("vars", StringComparison.Ordinal) ? vars : 16 << 20);
            else
                File.WriteAllBytes(file, new byte[file.EndsWith(".bin", StringComparison.Ordinal) ? 65536 : 1474560]);
            return file;
        });
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private static string Folder([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../Gantry.Engines.Tests/Golden"));

    [GeneratedRegex(@"/(?:var/lib/gantry|isos|srv)/[^"",\s]*\.(?:qcow2|raw|iso|img|bin)|(?<="")[^"",]*/seed\.iso")]
    private static partial Regex HostFile();

    public void Dispose() => _folder.Delete(recursive: true);
}
