namespace Gantry.Steps.Journals;

/// <summary>How large a journal may become.</summary>
public static class JournalLimits
{
    /// <summary>Most bytes of a line on the way forward, which holds a context.</summary>
    public const int MaxLineBytes = 256 * 1024;

    /// <summary>Most bytes of a journal.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>
    /// What is kept for the way back, both of <see cref="MaxBytes"/> and of the disk: 100 steps of two short lines,
    /// and errors of 1,024 characters, which JSON may write with six bytes each.
    /// </summary>
    public const int WayBackBytes = 48 * 1024;

    /// <summary>An adopted journal above this is rewritten as short as it can be.</summary>
    public const int LargeBytes = 1024 * 1024;

    internal static void CheckForward(JournalRecord record, long line, long length)
    {
        if (record.IsWayBack)
            return;
        if (line > MaxLineBytes)
        {
            throw new JournalException(
                $"The job's context is too large for a journal: a line of {line} bytes, the limit is {MaxLineBytes}.");
        }

        if (length + line > MaxBytes - WayBackBytes)
        {
            throw new JournalException(
                $"The job's journal would have {length + line} bytes, the limit is {MaxBytes - WayBackBytes}.");
        }
    }
}
