using System.Formats.Tar;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Gantry.Model;

namespace Gantry.Machines.Guest;

/// <summary>
/// Copies files through the guest's shell. It needs <c>cat</c>, <c>wc</c>, <c>chmod</c> and <c>mkdir</c>, and for
/// folders <c>tar</c>; busybox' are enough.
/// </summary>
internal sealed class ShellFiles(GuestShell shell)
{
    /// <summary>The scripts' own code for: a folder is where a file should be.</summary>
    private const int IsAFolder = 71;

    private const int NoTar = 72;

    public async Task UploadAsync(
        Stream content, UploadDestination destination, TransferOptions options, CancellationToken cancellationToken)
    {
        var (path, name) = destination;
        var script = new StringBuilder($"p={ShellText.Quote(path)}; ");
        if (name is not null)
        {
            // The path with a slash at its end need not be there yet.
            if (path.EndsWith('/'))
                script.Append("mkdir -p \"$p\" && ");
            script.Append(
                CultureInfo.InvariantCulture, $"if [ -d \"$p\" ]; then p=\"${{p%/}}\"/{ShellText.Quote(name)}; fi; ");
        }

        script.Append(CultureInfo.InvariantCulture, $"if [ -d \"$p\" ]; then exit {IsAFolder}; fi; ");
        if (options.Mode is { } mode)
        {
            // Never readable by more than in the end, not even while it is written.
            script.Append(CultureInfo.InvariantCulture, $"umask {Octal(~mode & (UnixFileMode)0x3F)}; ");
            script.Append(CultureInfo.InvariantCulture, $"cat > \"$p\" && chmod {Octal(mode)} \"$p\" && wc -c < \"$p\"");
        }
        else
        {
            script.Append("cat > \"$p\" && wc -c < \"$p\"");
        }

        await using var counted = new CountingStream(content, options.Progress);
        var output = await RunAsync(script.ToString(), counted, $"write {path}", cancellationToken);
        if (!long.TryParse(output.Trim(), CultureInfo.InvariantCulture, out var written) || written != counted.Count)
        {
            throw new ProblemException(
                ProblemKind.Failed,
                $"{path} in the guest is not what was sent: {counted.Count} bytes were sent, it has "
                    + (output.Trim().Length > 0 ? $"'{Cut(output.Trim())}'" : "none"),
                "see whether the guest's disk is full");
        }
    }

    public async Task UploadFolderAsync(
        IReadOnlyList<LocalEntry> entries, string remote, TransferOptions options, CancellationToken cancellationToken)
    {
        var path = remote.Length == 0 ? "/" : remote;
        var script = $"p={ShellText.Quote(path)}; mkdir -p \"$p\" || exit 1; "
            + $"command -v tar >/dev/null || exit {NoTar}; tar -xpf - -C \"$p\"";
        var pipe = new Pipe();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var packing = PackAsync(entries, options, pipe.Writer, stop.Token);
        await using var packed = pipe.Reader.AsStream();
        var (status, _, error) = await ExecuteAsync(script, packed, null, cancellationToken);
        await pipe.Reader.CompleteAsync();
        await stop.CancelAsync();
        await IgnoreBrokenPipeAsync(packing, status.IsSuccess);
        if (status is ExitStatus.Exited { Code: NoTar })
            await UploadEachAsync(entries, path, options, cancellationToken);
        else if (!status.IsSuccess)
            throw Failure($"unpack into {path}", status, error);
    }

    public async Task DownloadAsync(
        string path, Stream destination, TransferOptions options, CancellationToken cancellationToken)
    {
        var script = $"p={ShellText.Quote(path)}; if [ -d \"$p\" ]; then exit {IsAFolder}; fi; "
            + "wc -c < \"$p\" && cat < \"$p\"";
        var sink = new SizedSink(destination, options.Progress);
        var (status, _, error) = await ExecuteAsync(script, null, sink.Write, cancellationToken);
        if (!status.IsSuccess)
            throw Failure($"read {path}", status, error);
        if (sink.Announced is null || sink.Received < sink.Announced)
        {
            throw new ProblemException(
                ProblemKind.Failed,
                $"{path} came from the guest incomplete: {sink.Received} bytes of "
                    + (sink.Announced?.ToString(CultureInfo.InvariantCulture) ?? "an unknown number"),
                "see that the account's start-up files (.profile, .bashrc) print nothing");
        }
    }

    public async Task<bool> IsFolderAsync(string path, CancellationToken cancellationToken)
    {
        var quoted = ShellText.Quote(path);
        var script = $"if [ -d {quoted} ]; then echo folder; elif [ -e {quoted} ]; then echo file; else echo none; fi";
        var answer = await RunAsync(script, null, $"look at {path}", cancellationToken);
        return answer.Trim() switch
        {
            "folder" => true,
            "file" => false,
            "none" => throw new ProblemException(
                ProblemKind.NotFound, $"there is no file or folder {path} in the guest", "check the path"),
            var other => throw new ProblemException(
                ProblemKind.Failed, $"could not look at {path} in the guest: its shell answered '{Cut(other)}'"),
        };
    }

    public async Task DownloadFolderAsync(
        string remote, string local, TransferOptions options, CancellationToken cancellationToken)
    {
        var script = $"command -v tar >/dev/null || exit {NoTar}; tar -cf - -C {ShellText.Quote(remote)} .";
        var pipe = new Pipe();
        await using var packed = pipe.Reader.AsStream();
        var unpacking = UnpackAsync(packed, local, pipe, options, cancellationToken);
        var (status, _, error) = await ExecuteAsync(
            script,
            null,
            bytes =>
            {
                bytes.CopyTo(pipe.Writer.GetSpan(bytes.Length));
                pipe.Writer.Advance(bytes.Length);
                // Waits while the unpacking is behind; this thread has nothing else to do.
                pipe.Writer.FlushAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
            },
            cancellationToken);
        await pipe.Writer.CompleteAsync();
        if (!status.IsSuccess)
        {
            await IgnoreBrokenPipeAsync(unpacking, rethrow: false);
            throw status is ExitStatus.Exited { Code: NoTar }
                ? new ProblemException(
                    ProblemKind.Unavailable, $"the guest has no tar to pack {remote} with", "copy single files")
                : Failure($"pack {remote}", status, error);
        }

        await unpacking;
    }

    private static async Task PackAsync(
        IReadOnlyList<LocalEntry> entries, TransferOptions options, PipeWriter writer, CancellationToken cancellationToken)
    {
        Exception? failure = null;
        try
        {
            await using var counted = new CountingStream(writer.AsStream(leaveOpen: true), options.Progress);
            // GNU's format: busybox reads its long names, and skips those of the newer one.
            await using var archive = new TarWriter(counted, TarEntryFormat.Gnu, leaveOpen: true);
            foreach (var entry in entries)
            {
                await using var content = entry.IsFolder
                    ? null
                    : new FileStream(entry.FullPath, FileMode.Open, FileAccess.Read, FileShare.Read, 1, true);
                var type = entry.IsFolder ? TarEntryType.Directory : TarEntryType.RegularFile;
                var tarEntry = new GnuTarEntry(type, entry.Name)
                {
                    Mode = entry.IsFolder ? entry.Mode : options.Mode ?? entry.Mode,
                    ModificationTime = entry.ModifiedUtc,
                };
                if (content is not null)
                    tarEntry.DataStream = content;
                await archive.WriteEntryAsync(tarEntry, cancellationToken);
            }
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            await writer.CompleteAsync(failure);
        }
    }

    private static async Task UnpackAsync(
        Stream packed, string local, Pipe pipe, TransferOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await using var counted = new CountingStream(packed, options.Progress);
            await TarFolder.ExtractAsync(counted, local, cancellationToken);
            // The padding behind the archive's end would otherwise stop the guest's tar.
            await packed.CopyToAsync(Stream.Null, cancellationToken);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
        }
    }

    private async Task UploadEachAsync(
        IReadOnlyList<LocalEntry> entries, string remote, TransferOptions options, CancellationToken cancellationToken)
    {
        foreach (var entry in entries)
        {
            var path = GuestFiles.Join(remote, entry.Name);
            if (entry.IsFolder)
            {
                await RunAsync($"mkdir -p {ShellText.Quote(path)}", null, $"make {path}", cancellationToken);
                continue;
            }

            await using var content = new FileStream(
                entry.FullPath, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous);
            var itsOptions = options with { Mode = options.Mode ?? entry.Mode };
            await UploadAsync(content, new UploadDestination(path, null), itsOptions, cancellationToken);
        }
    }

    private async Task<string> RunAsync(string script, Stream? input, string what, CancellationToken cancellationToken)
    {
        var (status, output, error) = await ExecuteAsync(script, input, null, cancellationToken);
        return status.IsSuccess ? output : throw Failure(what, status, error);
    }

    private async Task<(ExitStatus Status, string Output, string Error)> ExecuteAsync(
        string script, Stream? input, ByteSink? onOutput, CancellationToken cancellationToken)
    {
        const int MaxKept = 64 * 1024;
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var status = await shell.ExecuteRawAsync(
            script, input, onOutput ?? (bytes => Keep(output, bytes)), bytes => Keep(error, bytes), cancellationToken);
        return (status, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));

        static void Keep(MemoryStream kept, ReadOnlySpan<byte> bytes) =>
            kept.Write(bytes[..(int)Math.Min(bytes.Length, MaxKept - kept.Length)]);
    }

    private static ProblemException Failure(string what, ExitStatus status, string error) => status switch
    {
        ExitStatus.Exited { Code: IsAFolder } => new ProblemException(
            ProblemKind.InvalidInput, $"could not {what} in the guest: it is a folder", "name a file in it"),
        ExitStatus.Disconnected lost => new ProblemException(
            ProblemKind.Unavailable, $"could not {what} in the guest: the connection was lost ({lost.Reason})"),
        _ => new ProblemException(
            ProblemKind.Failed,
            $"could not {what} in the guest: " + (error.Trim().Length > 0 ? Cut(error.Trim()) : status.ToString())),
    };

    private static async Task IgnoreBrokenPipeAsync(Task work, bool rethrow)
    {
        try
        {
            await work;
        }
        catch (Exception e) when (!rethrow && e is IOException or OperationCanceledException or InvalidOperationException
            or InvalidDataException)
        {
            // The other side's failure made this one, and is what gets told.
        }
    }

    private static string Octal(UnixFileMode mode) => "0" + Convert.ToString((int)mode & 0xFFF, 8);

    private static string Cut(string text) => text.Length <= 500 ? text : text[..500] + "...";
}
