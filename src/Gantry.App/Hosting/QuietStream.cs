using Gantry.Storage;

namespace Gantry.App.Hosting;

/// <summary>
/// A stream for what a person reads: where it can't be written any more (the terminal is gone, the disk is full), the
/// rest is dropped, so that what a command does or takes back goes on to its end.
/// </summary>
internal sealed class QuietStream(Stream inner) : WriteOnlyStream
{
    /// <summary>Why writing failed; null while it did not.</summary>
    public IOException? Failure { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Failure is not null)
            return;
        try
        {
            inner.Write(buffer);
        }
        catch (IOException e)
        {
            Failure = e;
        }
    }

    public override void Flush()
    {
        if (Failure is null)
            inner.Flush();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
