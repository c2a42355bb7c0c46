using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gantry.Engines.Linux;
using Gantry.Engines.Qemu.Accelerators;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Engines.Qemu;

/// <summary>Whether KVM runs guests of an ISA here.</summary>
/// <param name="Works">Guest code really ran.</param>
/// <param name="Reason">One sentence for a person, without a full stop: why, or why not.</param>
public sealed record KvmVerdict(bool Works, string Reason);

/// <summary>
/// Finds out whether KVM works by running guest code in it. That /dev/kvm opens and creates machines says little:
/// inside some hypervisors it does so and guests then hang.
/// </summary>
public sealed class KvmProbe(QemuHost host, TimeProvider clock)
{
    private const string Device = "/dev/kvm";

    /// <summary>Where KVM works the guest is done in a tenth of that.</summary>
    internal TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The verdict, from the cache where it is known for this QEMU, this boot and this kernel.
    /// </summary>
    /// <exception cref="ProblemException">QEMU for the ISA is not installed.</exception>
    public async Task<KvmVerdict> AskAsync(Isa isa, CancellationToken cancellationToken = default)
    {
        if (Refusal(isa) is { } refusal)
            return new KvmVerdict(false, refusal);
        // 32-bit PCs are proven by the 64-bit guest: the same KVM, of the same package.
        var proven = isa == Isa.I386 ? Isa.X86_64 : isa;
        var binary = host.Binary(proven);
        var file = CacheFile(proven, binary);
        if (Read(file) is { } known && (known.Works || !IsOld(file)))
            return known;
        var verdict = await RunAsync(proven, binary.Path, "kvm", cancellationToken).ConfigureAwait(false);
        FactsFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(verdict, EngineJson.Default.KvmVerdict));
        return verdict;
    }

    /// <summary>Why KVM is out of the question without trying; null where it is worth a try.</summary>
    internal static string? Refusal(Isa isa)
    {
        var architecture = RuntimeInformation.OSArchitecture;
        var isPossible = (architecture, isa) switch
        {
            (Architecture.X64, Isa.X86_64 or Isa.I386) => true,
            (Architecture.Arm64, Isa.Aarch64) => true,
            _ => false,
        };
        if (!isPossible)
        {
            return $"this host's CPU runs {HostName(architecture)}, not {isa.Name()}: its instructions are translated";
        }
        if (!File.Exists(Device))
        {
            return "there is no /dev/kvm: virtualization is off in the firmware, the kvm module is not loaded, "
                + "or this is a virtual machine whose host does not offer it";
        }
        const int readAndWrite = 6;
        return Libc.Access(Device, readAndWrite) == 0
            ? null
            : "/dev/kvm is there, but this user may not open it: sudo usermod -aG kvm $USER, then log in again";
    }

    internal static string HostName(Architecture architecture) => architecture switch
    {
        Architecture.X64 => "x86_64",
        Architecture.Arm64 => "aarch64",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>Runs the guest; the accelerator is a parameter so that the guests themselves can be tested.</summary>
    internal async Task<KvmVerdict> RunAsync(
        Isa isa, string binary, string accelerator, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("gantry-probe-");
        try
        {
            var isArm = isa == Isa.Aarch64;
            var image = Path.Combine(folder.FullName, "guest");
            await File.WriteAllBytesAsync(
                image, isArm ? KvmProbeGuests.ArmKernel() : KvmProbeGuests.X86Firmware(), cancellationToken)
                .ConfigureAwait(false);
            var cpu = accelerator == "kvm" ? "host" : isArm ? "cortex-a57" : "qemu64";
            string[] guest = isArm
                ? ["-machine", $"virt,accel={accelerator},gic-version=max", "-kernel", image, "-serial", "stdio"]
                :
                [
                    "-machine", $"pc,accel={accelerator}", "-bios", image,
                    "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                ];
            string[] common =
            [
                "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot", "-m", "64", "-cpu", cpu,
                "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            ];
            return await RunAsync(binary, [.. common, .. guest], isArm, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<KvmVerdict> RunAsync(
        string binary, string[] arguments, bool isArm, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(binary)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            return new KvmVerdict(false, $"{binary} can't be run: {e.Message}");
        }
        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
            var started = clock.GetTimestamp();
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            using var timer = new CancellationTokenSource(Deadline, clock);
            using var link = timer.Token.Register(deadline.Cancel);
            try
            {
                await process.WaitForExitAsync(deadline.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                return new KvmVerdict(
                    false, $"/dev/kvm opens, but guest code did not run within {Deadline.TotalSeconds:0.#} s");
            }
            var milliseconds = clock.GetElapsedTime(started).TotalMilliseconds;
            var ran = isArm
                ? (await output.ConfigureAwait(false)).Contains(KvmProbeGuests.ArmSuccess, StringComparison.Ordinal)
                : process.ExitCode == KvmProbeGuests.X86Success;
            if (ran)
            {
                return new KvmVerdict(
                    true, string.Create(CultureInfo.InvariantCulture, $"guest code ran in a probe in {milliseconds:0} ms"));
            }
            var said = QemuFailures.Tail(await error.ConfigureAwait(false)).Split('\n')[0];
            return new KvmVerdict(
                false, "/dev/kvm opens, but a guest failed in it"
                    + (said.Length > 0 ? $" ({said})" : $" (QEMU ended with exit code {process.ExitCode})"));
        }
    }

    private string CacheFile(Isa isa, QemuBinary binary)
    {
        var key = string.Join(
            '\n', "kvm-1", isa.Name(), binary.Digest, ReadLine("/proc/sys/kernel/random/boot_id"),
            ReadLine("/proc/sys/kernel/osrelease"));
        return Path.Combine(
            host.FactsFolder, $"kvm-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..16]}.json");
    }

    /// <summary>A starved host may have missed the deadline; a failure is not believed for ever.</summary>
    private bool IsOld(string file) =>
        clock.GetUtcNow() - new DateTimeOffset(File.GetLastWriteTimeUtc(file)) > TimeSpan.FromHours(1);

    private static KvmVerdict? Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), EngineJson.Default.KvmVerdict);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null; // not known yet, or not readable: found out again
        }
    }

    private static string ReadLine(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }
}
