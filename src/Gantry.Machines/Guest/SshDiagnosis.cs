using System.Globalization;
using System.Text;
using Gantry.Model;

namespace Gantry.Machines.Guest;

/// <summary>Keeps what the attempts met, in order, and says in the end why nobody could log in.</summary>
internal sealed class SshDiagnosis
{
    /// <summary>A guest that flaps must not make the report long.</summary>
    private const int MaxEpisodes = 12;

    private readonly List<Episode> _episodes = [];

    public SshObservation? Last => _episodes.Count > 0 ? _episodes[^1].What : null;

    /// <summary>How many attempts in a row, up to now, met what the last one met.</summary>
    public int Repeats => _episodes.Count > 0 ? _episodes[^1].Count : 0;

    /// <summary>Takes one observation; true when it differs from the one before it.</summary>
    public bool Add(SshObservation what, TimeSpan at)
    {
        if (Last == what)
        {
            _episodes[^1] = _episodes[^1] with { Count = _episodes[^1].Count + 1, End = at };
            return false;
        }

        if (_episodes.Count == MaxEpisodes)
            _episodes.RemoveAt(1);
        _episodes.Add(new Episode(what, at, at, 1));
        return true;
    }

    public ProblemException ToProblem(SshTarget? target, TimeSpan waited)
    {
        var last = Last ?? new SshObservation.NoAddress();
        var port = target?.Port ?? 22;
        var at = target is null ? "the guest" : $"{target.Host}:{target.Port}";
        return new ProblemException(
            last is SshObservation.LoginRefused or SshObservation.HostKeyDiffers or SshObservation.HandshakeFailed
                ? ProblemKind.Failed
                : ProblemKind.TimedOut,
            $"SSH did not answer within {Seconds(waited)}: {Describe(last, at, port)}",
            Remedy(last),
            History());
    }

    /// <summary>One clause that says what was met, for a log line or the end of a sentence.</summary>
    public static string Describe(SshObservation what, string at, int port) => what switch
    {
        SshObservation.NoAddress => "the guest has no address yet",
        SshObservation.Unreachable u => $"{at} can't be reached ({u.Reason})",
        SshObservation.Refused => $"{at} refuses connections, the port is closed",
        SshObservation.Silent =>
            $"{at} accepts connections but stays silent: nothing listens on the guest's SSH port yet, or the guest "
                + "has no network",
        SshObservation.Closed =>
            $"{at} accepts connections and closes them at once: nothing listens on the guest's SSH port yet",
        SshObservation.NotSsh n => $"what listens on {at} is no SSH server ({n.Reason})",
        SshObservation.HandshakeFailed h => $"the SSH handshake with {at} ({h.Server}) failed: {h.Reason}",
        SshObservation.HostKeyDiffers k =>
            $"{at} shows another host key than expected: expected {k.Expected}, found {k.Found}",
        SshObservation.LoginRefused l =>
            $"{at} refused to log in '{l.User}' (tried: {l.Tried}; the server offers: {l.Offered})",
        SshObservation.Connected c => $"logged in at {at} ({c.Server})",
        _ => throw new InvalidOperationException($"no words for {what.GetType().Name}"),
    };

    private static string Remedy(SshObservation what) => what switch
    {
        SshObservation.NoAddress => "look at the guest's screen and at its network settings",
        SshObservation.Unreachable or SshObservation.Refused =>
            "check that the machine runs and that the port is the one that leads to its SSH server",
        SshObservation.Silent or SshObservation.Closed =>
            "look at the guest's screen: it may still be installing or booting, wait at a prompt, lack an SSH server, "
                + "or have its network down",
        SshObservation.NotSsh => "check the port number",
        SshObservation.HandshakeFailed =>
            "the guest's SSH server may be too old, or be restarting; see its log in the guest",
        SshObservation.HostKeyDiffers =>
            "another machine may answer on this address; if the guest was reinstalled, forget its old key",
        SshObservation.LoginRefused =>
            "check user and password or key, and that the installation made them (sshd's PasswordAuthentication and "
                + "PermitRootLogin matter too)",
        SshObservation.Connected => "",
        _ => "",
    };

    private string History()
    {
        if (_episodes.Count < 2)
            return "";
        var text = new StringBuilder("what the attempts met:");
        foreach (var episode in _episodes)
        {
            text.Append('\n').Append(CultureInfo.InvariantCulture, $"  {Seconds(episode.Start)} to ");
            text.Append(CultureInfo.InvariantCulture, $"{Seconds(episode.End)} ({episode.Count} x): ");
            text.Append(Describe(episode.What, "the port", 0));
        }

        return text.ToString();
    }

    private static string Seconds(TimeSpan time) =>
        time.TotalSeconds.ToString(time.TotalSeconds < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + " s";

    private sealed record Episode(SshObservation What, TimeSpan Start, TimeSpan End, int Count);
}
