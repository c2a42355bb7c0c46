using System.Net.Sockets;
using Gantry.Agent.Consoles;
using Gantry.Model;

namespace Gantry.Agent.Tests.Consoles;

/// <summary>A serial line as QEMU offers one: a socket for one client, and a log of all that was said.</summary>
internal sealed class FakeSerialPort : ISerialPort, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-serial-");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly List<byte> _log = [];
    private Socket? _client;

    public FakeSerialPort()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder.FullName, "serial.sock")));
        _listener.Listen(1);
    }

    /// <summary>How often somebody connected.</summary>
    public int Connections { get; private set; }

    /// <summary>Said between the connection and the reading of the log.</summary>
    public byte[] SaidMeanwhile { get; set; } = [];

    /// <summary>What is in the way of connecting.</summary>
    public Problem? Problem { get; set; }

    public bool IsConnected => _client is not null && !(_client.Poll(0, SelectMode.SelectRead) && _client.Available == 0);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        if (Problem is not null)
            throw new ProblemException(Problem);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(_listener.LocalEndPoint!, cancellationToken);
        _client = await _listener.AcceptAsync(cancellationToken);
        Connections++;
        await SayAsync(SaidMeanwhile);
        return socket;
    }

    public byte[] ReadLog(int most)
    {
        lock (_log)
            return [.. _log.TakeLast(most)];
    }

    /// <summary>As the guest does: to who is connected, and to the log.</summary>
    public async Task SayAsync(ReadOnlyMemory<byte> bytes)
    {
        for (var rest = bytes; _client is not null && rest.Length > 0;)
            rest = rest[await _client.SendAsync(rest, Token)..];
        lock (_log)
            _log.AddRange(bytes.Span);
    }

    /// <summary>What was typed: exactly so many bytes.</summary>
    public async Task<byte[]> TypedAsync(int length)
    {
        await using var stream = new NetworkStream(_client!);
        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, Token);
        return bytes;
    }

    /// <summary>As when QEMU ends, and the machine is started again: a new log, and nobody is connected.</summary>
    public void Restart()
    {
        _client!.Dispose();
        _client = null;
        lock (_log)
            _log.Clear();
    }

    public void Dispose()
    {
        _client?.Dispose();
        _listener.Dispose();
        _folder.Delete(recursive: true);
    }
}
