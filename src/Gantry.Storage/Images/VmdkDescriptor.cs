using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Gantry.Model;

namespace Gantry.Storage.Images;

/// <summary>One piece of a VMDK disk that consists of several files.</summary>
/// <param name="FileName">Within the descriptor's folder; no path.</param>
/// <param name="Kind">FLAT, VMFS, SPARSE, VMFSSPARSE or SESPARSE.</param>
/// <param name="Sectors">What it adds to the disk, of 512 bytes.</param>
/// <param name="Offset">Where a FLAT extent begins in its file, in sectors.</param>
public sealed record VmdkExtent(string FileName, string Kind, long Sectors, long Offset);

/// <summary>
/// The text that names a VMDK disk's files (VMware, "Virtual Disk Format 5.0"). QEMU opens whatever files it names,
/// so it is read strictly: a line that is not understood is an error, and so is an extent outside its folder.
/// </summary>
public sealed partial record VmdkDescriptor
{
    public const string Signature = "# Disk DescriptorFile";

    /// <summary>Bytes; a disk of 64 TiB in files of 2 GiB takes half as much.</summary>
    public const int LargestSize = 4 << 20;

    private const int MostExtents = 40_000;

    public required ValueList<VmdkExtent> Extents { get; init; }

    /// <param name="text">The whole descriptor.</param>
    /// <param name="shown">What it is called in errors.</param>
    /// <exception cref="ProblemException">It is damaged, stands on another disk, or names files elsewhere.</exception>
    public static VmdkDescriptor Parse(ReadOnlySpan<byte> text, string shown)
    {
        // What lies behind the first zero is padding, for QEMU too.
        var end = text.IndexOf((byte)0);
        var content = Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
        var extents = new List<VmdkExtent>();
        var lines = content.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (Extent().Match(line) is { Success: true } match)
                extents.Add(ReadExtent(match, shown));
            else
                CheckSetting(line, i + 1, shown);
            if (extents.Count > MostExtents)
                throw Bad(shown, $"names more than {MostExtents} files");
        }

        return extents.Count > 0
            ? new VmdkDescriptor { Extents = [.. extents] }
            : throw Bad(shown, "names no files with the disk's content");
    }

    private static void CheckSetting(string line, int number, string shown)
    {
        if (Setting().Match(line) is not { Success: true } match || line.Any(char.IsControl))
            throw Bad(shown, $"has a line {number} that is not understood: {Cut(line)}");
        if (match.Groups["key"].Value.Equals("parentFileNameHint", StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{shown} is only a layer over another disk ({Cut(match.Groups["value"].Value)}), which an image from "
                + "outside may not be",
                "export the whole disk, without its snapshots");
        }
    }

    private static VmdkExtent ReadExtent(Match match, string shown)
    {
        var name = match.Groups["file"].Value;
        var kind = match.Groups["kind"].Value;
        if (match.Groups["access"].Value != "RW")
            throw Bad(
                shown, $"has an extent with the access {match.Groups["access"].Value}, which QEMU would leave out");
        if (kind is not ("FLAT" or "VMFS" or "SPARSE" or "VMFSSPARSE" or "SESPARSE"))
            throw Bad(shown, $"has an extent of the kind {kind}, which can't be read");
        if (!IsPlainName(name))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{shown} takes content from '{Cut(name)}', and may only take it from files beside it",
                "put the files of the disk into one folder, and name them in the descriptor without a path");
        }

        return long.TryParse(match.Groups["sectors"].ValueSpan, CultureInfo.InvariantCulture, out var sectors)
            && long.TryParse(match.Groups["offset"].ValueSpan is { Length: > 0 } at ? at
                : "0", CultureInfo.InvariantCulture, out var offset)
            && sectors > 0
            ? new VmdkExtent(name, kind, sectors, offset)
            : throw Bad(shown, $"has an extent with an impossible size: {Cut(match.Value)}");
    }

    /// <summary>A name within a folder, which QEMU can't take for a protocol or a path.</summary>
    internal static bool IsPlainName(string name) =>
        name.Length is > 0 and <= 255 && name is not ("." or "..")
        && !name.Any(c => char.IsControl(c) || c is '/' or '\\' or ':' or '\uFFFD');

    private static ProblemException Bad(string shown, string what) =>
        new(ProblemKind.InvalidInput, $"{shown} {what}", "export the disk again, as one file if that is possible");

    private static string Cut(string text) => text.Length > 100 ? text[..100] + "..." : text;

    [GeneratedRegex(
        """\A(?<access>[A-Z]+)[ \t]+(?<sectors>[0-9]{1,18})[ \t]+(?<kind>[A-Z]+)"""
            + """[ \t]+"(?<file>[^"]*)"([ \t]+(?<offset>[0-9]{1,18}))?\z""")]
    private static partial Regex Extent();

    [GeneratedRegex("""\A(?<key>[A-Za-z][A-Za-z0-9_.:-]*)[ \t]*=[ \t]*(?<value>.*)\z""")]
    private static partial Regex Setting();
}
