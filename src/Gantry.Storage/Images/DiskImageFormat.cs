using System.Buffers.Binary;
using Gantry.Model;

namespace Gantry.Storage.Images;

/// <summary>The formats of disk files that Gantry reads and writes.</summary>
public enum DiskImageFormat
{
    Raw,
    Qcow2,
    Vmdk,
    Vdi,
    Vhdx,

    /// <summary>Virtual PC's, also called VHD.</summary>
    Vpc,
}

/// <summary>
/// Knows a disk file's format by its content. QEMU's own probing is never used on a file from outside: a guest can
/// write any header into a raw disk, and a header can name other files of the host.
/// </summary>
public static class DiskImageFormats
{
    private const int SectorSize = 512;

    /// <summary>QEMU's word for the format.</summary>
    public static string QemuName(this DiskImageFormat format) => format switch
    {
        DiskImageFormat.Raw => "raw",
        DiskImageFormat.Qcow2 => "qcow2",
        DiskImageFormat.Vmdk => "vmdk",
        DiskImageFormat.Vdi => "vdi",
        DiskImageFormat.Vhdx => "vhdx",
        DiskImageFormat.Vpc => "vpc",
    };

    public static bool TryParse(string name, out DiskImageFormat format)
    {
        (var found, format) = name.ToLowerInvariant() switch
        {
            "raw" or "img" => (true, DiskImageFormat.Raw),
            "qcow2" => (true, DiskImageFormat.Qcow2),
            "vmdk" => (true, DiskImageFormat.Vmdk),
            "vdi" => (true, DiskImageFormat.Vdi),
            "vhdx" => (true, DiskImageFormat.Vhdx),
            "vpc" or "vhd" => (true, DiskImageFormat.Vpc),
            _ => (false, default),
        };
        return found;
    }

    /// <summary>The format that the file's first and last bytes show; raw when they show none.</summary>
    public static DiskImageFormat Sniff(Stream file)
    {
        Span<byte> head = stackalloc byte[SectorSize];
        file.Position = 0;
        head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        if (Starts(head, "QFI\u00fb"))
            return DiskImageFormat.Qcow2;
        if (Starts(head, "KDMV") || Starts(head, "COWD") || Starts(head, "# Disk DescriptorFile"))
            return DiskImageFormat.Vmdk;
        if (Starts(head, "vhdxfile"))
            return DiskImageFormat.Vhdx;
        if (head.Length >= 68 && BinaryPrimitives.ReadUInt32LittleEndian(head[64..]) == 0xBEDA107F)
            return DiskImageFormat.Vdi;
        if (Starts(head, "conectix") || HasFooter(file))
            return DiskImageFormat.Vpc;
        return DiskImageFormat.Raw;
    }

    /// <summary>
    /// Checks a disk file from outside before anything else may open it: its content must be of the format that its
    /// name or its user claims, and it must stand alone.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="claimed">What it is said to be; null takes the name's ending, and with none of those what it is.</param>
    /// <exception cref="ProblemException">It is something else, or refers to other files.</exception>
    public static DiskImageFormat CheckForeign(string path, DiskImageFormat? claimed) =>
        ForeignImage.Check(path, claimed).Source.Format;

    private static bool HasFooter(Stream file)
    {
        if (file.Length < 2 * SectorSize)
            return false;
        Span<byte> foot = stackalloc byte[8];
        file.Position = file.Length - SectorSize;
        file.ReadExactly(foot);
        return Starts(foot, "conectix");
    }

    private static bool Starts(ReadOnlySpan<byte> bytes, string latin1)
    {
        if (bytes.Length < latin1.Length)
            return false;
        for (var i = 0; i < latin1.Length; i++)
        {
            if (bytes[i] != latin1[i])
                return false;
        }

        return true;
    }

    internal static string Describe(DiskImageFormat format) =>
        format == DiskImageFormat.Raw ? "none of the formats known by their headers (raw, or damaged)" : format.QemuName();
}
