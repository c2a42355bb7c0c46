using System.Runtime.CompilerServices;

namespace Gantry.Agent.Consoles;

/// <summary>Reads the end of a file that another program appends to.</summary>
internal static class LogTail
{
    private const int Block = 64 * 1024;

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    /// <param name="path">The file; where it is not there yet it has no bytes.</param>
    /// <param name="lines">How many lines of its end come first.</param>
    /// <param name="isGrowing">Null to end there; otherwise it goes on until this says no and all was read.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Pieces, each good until the next.</returns>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        string path, int lines, Func<bool>? isGrowing, TimeProvider time,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[Block];
        var position = -1L;
        while (true)
        {
            var isLast = isGrowing is null || !isGrowing();
            await using (var file = TryOpen(path))
            {
                if (file is not null)
                {
                    if (position < 0)
                        position = await StartAsync(file, lines, buffer, cancellationToken).ConfigureAwait(false);
                    // Shorter than what was read: it was cut to its bound.
                    if (file.Length < position)
                        position = 0;
                    file.Position = position;
                    int count;
                    while ((count = await file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
                    {
                        position += count;
                        yield return buffer.AsMemory(0, count);
                    }
                }
                else
                {
                    position = 0;
                }
            }

            if (isLast)
                yield break;
            await Task.Delay(LookInterval, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0,
                FileOptions.Asynchronous);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // The machine is just starting, or was never started.
            return null;
        }
    }

    /// <summary>Where the last lines begin, the last of which may be open.</summary>
    private static async Task<long> StartAsync(
        FileStream file, int lines, byte[] buffer, CancellationToken cancellationToken)
    {
        var end = file.Length;
        if (lines == 0)
            return end;
        var found = 0;
        for (var block = end; block > 0;)
        {
            var length = (int)Math.Min(Block, block);
            block -= length;
            file.Position = block;
            length = await file.ReadAtLeastAsync(
                buffer.AsMemory(0, length), length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            for (var i = length - 1; i >= 0; i--)
            {
                // The line end at the very end ends the last line, and begins none.
                if (buffer[i] == '\n' && block + i + 1 < end && ++found == lines)
                    return block + i + 1;
            }
        }

        return 0;
    }
}
