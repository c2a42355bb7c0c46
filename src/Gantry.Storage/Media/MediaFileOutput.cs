namespace Gantry.Storage.Media;

/// <summary>
/// Writes a medium to a temporary name beside the target and renames it when it is whole, so that the target is
/// either the old file or the whole new one, and a failed or cancelled write leaves nothing behind.
/// </summary>
internal static class MediaFileOutput
{
    // errno values of Linux; .NET hands them on as HResult.
    private const int NoSpace = 28;
    private const int OverQuota = 122;
    private const int FileTooBig = 27;

    private static int _counter;

    public static Task WriteAsync(
        string path,
        long size,
        Func<Stream, CancellationToken, Task> write,
        CancellationToken cancellation,
        Func<string, long?>? freeSpace = null)
    {
        return ReplaceAsync(
            path,
            size,
            async (temporary, cancel) =>
            {
                var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 18, true);
                await using (file.ConfigureAwait(false))
                {
                    await write(file, cancel).ConfigureAwait(false);
                }
            },
            cancellation,
            freeSpace);
    }

    /// <summary>As the other, for a writer that makes the file itself; there is none of the name it is given.</summary>
    public static async Task ReplaceAsync(
        string path,
        long size,
        Func<string, CancellationToken, Task> make,
        CancellationToken cancellation,
        Func<string, long?>? freeSpace = null)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full)
            ?? throw new MediaException($"'{path}' is a folder, expected the name of a file to write");
        if (Directory.Exists(full))
            throw new MediaException($"'{path}' is a folder, expected the name of a file to write");
        if (!Directory.Exists(folder))
            throw new MediaException($"cannot write '{path}': there is no folder '{folder}'");
        long? free = (freeSpace ?? FreeSpace)(folder);
        if (free < size) throw new MediaSpaceException(full, size, free);

        string temporary = $"{full}.{Environment.ProcessId}-{Interlocked.Increment(ref _counter)}.partial";
        try
        {
            File.Delete(temporary);
            await make(temporary, cancellation).ConfigureAwait(false);
            File.Move(temporary, full, overwrite: true);
        }
        catch (IOException error) when (error.HResult is NoSpace or OverQuota)
        {
            throw new MediaSpaceException(full, size, null, error);
        }
        catch (IOException error) when (error.HResult is FileTooBig)
        {
            throw new MediaException(
                $"'{full}' needs {size} bytes, more than the file system or a limit allows", error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new MediaException($"cannot write '{full}': {error.Message}", error);
        }
        finally
        {
            // After the rename there is nothing under this name, and Delete is silent about that.
            File.Delete(temporary);
        }
    }

    private static long? FreeSpace(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Not every file system answers; the write itself will tell.
            return null;
        }
    }
}

/// <summary>Counts the bytes on their way to a sequential output, reports them, and pads.</summary>
internal sealed class ProgressStream(Stream inner, long total, IProgress<MediaProgress>? progress) : Stream
{
    private const long ReportEvery = 1 << 20;
    private static readonly byte[] Zeros = new byte[1 << 16];
    private long _reported;

    public long Done { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => Done; set => throw new NotSupportedException(); }

    /// <summary>Writes zeros up to an absolute position; it is a bug in the layout if that lies behind.</summary>
    public async Task PadToAsync(long position, CancellationToken cancellation)
    {
        if (position < Done) throw new InvalidOperationException($"layout overlap: at {Done}, asked for {position}");
        while (Done < position)
        {
            int count = (int)Math.Min(Zeros.Length, position - Done);
            await WriteAsync(Zeros.AsMemory(0, count), cancellation).ConfigureAwait(false);
        }
    }

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        Count(buffer.Length);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count)
    {
        inner.Write(buffer, offset, count);
        Count(count);
    }

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Count(int bytes)
    {
        Done += bytes;
        if (Done == _reported || (Done - _reported < ReportEvery && Done != total)) return;
        _reported = Done;
        progress?.Report(new MediaProgress(Done, total));
    }
}
