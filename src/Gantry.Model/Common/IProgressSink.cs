namespace Gantry.Model;

/// <summary>
/// Where a long operation says what it is doing. Calls are cheap, may come from any thread and never fail; what is
/// shown of them, and how often, is the receiver's business. Text may come from a guest: the receiver cleans it.
/// </summary>
public interface IProgressSink
{
    /// <summary>What happens from now on, in words for a person and without a full stop: <c>Installing Debian</c>.
    /// It ends the activity before it, and with it that activity's amount and guest line.</summary>
    void Activity(string what);

    /// <summary>How much of the current activity is done. <paramref name="unit"/> is <c>bytes</c>, which is shown in
    /// KiB, MiB and so on with a rate, <c>percent</c>, or a plural noun for things that are counted: <c>files</c>.</summary>
    void Amount(long done, long? total, string unit);

    /// <summary>The guest's newest line of output; only the last one matters.</summary>
    void GuestLine(string line);

    /// <summary>Something worth keeping on the screen, such as a warning or a result.</summary>
    void Note(string line);
}

/// <summary>For operations that nobody watches.</summary>
public sealed class NoProgress : IProgressSink
{
    public static NoProgress Instance { get; } = new();

    public void Activity(string what)
    {
    }

    public void Amount(long done, long? total, string unit)
    {
    }

    public void GuestLine(string line)
    {
    }

    public void Note(string line)
    {
    }
}
