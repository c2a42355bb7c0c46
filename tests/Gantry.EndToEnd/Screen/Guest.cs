using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Gantry.Engines.Qemu.Monitor;

namespace Gantry.EndToEnd.Screen;

/// <summary>A QEMU started for one test, with its monitor, its first serial line, and a folder of its own.</summary>
internal sealed class Guest : IAsyncDisposable
{
    private readonly Process _process;
    private readonly DirectoryInfo _folder;
    private readonly StringBuilder _said = new();

    private Guest(Process process, DirectoryInfo folder)
    {
        _process = process;
        _folder = folder;
    }

    public QmpClient Monitor { get; private set; } = null!;

    public string Folder => _folder.FullName;

    public int ProcessId => _process.Id;

    /// <summary>What QEMU wrote to its standard error.</summary>
    public string Said
    {
        get
        {
            lock (_said)
                return _said.ToString();
        }
    }

    public static async Task<Guest> StartAsync(string isa, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("gantry-e2e-");
        var socket = Path.Combine(folder.FullName, "qmp");
        var start = new ProcessStartInfo($"qemu-system-{isa}")
        {
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder.FullName,
        };
        string[] common = ["-accel", "tcg", "-display", "none", "-qmp", $"unix:{socket},server=on,wait=off"];
        foreach (var argument in (string[])[.. common, .. arguments])
            start.ArgumentList.Add(argument);
        var process = Process.Start(start)
            ?? throw new InvalidOperationException($"{start.FileName} did not start");
        var guest = new Guest(process, folder);
        process.ErrorDataReceived += (_, e) =>
        {
            lock (guest._said)
                guest._said.AppendLine(e.Data);
        };
        process.BeginErrorReadLine();
        try
        {
            using var dead = new CancellationTokenSource();
            var connecting = QmpClient.ConnectAsync(socket, null, dead.Token);
            if (await Task.WhenAny(connecting, process.WaitForExitAsync()) != connecting)
                await dead.CancelAsync();
            guest.Monitor = await connecting;
            return guest;
        }
        catch (Exception e)
        {
            await guest.DisposeAsync();
            throw new InvalidOperationException($"QEMU did not start: {guest.Said}", e);
        }
    }

    /// <summary>Reads a serial line that was given as <c>-serial unix:NAME,server=on,wait=off</c>.</summary>
    public async Task<NetworkStream> OpenSerialAsync(string name)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(Folder, name)));
        return new NetworkStream(socket, ownsSocket: true);
    }

    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        if (Monitor is not null)
            await Monitor.DisposeAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }
}
