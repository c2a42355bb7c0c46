using Gantry.Engines;
using Gantry.Engines.Qemu;
using Gantry.Machines.Catalog;
using Gantry.Machines.Snapshots;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;
using Gantry.Storage;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Run;

/// <summary>How a machine is to be started.</summary>
public sealed record StartOptions
{
    /// <summary>Memory to load, saved from a machine of the same spec; the machine then stays paused.</summary>
    public string? MemoryFile { get; init; }

    /// <summary>Do not run guest code yet.</summary>
    public bool Paused { get; init; }

    /// <summary>kvm or tcg, as the user wants it; null chooses by proof.</summary>
    public string? Accelerator { get; init; }

    /// <summary>The assignment that it is started for; 0 for none.</summary>
    public long Epoch { get; init; }

    /// <summary>How long another operation on the machine may take first.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>Starts, finds and ends machines on this host. There is no other way to start one.</summary>
public sealed class MachineHost(
    MachineCatalog catalog,
    VolumePool volumes,
    DiskFreezer freezer,
    ChainMerger merger,
    IMachineEngine engine,
    IMachineHardware hardware,
    MachineSeeds seeds,
    TimeProvider time)
{
    private static readonly TimeSpan PowerDownAgain = TimeSpan.FromSeconds(5);

    private DataFolders Folders => volumes.Folders;

    /// <summary>Whether the machine's QEMU lives; cheap, and no connection is made.</summary>
    public bool IsAlive(MachineNumber machine) => engine.IsAlive(Folders.MachineRun(machine));

    /// <summary>The machines that may be alive: all others have not even a folder for their sockets.</summary>
    public IReadOnlySet<MachineNumber> WithRunFolders()
    {
        var found = new HashSet<MachineNumber>();
        foreach (var folder in Directory.EnumerateDirectories(Folders.Run))
        {
            if (MachineNumber.TryParse(Path.GetFileName(folder), out var number))
                found.Add(number);
        }

        return found;
    }

    public RuntimeRecord? Runtime(MachineNumber machine) =>
        IsAlive(machine) ? RuntimeRecord.Read(Folders.MachineRun(machine)) : null;

    /// <summary>Where a machine's sockets and logs are.</summary>
    public RunPaths PathsOf(MachineNumber machine)
    {
        // Logs outlive the run folder, which is gone after a reboot of the host.
        var folder = Folders.MachineFolder(machine);
        return RunPaths.For(Folders.MachineRun(machine)) with
        {
            SerialLog = Path.Combine(folder, "serial.log"),
            Log = Path.Combine(folder, "qemu.log"),
        };
    }

    public Task<MachineLock> LockAsync(MachineNumber machine, TimeSpan patience, CancellationToken cancellationToken) =>
        MachineLock.TakeAsync(Folders, machine, patience, time, cancellationToken);

    /// <summary>The machine's running QEMU, or null.</summary>
    public Task<IMachineGuest?> FindAsync(MachineRecord machine, CancellationToken cancellationToken) =>
        FindAsync(machine.Number, machine.Uuid, cancellationToken);

    /// <summary>Listens to a machine's run from now on; what is not running is a run that has ended.</summary>
    /// <param name="onPhase">Called when guest code was halted or goes on, on any thread.</param>
    public async Task<RunWatch> WatchAsync(
        MachineNumber number, Guid uuid, Action onPhase, CancellationToken cancellationToken) =>
        new(
            await engine.WatchAsync(Folders.MachineRun(number), uuid, cancellationToken).ConfigureAwait(false),
            onPhase, () => IsAlive(number), time);

    /// <exception cref="ProblemException">It is not running.</exception>
    public async Task<IMachineGuest> GetRunningAsync(MachineRecord machine, CancellationToken cancellationToken) =>
        await FindAsync(machine, cancellationToken).ConfigureAwait(false)
        ?? throw new ProblemException(
            ProblemKind.Conflict, $"{machine.Spec.Name} is not running", $"start it: gantry start {machine.Spec.Name}");

    /// <summary>Starts a stopped machine.</summary>
    /// <exception cref="ProblemException">It runs already, or QEMU would not start; the summary says why.</exception>
    public async Task<IMachineGuest> StartAsync(
        MachineNumber number, StartOptions options, IProgressSink progress, CancellationToken cancellationToken)
    {
        using var held = await LockAsync(number, options.Patience, cancellationToken).ConfigureAwait(false);
        return await StartLockedAsync(number, options, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="StartAsync"/>, for a caller that holds the machine's lock.</summary>
    public async Task<IMachineGuest> StartLockedAsync(
        MachineNumber number, StartOptions options, IProgressSink progress, CancellationToken cancellationToken)
    {
        var machine = await catalog.GetAsync(number.ToString(), cancellationToken).ConfigureAwait(false);
        if (IsAlive(number))
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{machine.Spec.Name} is running already", $"gantry console {machine.Spec.Name} opens its console");
        }

        machine = await freezer.RepairAsync(machine, guest: null, cancellationToken).ConfigureAwait(false);
        if (await merger.IsTooLongAsync(machine, cancellationToken).ConfigureAwait(false))
            await merger.MergeAsync(machine, guest: null, progress, cancellationToken).ConfigureAwait(false);
        progress.Activity($"Starting {machine.Spec.Name}");
        var run = Folders.MachineRun(number);
        Directory.CreateDirectory(run, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        RotateLogs(number);
        var choice = await hardware.ChooseAsync(machine.Spec, options.Accelerator, cancellationToken)
            .ConfigureAwait(false);
        var ports = HostPorts.Resolve(machine.Spec.NetworkCards.SelectMany(card => card.Published));
        var launch = await LaunchOfAsync(machine, options, choice.Accelerator, ports, cancellationToken)
            .ConfigureAwait(false);
        var guest = await engine.StartAsync(launch, run, cancellationToken).ConfigureAwait(false);
        try
        {
            new RuntimeRecord
            {
                Started = time.GetUtcNow(),
                Accelerator = choice.Accelerator,
                AcceleratorReason = choice.Reason,
                Ports = ports,
                Epoch = options.Epoch,
                Spec = machine.Spec with { CloudInit = null },
                Binary = launch.Binary,
            }.Write(run);
            if (options.MemoryFile is { } memory)
                await guest.LoadMemoryAsync(memory, cancellationToken: cancellationToken).ConfigureAwait(false);
            return guest;
        }
        catch
        {
            await guest.QuitAsync(CancellationToken.None).ConfigureAwait(false);
            await guest.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Makes sure that a machine could be run in a certain way here, before anything is done.</summary>
    /// <exception cref="ProblemException">It could not; the summary says why.</exception>
    public async Task CheckAsync(
        MachineRecord machine, Accelerator? accelerator, CancellationToken cancellationToken) =>
        await hardware.ChooseAsync(machine.Spec, accelerator?.ToString().ToLowerInvariant(), cancellationToken)
            .ConfigureAwait(false);

    /// <summary>Asks the guest to shut down, as its power button does, and waits until it has.</summary>
    /// <exception cref="ProblemException">It did not within the time.</exception>
    public async Task ShutdownAsync(MachineRecord machine, TimeSpan patience, CancellationToken cancellationToken)
    {
        await using var guest = await GetRunningAsync(machine, cancellationToken).ConfigureAwait(false);
        if (await guest.PhaseAsync(cancellationToken).ConfigureAwait(false) == MachinePhase.Paused)
            await guest.ResumeAsync(cancellationToken).ConfigureAwait(false);
        if (await PowerDownAsync(guest, patience, cancellationToken).ConfigureAwait(false))
            return;
        throw new ProblemException(
            ProblemKind.TimedOut,
            $"{machine.Spec.Name} did not shut down within {patience.TotalSeconds:0} s",
            $"look what it does: gantry console {machine.Spec.Name}; or end it hard: gantry stop {machine.Spec.Name}");
    }

    /// <summary>Ends a machine at once, as pulling its plug does. Nothing when it is not running.</summary>
    public async Task StopAsync(MachineRecord machine, CancellationToken cancellationToken)
    {
        await using var guest = await FindAsync(machine, cancellationToken).ConfigureAwait(false);
        if (guest is not null)
            await guest.QuitAsync(cancellationToken).ConfigureAwait(false);
        else if (IsAlive(machine.Number))
            await engine.KillAsync(Folders.MachineRun(machine.Number), machine.Uuid, cancellationToken)
                .ConfigureAwait(false);
    }

    /// <summary>What can be seen of a machine from outside.</summary>
    public Task<MachinePhase> PhaseAsync(MachineRecord machine, CancellationToken cancellationToken) =>
        PhaseAsync(machine.Number, machine.Uuid, cancellationToken);

    /// <summary>What can be seen from outside of the machine with a number and its hardware's UUID.</summary>
    public async Task<MachinePhase> PhaseAsync(MachineNumber number, Guid uuid, CancellationToken cancellationToken)
    {
        await using var guest = await FindAsync(number, uuid, cancellationToken).ConfigureAwait(false);
        if (guest is not null)
            return await guest.PhaseAsync(cancellationToken).ConfigureAwait(false);
        return IsAlive(number) ? MachinePhase.Starting : MachinePhase.Stopped;
    }

    /// <summary>Presses the power button, again every few seconds, until QEMU has ended; whether it has.</summary>
    public async Task<bool> PowerDownAsync(IMachineGuest guest, TimeSpan patience, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (time.GetElapsedTime(start) < patience)
        {
            try
            {
                await guest.PowerDownAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Engines.Qemu.Monitor.QmpConnectionException)
            {
                // It is ending just now.
            }

            // A guest that is still booting does not see the button, so it is pressed again.
            var left = patience - time.GetElapsedTime(start);
            using var limit = new CancellationTokenSource(left < PowerDownAgain ? left : PowerDownAgain, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                await guest.WaitForExitAsync(both.Token).ConfigureAwait(false);
                return true;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
            }
        }

        return false;
    }

    /// <summary>What QEMU is to be started with; ports are those chosen.</summary>
    public async Task<QemuLaunch> LaunchOfAsync(
        MachineRecord machine,
        StartOptions options,
        Accelerator accelerator,
        ValueList<PublishedPort> ports,
        CancellationToken cancellationToken)
    {
        var spec = machine.Spec;
        var disks = new List<LaunchDisk>();
        foreach (var disk in spec.Disks)
            disks.Add(LaunchDisk.Of(disk, await ChainAsync(disk.Volume, cancellationToken).ConfigureAwait(false)));
        var numbered = spec.NetworkCards
            .SelectMany((card, index) => card.Published.Select(_ => index))
            .Zip(ports, (card, port) => new LaunchPort(card, port.Address, port.HostPort, port.GuestPort, port.Udp));
        var launch = new QemuLaunch
        {
            Number = machine.Number,
            Uuid = machine.Uuid,
            Spec = spec,
            Accelerator = accelerator,
            Binary = hardware.Binary(spec.Isa),
            Firmware = hardware.Firmware(spec),
            Disks = [.. disks],
            Variables = machine.Variables is { } variables
                ? await ChainAsync(variables, cancellationToken).ConfigureAwait(false) : [],
            Cdroms = spec.Cdroms.Select(cdrom => cdrom.File).ToValueList(),
            SeedCd = spec.Cdroms.Any(cdrom => cdrom.Seed)
                ? await seeds.WriteAsync(machine, accelerator, cancellationToken).ConfigureAwait(false)
                : null,
            Floppy = spec.Floppy,
            TpmStateDirectory = spec.Tpm is null ? null : Path.Combine(Folders.MachineFolder(machine.Number), "tpm"),
            Run = PathsOf(machine.Number),
            Ports = [.. numbered],
            Incoming = options.MemoryFile is not null,
            Paused = options.Paused,
        };
        return launch;
    }

    private async Task<IMachineGuest?> FindAsync(MachineNumber number, Guid uuid, CancellationToken cancellationToken)
    {
        var run = Folders.MachineRun(number);
        return engine.IsAlive(run) ? await engine.FindAsync(run, uuid, cancellationToken).ConfigureAwait(false) : null;
    }

    private async Task<ValueList<ChainLink>> ChainAsync(VolumeId top, CancellationToken cancellationToken) =>
        [.. (await volumes.ChainAsync(top, cancellationToken).ConfigureAwait(false)).Select(file => new ChainLink(file.Path, file.Format))];

    /// <summary>Keeps the last few runs' serial output, each in a file of its own.</summary>
    private void RotateLogs(MachineNumber machine)
    {
        const int Kept = 4;
        var log = PathsOf(machine).SerialLog;
        if (!File.Exists(log))
            return;
        for (var i = Kept; i > 1; i--)
        {
            if (File.Exists($"{log}.{i - 1}"))
                File.Move($"{log}.{i - 1}", $"{log}.{i}", overwrite: true);
        }

        File.Move(log, $"{log}.1", overwrite: true);
    }
}
