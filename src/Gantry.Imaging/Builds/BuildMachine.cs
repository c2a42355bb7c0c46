using Gantry.Engines;
using Gantry.Engines.Keyboard;
using Gantry.Engines.Screen;
using Gantry.Imaging.BootCommand;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Imaging.Builds;

/// <summary>A build's running machine: started, typed at, watched, logged in to.</summary>
public sealed class BuildMachine : IAsyncDisposable
{
    private readonly BuildServices _services;
    private readonly QemuSource _source;
    private readonly BuildRandoms _randoms;
    private readonly BuildLog _log;
    private readonly SerialFollower _serial;

    private BuildMachine(BuildServices services, QemuSource source, BuildRandoms randoms, BuildLog log, MachineRecord machine, IMachineGuest guest)
    {
        _services = services;
        _source = source;
        _randoms = randoms;
        _log = log;
        Machine = machine;
        Guest = guest;
        _serial = new SerialFollower(services.Host.PathsOf(machine.Number).SerialLog, log.Output, services.Time);
    }

    public MachineRecord Machine { get; set; }

    public IMachineGuest Guest { get; }

    /// <summary>
    /// QEMU loads a kernel that it was given at every reset, so a machine installed that way would install for ever:
    /// it ends at its first reset, and is started again without the kernel.
    /// </summary>
    private bool EndsAtReset => Machine.Spec.Kernel is not null;

    /// <summary>Starts the machine, with a layer's memory when one is given; it is then paused.</summary>
    public static async Task<BuildMachine> StartAsync(
        BuildServices services,
        QemuSource source,
        BuildRandoms randoms,
        BuildLog log,
        MachineRecord machine,
        string? memoryFile,
        CancellationToken cancellationToken)
    {
        var options = new StartOptions { MemoryFile = memoryFile, Accelerator = source.Accelerator };
        var guest = await services.Host.StartAsync(machine.Number, options, log.Sink, cancellationToken)
            .ConfigureAwait(false);
        return new BuildMachine(services, source, randoms, log, machine, guest);
    }

    public async ValueTask DisposeAsync()
    {
        await _serial.DisposeAsync().ConfigureAwait(false);
        await Guest.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Waits as the template says, and types the boot command.</summary>
    public async Task BootAsync(CancellationToken cancellationToken)
    {
        if (_source.Boot.Command.Count == 0)
            return;
        if (_source.Boot.Wait > TimeSpan.Zero)
        {
            _log.Activity($"Waiting {_source.Boot.Wait.TotalSeconds:0.#} s for the machine to start");
            await Task.Delay(_source.Boot.Wait, _services.Time, cancellationToken).ConfigureAwait(false);
        }

        var script = BootCommandScript.Parse(
            [.. _source.Boot.Command], new TemplateScope { Fields = _randoms.BootFields(_source) }, BuildPreparer.OptionsOf(_source));
        var keyboardOptions = new GuestKeyboardOptions
        {
            MinimumInterval = _source.Boot.KeyInterval ?? TimeSpan.Zero,
            Notice = _log.Note,
            Clock = _services.Time,
        };
        using var keyboard = await GuestKeyboard.OpenAsync(Guest.Monitor, keyboardOptions, cancellationToken)
            .ConfigureAwait(false);
        var typist = new Typist(keyboard, Screen(), _serial.Transcript, new TypistOptions
        {
            GroupInterval = _source.Boot.KeyGroupInterval ?? TimeSpan.Zero,
            Progress = progress =>
            {
                if (progress.Begins)
                    _log.Activity(progress.Description);
            },
            Clock = _services.Time,
        });
        try
        {
            await typist.RunAsync(script, cancellationToken).ConfigureAwait(false);
        }
        catch (BootWaitException e)
        {
            throw new ProblemException(
                ProblemKind.TimedOut, e.Message, "compare what was waited for with what the screen shows", inner: e);
        }
        catch (KeyboardException e)
        {
            throw new ProblemException(ProblemKind.Failed, $"the boot command could not be typed: {e.Message}", inner: e);
        }
    }

    /// <summary>Logs in to the guest as soon as it lets one.</summary>
    public async Task<GuestShell> ConnectAsync(CancellationToken cancellationToken)
    {
        var communicator = _source.Communicator;
        if (communicator.PauseBeforeConnecting > TimeSpan.Zero)
            await Task.Delay(communicator.PauseBeforeConnecting, _services.Time, cancellationToken)
                .ConfigureAwait(false);
        _log.Activity($"Waiting for SSH as {communicator.User}");
        var target = new SshTarget
        {
            Host = communicator.Host ?? "127.0.0.1",
            Port = communicator.Host is null ? _randoms.CommunicatorPort : communicator.GuestPort,
            User = communicator.User,
            Password = communicator.Password,
            PrivateKey = _randoms.PrivateKey,
            PrivateKeyFile = communicator.PrivateKeyFile,
        };
        using var gone = new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(gone.Token, cancellationToken);
        var watch = WatchExitAsync(gone, either.Token);
        try
        {
            return await SshWaiter.WaitAsync(
                target,
                _services.Time.GetUtcNow() + communicator.Timeout,
                _services.Time,
                observation => _log.Detail($"SSH: {observation}"),
                either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            if (EndsAtReset && await watch.ConfigureAwait(false) is { Reason: "guest-reset" })
                throw new GuestResetException();
            throw new ProblemException(
                ProblemKind.Failed, "the machine ended while the build waited to log in",
                "its last words are above; if the installer turns the machine off, let it reboot instead");
        }
        finally
        {
            await either.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(false);
        }
    }

    /// <summary>What the screen shows, as text and as a picture; null where the machine has none or is gone.</summary>
    public async Task<(string Text, byte[] Picture)?> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var reader = Screen();
            var text = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            return (text.ToString(), await reader.ScreenshotAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.Detail($"the screen could not be read: {e.Message}");
            return null;
        }
    }

    /// <summary>The last lines of the serial console.</summary>
    public string SerialTail(int lines) =>
        string.Join('\n', _serial.Transcript.Text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).TakeLast(lines));

    private QemuScreenReader Screen() =>
        new(Guest.Monitor, hasTextMemory: Machine.Spec.Isa is Isa.X86_64 or Isa.I386);

    private async Task<GuestExit?> WatchExitAsync(CancellationTokenSource gone, CancellationToken cancellationToken)
    {
        try
        {
            var exit = await Guest.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            await gone.CancelAsync().ConfigureAwait(false);
            return exit;
        }
        catch (OperationCanceledException)
        {
            return null; // nobody waits any more
        }
    }
}

/// <summary>The machine was reset, and ended as it was told to.</summary>
public sealed class GuestResetException : Exception;
