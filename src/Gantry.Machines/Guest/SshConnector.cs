using System.Net;
using System.Net.Sockets;
using System.Text;
using Gantry.Model;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Gantry.Machines.Guest;

/// <summary>A session that came about, with what the server showed.</summary>
internal sealed record SshSession(SshClient Client, SshHostKey HostKey, string Server);

/// <summary>Makes one attempt to log in, and says what it met.</summary>
internal static class SshConnector
{
    /// <summary>Text from a server goes into messages; it must not fill them.</summary>
    private const int MaxServerText = 200;

    private const int MaxAlgorithms = 2000;

    /// <summary>One attempt: a session, or what stood in its way.</summary>
    /// <param name="silenceLimit">How long an accepted connection may say nothing.</param>
    /// <exception cref="ProblemException">The key can't be read, or neither key nor password make sense.</exception>
    public static async Task<(SshSession? Session, SshObservation Met)> TryAsync(
        SshTarget target, TimeSpan silenceLimit, TimeProvider time, CancellationToken cancellationToken)
    {
        var attempt = new Attempt(target);
        using var silence = new CancellationTokenSource(silenceLimit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        attempt.Client.ServerIdentificationReceived += (_, e) =>
        {
            attempt.Server = Shorten(e.SshIdentification.ToString());
            silence.CancelAfter(Timeout.InfiniteTimeSpan);
        };
        var connected = false;
        var work = Task.Run(() => attempt.Client.ConnectAsync(linked.Token), CancellationToken.None);
        try
        {
            // The library waits for the key exchange without looking at its token.
            await work.WaitAsync(cancellationToken);
            connected = true;
            var hostKey = attempt.HostKey ?? throw new InvalidOperationException("a session without a host key");
            attempt.Client.KeepAliveInterval =
                target.KeepAlive > TimeSpan.Zero ? target.KeepAlive : Timeout.InfiniteTimeSpan;
            return (new SshSession(attempt.Client, hostKey, attempt.Server!),
                new SshObservation.Connected(attempt.Server!));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsAttemptFailure(e))
        {
            return (null, await ClassifyAsync(attempt, e, silence.IsCancellationRequested, time, cancellationToken));
        }
        finally
        {
            if (!connected)
                _ = DisposeLaterAsync(attempt, work);
        }
    }

    private static bool IsAttemptFailure(Exception e) =>
        e is SshException or SocketException or OperationCanceledException or IOException or ObjectDisposedException;

    private static async Task<SshObservation> ClassifyAsync(
        Attempt attempt, Exception e, bool silent, TimeProvider time, CancellationToken cancellationToken)
    {
        var target = attempt.Target;
        if (attempt.Mismatch is { } found)
            return new SshObservation.HostKeyDiffers(target.ExpectedHostKey!, found);
        if (e is SshAuthenticationException)
            return attempt.Refusal(e.Message);
        if (attempt.Server is { } server)
            return new SshObservation.HandshakeFailed(server, HandshakeReason(attempt.Client.ConnectionInfo, e));
        if (silent || e is SshOperationTimeoutException or OperationCanceledException)
        {
            return await AcceptsAsync(target, time, cancellationToken)
                ? new SshObservation.Silent()
                : new SshObservation.Unreachable("no reply");
        }

        return e switch
        {
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => new SshObservation.Refused(),
            SocketException
            {
                SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown
                or SocketError.ConnectionAborted
            } => new SshObservation.Closed(),
            SocketException s when s.Message.Contains("Broken pipe", StringComparison.Ordinal) =>
                new SshObservation.Closed(),
            SocketException s => new SshObservation.Unreachable(Shorten(s.Message)),
            SshConnectionException c when SaidNothing(c) => new SshObservation.Closed(),
            _ => new SshObservation.NotSsh(Shorten(FirstLine(e.Message))),
        };
    }

    /// <summary>The library has no code for a server that closed before it named itself, only this text.</summary>
    private static bool SaidNothing(SshConnectionException e) =>
        e.Message.Contains("closed before", StringComparison.Ordinal);

    /// <summary>Loopback always accepts or refuses; elsewhere a silent attempt may never have been accepted.</summary>
    private static async Task<bool> AcceptsAsync(
        SshTarget target, TimeProvider time, CancellationToken cancellationToken)
    {
        if (target.Host == "localhost" || (IPAddress.TryParse(target.Host, out var ip) && IPAddress.IsLoopback(ip)))
            return true;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1), time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(target.Host, target.Port, linked.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    private static string HandshakeReason(ConnectionInfo info, Exception e)
    {
        var reason = FirstLine(e.Message);
        if (!reason.StartsWith("No matching", StringComparison.Ordinal))
            return Shorten(reason);
        // The library's message lists what the server offers; both sides' lists show what could be made common.
        var ours = reason.Contains("key exchange", StringComparison.Ordinal) ? info.KeyExchangeAlgorithms.Keys
            : reason.Contains("host key", StringComparison.Ordinal) ? info.HostKeyAlgorithms.Keys
            : reason.Contains("encryption", StringComparison.Ordinal) ? info.Encryptions.Keys
            : reason.Contains("MAC", StringComparison.Ordinal) ? info.HmacAlgorithms.Keys
            : info.CompressionAlgorithms.Keys;
        return $"{Shorten(reason, MaxAlgorithms)}; Gantry offers {string.Join(',', ours)}";
    }

    private static string FirstLine(string text) => text.Split('\n', 2)[0].TrimEnd('\r', ':', ' ');

    private static string Shorten(string text, int length = MaxServerText)
    {
        var clean = new StringBuilder();
        foreach (var c in text.Take(length))
            clean.Append(char.IsControl(c) ? ' ' : c);
        return clean.ToString();
    }

    private static async Task DisposeLaterAsync(Attempt attempt, Task work)
    {
        await work.ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _ = work.Exception;
        attempt.Dispose();
    }

    /// <summary>The library's objects for one attempt, and what its events said.</summary>
    private sealed class Attempt : IDisposable
    {
        private readonly AuthenticationMethod[] _methods;

        public Attempt(SshTarget target)
        {
            Target = target;
            _methods = SshCredentials.Methods(target);
            var info = new ConnectionInfo(target.Host, target.Port, target.User, _methods)
            {
                Timeout = target.HandshakeTimeout,
                ChannelCloseTimeout = TimeSpan.FromSeconds(1),
            };
            if (target.ExpectedHostKey?.Type is { } type)
                SshCredentials.OnlyHostKeysOf(info, type);
            Client = new SshClient(info);
            Client.HostKeyReceived += OnHostKey;
        }

        public SshTarget Target { get; }

        public SshClient Client { get; }

        public string? Server { get; set; }

        public SshHostKey? HostKey { get; private set; }

        public SshHostKey? Mismatch { get; private set; }

        public SshObservation.LoginRefused Refusal(string message)
        {
            var offered = _methods.Select(m => m.AllowedAuthentications).FirstOrDefault(a => a is { Length: > 0 });
            var tried = _methods.Where(m => m.AllowedAuthentications is { Length: > 0 }).Select(m => m.Name).ToList();
            // Where none of ours is offered, none is tried, and only the message holds the server's list.
            var open = message.LastIndexOf('(');
            var named = open >= 0 ? message[(open + 1)..].TrimEnd(')', '.', ' ') : message;
            return new SshObservation.LoginRefused(
                Target.User,
                tried.Count > 0 ? string.Join(", ", tried) : "nothing that the server offers",
                Shorten(offered is null
                    ? named.Replace(",", ", ", StringComparison.Ordinal) : string.Join(", ", offered)));
        }

        public void Dispose()
        {
            Client.Dispose();
            foreach (var method in _methods)
                (method as IDisposable)?.Dispose();
        }

        private void OnHostKey(object? sender, HostKeyEventArgs e)
        {
            var found = SshHostKey.FromBlob(e.HostKey);
            HostKey = found;
            e.CanTrust = Target.ExpectedHostKey is null || Target.ExpectedHostKey.Matches(found);
            Mismatch = e.CanTrust ? null : found;
        }
    }
}
