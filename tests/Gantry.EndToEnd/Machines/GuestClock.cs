using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gantry.EndToEnd.Machines;

/// <summary>
/// How far a guest's clock is from the host's. The guest connects to a port of the host and says its time whenever it is
/// asked, so it was read between two moments of the host's that are only a packet's way apart.
/// </summary>
internal sealed class GuestClock : IDisposable
{
    private const int Rounds = 10;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public GuestClock() => _listener.Start();

    /// <summary>
    /// Has the guest connect; it ends when enough was asked. busybox: its date tells whole seconds only, its adjtimex
    /// microseconds.
    /// </summary>
    public string Command => string.Create(
        CultureInfo.InvariantCulture,
        $"/root/tell-time.sh {((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Writes the scripts of <see cref="Command"/>.</summary>
    public static string Install =>
        "printf '#!/bin/sh\\nwhile read ask; do busybox adjtimex | grep time.tv_; done\\n' > /root/answer-time.sh; "
        + "printf '#!/bin/sh\\nexec busybox nc 10.0.2.2 $1 -e /root/answer-time.sh\\n' > /root/tell-time.sh; chmod 755 /root/*-time.sh";

    /// <summary>
    /// The least and the greatest that the guest's clock may be ahead of the host's: the truth lies between them.
    /// </summary>
    public async Task<(TimeSpan Least, TimeSpan Greatest)> MeasureAsync(CancellationToken cancellationToken)
    {
        using var client = await _listener.AcceptTcpClientAsync(cancellationToken);
        using var reader = new StreamReader(client.GetStream());
        (TimeSpan Least, TimeSpan Greatest) best = (TimeSpan.MinValue, TimeSpan.MaxValue);
        for (var i = 0; i < Rounds; i++)
        {
            var before = TimeProvider.System.GetUtcNow();
            await client.GetStream().WriteAsync("\n"u8.ToArray(), cancellationToken);
            var seconds = await NumberAsync(reader, "time.tv_sec:", cancellationToken);
            var microseconds = await NumberAsync(reader, "time.tv_usec:", cancellationToken);
            var after = TimeProvider.System.GetUtcNow();
            var guest = DateTimeOffset.UnixEpoch.AddSeconds(seconds).AddMicroseconds(microseconds);
            if (i == 0 || after - before < best.Greatest - best.Least)
                best = (guest - after, guest - before);
        }

        return best;
    }

    /// <summary>Measures, and fails where the guest's clock is, or may be, more than a second from the host's.</summary>
    /// <param name="telling">What runs <see cref="Command"/> in the guest.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async Task AssertWithinASecondAsync(Task telling, CancellationToken cancellationToken)
    {
        var measuring = MeasureAsync(cancellationToken);
        if (await Task.WhenAny(measuring, telling) == telling)
            await telling; // its failure is the better error
        var (least, greatest) = await measuring.WaitAsync(TimeSpan.FromSeconds(10), cancellationToken);
        Assert.InRange(least, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(1));
        Assert.InRange(greatest, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(1));
    }

    public void Dispose() => _listener.Dispose();

    private static async Task<long> NumberAsync(StreamReader reader, string label, CancellationToken cancellationToken)
    {
        var line = await reader.ReadLineAsync(cancellationToken) ?? throw new EndOfStreamException("the guest told no time");
        Assert.StartsWith(label, line.Trim(), StringComparison.Ordinal);
        return long.Parse(line.Trim()[label.Length..], CultureInfo.InvariantCulture);
    }
}
