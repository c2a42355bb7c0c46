using System.Net.Sockets;

namespace Gantry.Machines.Guest;

/// <summary>What came of listening on connections that have said nothing themselves.</summary>
internal enum KnockAnswer
{
    /// <summary>Something sent data: there is somebody to talk to.</summary>
    Data,

    /// <summary>A connection was refused, closed or failed.</summary>
    End,

    /// <summary>A connection was accepted, and then nothing.</summary>
    Silence,

    /// <summary>Nothing at all.</summary>
    NoReply,
}

/// <summary>
/// Finds out when a guest's SSH server begins to answer. QEMU's user-mode network accepts at once, and hands the
/// connection to a guest that was not up yet only at the next of its own ever longer intervals: so a new connection is
/// made again and again, while one older is left open for a server that is slow to name itself. Never more than two.
/// </summary>
internal sealed class SshKnock(SshTarget target, TimeProvider time) : IDisposable
{
    /// <summary>How many silence limits a connection is left open at most.</summary>
    public const int MostPatience = 32;

    // A server that takes longer than one silence limit is heard soon, and one that takes very long is heard at last.
    private int _patience = 4;
    private Connection? _older;

    /// <summary>Where to.</summary>
    public SshTarget Target => target;

    /// <summary>Listens for a silence limit, or until something is heard.</summary>
    public async Task<KnockAnswer> ListenAsync(CancellationToken cancellationToken)
    {
        if (_older is not null && time.GetElapsedTime(_older.Began) > target.SilenceLimit * _patience)
        {
            _patience = Math.Min(2 * _patience, MostPatience);
            Forget();
        }

        var newer = new Connection(target, time.GetTimestamp());
        var keep = false;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            var silence = Task.Delay(target.SilenceLimit, time, limit.Token);
            var first = await Task.WhenAny([newer.Answer, .. _older is null ? [] : (Task[])[_older.Answer], silence]);
            cancellationToken.ThrowIfCancellationRequested();
            if (first != silence)
            {
                var answer = await (Task<KnockAnswer>)first;
                Forget();
                return answer;
            }

            keep = _older is null;
            return newer.Accepted ? KnockAnswer.Silence : KnockAnswer.NoReply;
        }
        finally
        {
            await limit.CancelAsync();
            if (keep)
                _older = newer;
            else
                newer.Dispose();
        }
    }

    public void Dispose() => Forget();

    private void Forget()
    {
        _older?.Dispose();
        _older = null;
    }

    private sealed class Connection : IDisposable
    {
        private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);

        public Connection(SshTarget target, long began)
        {
            Began = began;
            Answer = ListenAsync(target);
        }

        /// <summary>A timestamp.</summary>
        public long Began { get; }

        public bool Accepted { get; private set; }

        public Task<KnockAnswer> Answer { get; }

        public void Dispose() => _socket.Dispose();

        private async Task<KnockAnswer> ListenAsync(SshTarget target)
        {
            try
            {
                await _socket.ConnectAsync(target.Host, target.Port);
                Accepted = true;
                var count = await _socket.ReceiveAsync(new byte[1], SocketFlags.None);
                return count > 0 ? KnockAnswer.Data : KnockAnswer.End;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return KnockAnswer.End;
            }
        }
    }
}
