using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gantry.Model;
using Gantry.Storage.Processes;

namespace Gantry.Storage.Images;

/// <summary>
/// Copies and converts disk images with QEMU's own tool. Every call names the format of every file, so that nothing is
/// probed.
/// </summary>
public sealed partial class QemuImg(string program = "qemu-img")
{
    private const string Package = "qemu-utils";

    /// <summary>
    /// Writes the content of an image (with whatever lies beneath it, when <paramref name="sourceOptions"/> says so)
    /// as a new file that stands alone, or over <paramref name="backing"/>.
    /// The target appears under its own name only when it is whole.
    /// </summary>
    /// <param name="source">The image to read.</param>
    /// <param name="sourceFormat">Its format.</param>
    /// <param name="target">A name that does not exist yet.</param>
    /// <param name="targetFormat">The new file's format.</param>
    /// <param name="progress">Told the part done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the copy and takes the half-made file away.</param>
    /// <param name="compress">Compress clusters (qcow2, vmdk): smaller, and slower to write.</param>
    /// <param name="backing">A file to lay the result over; what is equal there is left out.</param>
    public Task ConvertAsync(
        string source,
        DiskImageFormat sourceFormat,
        string target,
        DiskImageFormat targetFormat,
        Action<double>? progress,
        CancellationToken cancellationToken,
        bool compress = false,
        string? backing = null) =>
        ConvertAsync(
            new DiskImageSource
            {
                Path = source,
                Format = sourceFormat,
            },
            target,
            new DiskImageTarget
            {
                Format = targetFormat,
                Compress = compress,
                Backing = backing,
            },
            progress,
            cancellationToken);

    /// <summary>
    /// Writes the content of an image as a new file, which appears under its own name only when it is whole.
    /// </summary>
    /// <param name="source">The image to read.</param>
    /// <param name="path">A name that does not exist yet.</param>
    /// <param name="target">What the new file is to be.</param>
    /// <param name="progress">Told the part done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the copy and takes the half-made file away.</param>
    public async Task ConvertAsync(
        DiskImageSource source,
        string path,
        DiskImageTarget target,
        Action<double>? progress,
        CancellationToken cancellationToken)
    {
        var partial = path + ".part";
        List<string> arguments = ["convert", "-p", "-O", target.Format.QemuName()];
        if (target.Options is { } options)
            arguments.AddRange(["-o", options]);
        if (target.Compress)
            arguments.Add("-c");
        if (target.Backing is { } backing)
            arguments.AddRange(["-B", backing, "-F", "qcow2"]);
        // Out-of-order writes are safe for a file that nobody reads yet, and gain most of what there is to gain: more
        // coroutines (-m) and other cache modes (-t, -T) made a copy of 2 GiB no quicker, O_DIRECT slower.
        if (target.Format is DiskImageFormat.Raw or DiskImageFormat.Qcow2)
            arguments.Add("-W");
        arguments.AddRange(source.Arguments());
        arguments.Add(partial);
        try
        {
            await RunAsync(arguments, $"copy {source.Path}", progress, cancellationToken).ConfigureAwait(false);
            File.Move(partial, path);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>
    /// Makes <paramref name="image"/> stand over <paramref name="backing"/> (or alone, when null) with its content
    /// unchanged: what lay between is copied into it first. Interrupted, the image still holds its old content.
    /// </summary>
    public Task RebaseAsync(string image, string? backing, Action<double>? progress, CancellationToken cancellationToken)
    {
        List<string> arguments = ["rebase", "-p", "-f", "qcow2", "-b", backing ?? ""];
        if (backing is not null)
            arguments.AddRange(["-F", "qcow2"]);
        arguments.AddRange(["--", image]);
        return RunAsync(arguments, $"rebase {image}", progress, cancellationToken);
    }

    /// <summary>Sets only the name in the header; the caller has made sure that the contents agree.</summary>
    /// <param name="image">The image.</param>
    /// <param name="backing">The new name; null for none.</param>
    /// <param name="cancellationToken">Stops.</param>
    public Task RenameBackingAsync(string image, string? backing, CancellationToken cancellationToken)
    {
        List<string> arguments = ["rebase", "-u", "-f", "qcow2", "-b", backing ?? ""];
        if (backing is not null)
            arguments.AddRange(["-F", "qcow2"]);
        arguments.AddRange(["--", image]);
        return RunAsync(arguments, $"rename the backing file of {image}", null, cancellationToken);
    }

    /// <summary>Grows an image that nobody has open.</summary>
    public Task ResizeAsync(string image, DiskImageFormat format, long bytes, CancellationToken cancellationToken) =>
        RunAsync(
            ["resize", "-f", format.QemuName(), "--", image, bytes.ToString(CultureInfo.InvariantCulture)],
            $"resize {image}",
            null,
            cancellationToken);

    /// <summary>Bytes that the guest sees in a file of the given format.</summary>
    public Task<long> VirtualSizeAsync(string image, DiskImageFormat format, CancellationToken cancellationToken) =>
        VirtualSizeAsync(
            new DiskImageSource
            {
                Path = image,
                Format = format,
            },
            cancellationToken);

    /// <summary>Bytes that the guest sees.</summary>
    public async Task<long> VirtualSizeAsync(DiskImageSource image, CancellationToken cancellationToken)
    {
        var result = await RunAsync(
            ["info", "-U", "--output=json", .. image.Arguments()], $"read {image.Path}", null, cancellationToken)
            .ConfigureAwait(false);
        return Number(result, "virtual-size", $"the size of {image.Path}");
    }

    /// <summary>Bytes that a copy as qcow2 takes at most; counts what is allocated and reads none of it.</summary>
    public async Task<long> CopySizeAsync(DiskImageSource image, CancellationToken cancellationToken)
    {
        var result = await RunAsync(
            ["measure", "-U", "-O", "qcow2", "--output=json", .. image.Arguments()], $"measure {image.Path}", null,
            cancellationToken)
            .ConfigureAwait(false);
        return Number(result, "required", $"the size of a copy of {image.Path}");
    }

    /// <summary>A member of the document itself: what lies deeper says the same of other files.</summary>
    private static long Number(HostProgramResult result, string member, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(result.Output);
            if (document.RootElement.TryGetProperty(member, out var value) && value.TryGetInt64(out var number))
                return number;
        }
        catch (JsonException)
        {
            // Said below, with what was written instead.
        }

        throw new ProblemException(ProblemKind.Failed, $"qemu-img says nothing of {what}", detail: result.Output);
    }

    private async Task<HostProgramResult> RunAsync(
        List<string> arguments, string what, Action<double>? progress, CancellationToken cancellationToken)
    {
        var tail = "";
        void OnOutput(string piece)
        {
            // qemu-img -p writes "    (12.34/100%)\r", in pieces that may be cut anywhere.
            tail = (tail + piece)[^Math.Min(tail.Length + piece.Length, 64)..];
            var matches = Percent().Matches(tail);
            if (matches.Count > 0)
                progress!(double.Parse(matches[^1].Groups[1].ValueSpan, CultureInfo.InvariantCulture) / 100);
        }

        var result = await HostProgram.RunAsync(
            program, arguments, Package, cancellationToken, progress is null ? null : OnOutput).ConfigureAwait(false);
        if (result.ExitCode == 0)
            return result;
        throw Failure(what, result.Error);
    }

    /// <summary>What qemu-img's words for a failure mean.</summary>
    internal static ProblemException Failure(string what, string error)
    {
        if (error.Contains("No space left", StringComparison.Ordinal))
        {
            return new ProblemException(
                ProblemKind.Unavailable, $"the disk is full: could not {what}",
                "free some space (gantry build cache prune helps) and try again", error.Trim());
        }

        return Locked().IsMatch(error)
            ? new ProblemException(
                ProblemKind.InUse, $"could not {what}: another process has the image open",
                "stop the machine or the qemu-img that uses it", error.Trim())
            : new ProblemException(ProblemKind.Failed, $"could not {what}", detail: error.Trim());
    }

    [GeneratedRegex("Failed to get .*lock|Is another process using the image")]
    private static partial Regex Locked();

    [GeneratedRegex(@"\(([0-9.]+)/100%\)")]
    private static partial Regex Percent();
}

/// <summary>What a copy of an image is to be.</summary>
public sealed record DiskImageTarget
{
    public required DiskImageFormat Format { get; init; }

    /// <summary>Compress clusters (qcow2, vmdk): smaller, and slower to write.</summary>
    public bool Compress { get; init; }

    /// <summary>A file to lay the result over; what is equal there is left out.</summary>
    public string? Backing { get; init; }

    /// <summary>The format's own options, as qemu-img takes them: <c>subformat=streamOptimized</c>.</summary>
    public string? Options { get; init; }
}
