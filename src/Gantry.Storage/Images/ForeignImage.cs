using System.Buffers.Binary;
using System.Text;
using Gantry.Model;
using Gantry.Storage.Volumes;

namespace Gantry.Storage.Images;

/// <summary>
/// A disk image from outside that was looked into before any other program opened it: its content is of the format that
/// is claimed, and it refers to no file but its own.
/// </summary>
public sealed record ForeignImage
{
    private const int SectorSize = 512;

    /// <summary>
    /// Covers what QEMU reads at a VMDK's beginning: its header, and the descriptor in the sectors after it.
    /// </summary>
    private const int HeadSize = 64 << 10;

    public required DiskImageSource Source { get; init; }

    /// <summary>Every file that holds a part of it, absolute: its own first, then the extents of a VMDK.</summary>
    public required ValueList<string> Files { get; init; }

    /// <summary>Checks a file, or a part of one.</summary>
    /// <param name="path">The file, absolute.</param>
    /// <param name="claimed">What it is said to be; null takes the name's ending, and with none of those what it
    /// is.</param>
    /// <param name="part">Where the image lies in the file; null for all of it.</param>
    /// <param name="name">Its own name, where it lies in another file.</param>
    /// <param name="mayHaveExtents">Whether a VMDK may consist of several files of the same folder.</param>
    /// <exception cref="ProblemException">It is something else, is damaged, or refers to other files.</exception>
    public static ForeignImage Check(
        string path,
        DiskImageFormat? claimed = null,
        FilePart? part = null,
        string? name = null,
        bool mayHaveExtents = false)
    {
        var shown = name ?? path;
        using var file = FilePartStream.Open(path, part);
        var found = DiskImageFormats.Sniff(file);
        var expected = claimed ?? Claim(shown) ?? found;
        if (found != expected)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{shown} is said to be a {expected.QemuName()} image, but its content is "
                    + $"{DiskImageFormats.Describe(found)}",
                found == DiskImageFormat.Raw
                    ? "check that the file is whole, or name it as what it is"
                    : $"use it as format \"{found.QemuName()}\"");
        }

        ValueList<string> files = [path];
        switch (found)
        {
            case DiskImageFormat.Raw:
                CheckRaw(shown, file);
                break;
            case DiskImageFormat.Qcow2:
                CheckQcow2(shown, file);
                break;
            case DiskImageFormat.Vmdk:
                files = CheckVmdk(path, shown, file, mayHaveExtents && part is null);
                break;
            case DiskImageFormat.Vdi:
                CheckVdi(shown, file);
                break;
            case DiskImageFormat.Vpc:
                CheckVpc(shown, file);
                break;
            case DiskImageFormat.Vhdx:
                // QEMU refuses one that has a parent, and nothing else in it names a file.
                break;
        }

        return new ForeignImage
        {
            Source = new DiskImageSource
            {
                Path = path,
                Format = found,
                Part = part,
            },
            Files = files,
        };
    }

    /// <summary>
    /// Names that end in <c>img</c> say only that there is an image: raw ones and qcow2 ones are called so.
    /// </summary>
    private static DiskImageFormat? Claim(string name)
    {
        var extension = Path.GetExtension(name).TrimStart('.');
        return extension is not "img" && DiskImageFormats.TryParse(extension, out var format) ? format : null;
    }

    private static void CheckRaw(string shown, Stream file)
    {
        var head = Head(file, SectorSize);
        if (head.Length == 0)
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{shown} is empty, not a disk image", "check that the file is whole");
        if (Packing(head) is { } packing)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{shown} is packed ({packing}), not a disk image",
                "unpack it and import what is in it");
        }
    }

    /// <summary>How a file is packed, where its first bytes say that no boot sector could begin so.</summary>
    private static string? Packing(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? "gzip"
        : head.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0]) ? "xz"
        : head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "zstd"
        : head.StartsWith("BZh"u8) ? "bzip2"
        : head.StartsWith("PK\u0003\u0004"u8) ? "zip"
        : head.StartsWith((ReadOnlySpan<byte>)[(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C]) ? "7-Zip"
        : head.Length >= 263 && head[257..].StartsWith("ustar"u8) ? "tar"
        : null;

    private static void CheckQcow2(string shown, Stream file)
    {
        var header = Qcow2Header.Read(file) ?? throw new ProblemException(
            ProblemKind.InvalidInput, $"{shown} begins like a qcow2 image, but its header is damaged");
        if (header.Encrypted)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{shown} is encrypted",
                "make it plain first: qemu-img convert --object secret,...");
        }

        if (header.BackingFile is null && !header.ExternalData)
            return;
        throw new ProblemException(
            ProblemKind.InvalidInput,
            header.ExternalData
                ? $"{shown} keeps its data in another file, which an image from outside may not"
                : $"{shown} is only a layer over another file ({header.BackingFile}), which an image from outside "
                    + "may not be",
            $"make it whole first: qemu-img convert -O qcow2 {shown} whole.qcow2");
    }

    private static ValueList<string> CheckVmdk(string path, string shown, Stream file, bool mayHaveExtents)
    {
        var head = Head(file, HeadSize);
        if (!head.AsSpan().StartsWith(Encoding.ASCII.GetBytes(VmdkDescriptor.Signature)))
        {
            CheckSparse(shown, head);
            return [path];
        }

        if (!mayHaveExtents)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{shown} refers to other files, which an image from outside may not",
                "make it whole first: qemu-img convert -O qcow2 "
                + $"{Path.GetFileName(path)} whole.qcow2, or gantry image import on the host that has the files");
        }

        if (file.Length > VmdkDescriptor.LargestSize)
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{shown} has {file.Length} bytes, too many for a VMDK descriptor");
        file.Position = 0;
        var text = new byte[file.Length];
        file.ReadExactly(text);
        var folder = Path.GetDirectoryName(path)!;
        var files = new List<string> { path };
        foreach (var extent in VmdkDescriptor.Parse(text, shown).Extents)
        {
            var part = Path.Combine(folder, extent.FileName);
            CheckExtent(shown, part, extent);
            if (!files.Contains(part))
                files.Add(part);
        }

        return [.. files];
    }

    private static void CheckExtent(string shown, string path, VmdkExtent extent)
    {
        var info = new FileInfo(path);
        if (info.LinkTarget is not null)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{shown} takes content from {path}, which is a link",
                "put the file itself there");
        }

        if (!info.Exists)
        {
            throw new ProblemException(
                ProblemKind.NotFound, $"{shown} takes content from {path}, and there is no such file",
                "put all files of the disk into one folder");
        }

        if (FileFacts.Read(path) is not { IsRegular: true })
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{shown} takes content from {path}, which is no ordinary file");
        var isFlat = extent.Kind is "FLAT" or "VMFS";
        if (isFlat)
        {
            if (info.Length / SectorSize < extent.Offset || info.Length / SectorSize - extent.Offset < extent.Sectors)
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput,
                    $"{path} is cut short: it has {info.Length} bytes, and {shown} takes {extent.Sectors} sectors "
                        + $"from sector {extent.Offset}",
                    "copy the file again");
            }

            return;
        }

        using var file = FilePartStream.Open(path, null);
        var head = Head(file, HeadSize);
        if (extent.Kind == "SESPARSE")
        {
            if (head.Length < 8 || BinaryPrimitives.ReadUInt64LittleEndian(head) != 0xCAFEBABE)
                throw new ProblemException(
                    ProblemKind.InvalidInput, $"{path} is no extent of the kind {extent.Kind}, as {shown} says");
            return;
        }

        CheckSparse(path, head);
    }

    /// <summary>
    /// A sparse extent. With a capacity of 0 QEMU would take the descriptor within it for the disk's, and open what
    /// that names.
    /// </summary>
    private static void CheckSparse(string shown, ReadOnlySpan<byte> head)
    {
        var isHosted = head.StartsWith("KDMV"u8);
        if (!isHosted && !head.StartsWith("COWD"u8))
            throw new ProblemException(ProblemKind.InvalidInput, $"{shown} is no sparse VMDK: its header is damaged");
        if (isHosted && (head.Length < 80 || BinaryPrimitives.ReadUInt64LittleEndian(head[12..]) is 0 or > (1UL << 50)))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{shown} is a VMDK without a capacity of its own, which an image from outside may not be",
                "export the disk again, as one file");
        }

        if (head.IndexOf("parentFileNameHint"u8) >= 0)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{shown} refers to other files, which an image from outside may not: it is a layer over another disk",
                "export the whole disk, without its snapshots");
        }
    }

    private static void CheckVdi(string shown, Stream file)
    {
        var head = Head(file, SectorSize);
        if (head.Length < SectorSize)
            throw new ProblemException(ProblemKind.InvalidInput, $"{shown} is a VDI image that is cut short");
        // 1: grows; 2: fixed; 4: a difference to another image.
        var kind = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(0x4C));
        if (kind is not (1 or 2))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                kind == 4 ? $"{shown} is only a layer over another image, which an image from outside may not be"
                    : $"{shown} is a VDI image of the unknown kind {kind}",
                "export the whole disk, without its snapshots");
        }
    }

    private static void CheckVpc(string shown, Stream file)
    {
        var head = Head(file, SectorSize);
        if (!head.AsSpan().StartsWith("conectix"u8))
        {
            file.Position = file.Length - SectorSize;
            file.ReadExactly(head);
        }

        // 2: fixed; 3: grows; 4: a difference to another image.
        var kind = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(60));
        if (kind is not (2 or 3))
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                kind == 4 ? $"{shown} is only a layer over another image, which an image from outside may not be"
                    : $"{shown} is a VHD image of the unknown kind {kind}",
                "export the whole disk, without its snapshots");
        }
    }

    private static byte[] Head(Stream file, int size)
    {
        var head = new byte[Math.Min(size, file.Length)];
        file.Position = 0;
        file.ReadExactly(head);
        return head;
    }
}
