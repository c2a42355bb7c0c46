using System.Net;
using System.Net.Sockets;
using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Storage.Volumes;

namespace Gantry.EndToEnd.Engines;

/// <summary>A machine for one test: its folder, its launch, and its certain end.</summary>
internal sealed class TestMachine : IAsyncDisposable
{
    public const long DiskBytes = 16 << 20;

    private static int _lastNumber = 900_000_000 + (Environment.ProcessId % 10_000 * 1000);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-e2e-");

    private TestMachine(QemuHost host, SmallLinux linux)
    {
        Host = host;
        var number = Interlocked.Increment(ref _lastNumber);
        var spec = QemuDefaults.Resolve(
            new MachineSpec
            {
                Name = $"test-{number}",
                Isa = Isa.X86_64,
                MemoryMiB = 128,
                Kernel = new DirectBoot
                {
                    Kernel = linux.Kernel,
                    Initrd = linux.Initrd,
                    CommandLine = "console=ttyS0 quiet panic=-1",
                },
                NetworkCards = [new NetworkCardSpec { Mac = "52:54:00:12:34:56" }],
            },
            host);
        Run = In("run");
        Launch = new QemuLaunch
        {
            Number = new MachineNumber(number),
            Uuid = SystemEntropy.Instance.NewUuid(),
            Spec = spec,
            Accelerator = Accelerator.Tcg,
            Binary = QemuHost.FindBinary(Isa.X86_64),
            Run = RunPaths.For(Run),
        };
    }

    public static QemuHost SharedHost { get; } = new(
        Path.Combine(Path.GetTempPath(), $"gantry-e2e-facts-{Environment.UserName}"));

    public QemuHost Host { get; }

    public QemuEngine Engine { get; } = new();

    public string Run { get; set; }

    public QemuLaunch Launch { get; set; }

    public static async Task<TestMachine> MakeAsync() => new(SharedHost, await SmallLinux.GetAsync());

    public string In(string name) => Path.Combine(_folder.FullName, name);

    /// <summary>An empty disk's file.</summary>
    public ChainLink NewDisk(string name, long bytes = DiskBytes)
    {
        Qcow2Writer.CreateEmpty(In(name), bytes);
        return new ChainLink(In(name), VolumeFormat.Qcow2);
    }

    public Task<QemuGuest> StartAsync() => Engine.StartAsync(Launch, Run, TestContext.Current.CancellationToken);

    public Task<SerialShell> ShellAsync() => SerialShell.OpenAsync(Launch.Run.Serial, Launch.Run.SerialLog);

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Run))
            await Engine.KillAsync(Run, Launch.Uuid, CancellationToken.None);
        _folder.Delete(recursive: true);
    }
}
