using System.Net.Sockets;
using System.Text;

namespace Gantry.EndToEnd.Engines;

/// <summary>Speaks to <see cref="SmallLinux"/>'s init on the serial console.</summary>
internal sealed class SerialShell : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly StringBuilder _text = new();
    private readonly string _log;

    private SerialShell(string log) => _log = log;

    public static async Task<SerialShell> OpenAsync(string socket, string log)
    {
        var shell = new SerialShell(log);
        await shell._socket.ConnectAsync(new UnixDomainSocketEndPoint(socket));
        return shell;
    }

    /// <summary>Waits for init; what it said before the connection is in the log only.</summary>
    public async Task ReadyAsync()
    {
        if (!(await File.ReadAllTextAsync(_log)).Contains("GUEST-READY", StringComparison.Ordinal))
            await UntilAsync("GUEST-READY");
        await RunAsync("true");
    }

    /// <summary>Runs a line and gives what it printed; fails when its code is not 0.</summary>
    public async Task<string> RunAsync(string line)
    {
        await _socket.SendAsync(Encoding.ASCII.GetBytes(line + "\n"));
        var said = await UntilAsync("DONE:");
        var code = await UntilAsync("\n");
        Assert.True(code.Trim() == "0", $"'{line}' ended with {code.Trim()}: {said}");
        return said.ReplaceLineEndings("\n").Trim();
    }

    private async Task<string> UntilAsync(string mark)
    {
        using var deadline = new CancellationTokenSource(Patience);
        var buffer = new byte[4096];
        while (true)
        {
            var text = _text.ToString();
            var at = text.IndexOf(mark, StringComparison.Ordinal);
            if (at >= 0)
            {
                _text.Remove(0, at + mark.Length);
                return text[..at];
            }
            int count;
            try
            {
                count = await _socket.ReceiveAsync(buffer, deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"the guest did not say '{mark}'; so far: {text}");
            }
            if (count == 0)
                throw new IOException($"the console closed before '{mark}'; so far: {text}");
            _text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
    }

    public void Dispose() => _socket.Dispose();
}
