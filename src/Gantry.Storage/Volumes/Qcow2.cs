using System.Buffers.Binary;
using System.Text;
using Gantry.Model;
using Gantry.Model.Volumes;

namespace Gantry.Storage.Volumes;

/// <summary>What the head of a qcow2 file says of it (QEMU's docs/interop/qcow2.txt).</summary>
public sealed record Qcow2Header
{
    public const uint Magic = 0x514649FB; // "QFI\xfb"

    private const int LongestBackingName = 1023;

    /// <summary>Bytes that the guest sees.</summary>
    public required long VirtualSize { get; init; }

    /// <summary>
    /// The backing file's name as stored; null for none. Never to be opened unless it is one of ours.
    /// </summary>
    public string? BackingFile { get; init; }

    /// <summary>The guest's data lies in another file that the image names (incompatible feature bit 2).</summary>
    public bool ExternalData { get; init; }

    public bool Encrypted { get; init; }

    /// <summary>Internal snapshots, as QEMU's <c>savevm</c> makes them.</summary>
    public int Snapshots { get; init; }

    /// <summary>Reads the head of <paramref name="file"/>; null when it is no qcow2 image of version 2 or 3.</summary>
    public static Qcow2Header? Read(Stream file)
    {
        Span<byte> head = stackalloc byte[104];
        file.Position = 0;
        if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < 72)
            return null;
        var version = BinaryPrimitives.ReadUInt32BigEndian(head[4..]);
        if (BinaryPrimitives.ReadUInt32BigEndian(head) != Magic || version is not (2 or 3))
            return null;
        var backingOffset = BinaryPrimitives.ReadInt64BigEndian(head[8..]);
        var backingLength = BinaryPrimitives.ReadInt32BigEndian(head[16..]);
        string? backing = null;
        if (backingOffset != 0)
        {
            if (backingLength is < 1 or > LongestBackingName || backingOffset < 0 || backingOffset > file.Length - backingLength)
                return null;
            Span<byte> name = stackalloc byte[backingLength];
            file.Position = backingOffset;
            file.ReadExactly(name);
            backing = Encoding.UTF8.GetString(name);
        }

        return new Qcow2Header
        {
            VirtualSize = BinaryPrimitives.ReadInt64BigEndian(head[24..]),
            BackingFile = backing,
            Encrypted = BinaryPrimitives.ReadUInt32BigEndian(head[32..]) != 0,
            Snapshots = BinaryPrimitives.ReadInt32BigEndian(head[60..]),
            ExternalData = version == 3 && (BinaryPrimitives.ReadUInt64BigEndian(head[72..]) & 4) != 0,
        };
    }
}

/// <summary>
/// Writes empty qcow2 images itself, because a start or a clone should not have to wait for another program
/// (<c>qemu-img create</c> takes 20 to 30 ms, this takes under one).
/// </summary>
public static class Qcow2Writer
{
    private const int ClusterBits = 16;
    private const int ClusterSize = 1 << ClusterBits;
    private const int HeaderLength = 104;
    private const uint BackingFormatExtension = 0xE2792ACA;

    /// <summary>Bytes of guest data behind one entry of the first-level table: 8192 clusters of 64 KiB.</summary>
    private const long BytesPerL1Entry = (long)ClusterSize * (ClusterSize / 8);

    /// <summary>32 TiB: the first-level table then fills 8 clusters, and one refcount block still covers all.</summary>
    public const long LargestSize = 32L << 40;

    /// <summary>
    /// Creates <paramref name="path"/> (which must not exist) as an empty image of <paramref name="virtualSize"/> bytes,
    /// over <paramref name="backingFile"/> when one is named: relative names are relative to the image's folder.
    /// </summary>
    public static void CreateEmpty(
        string path, long virtualSize, string? backingFile = null, VolumeFormat backingFormat = VolumeFormat.Qcow2)
    {
        if (virtualSize is <= 0 or > LargestSize)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"a disk of {virtualSize} bytes can't be made",
                $"give a size from 1 byte to {LargestSize >> 40} TiB");
        }

        virtualSize = (virtualSize + 511) / 512 * 512; // QEMU counts whole sectors, and would cut off the last one
        var entries = (int)((virtualSize + BytesPerL1Entry - 1) / BytesPerL1Entry);
        var l1Clusters = (entries * 8 + ClusterSize - 1) / ClusterSize;
        var clusters = 3 + l1Clusters; // header, refcount table, refcount block, first-level table
        var head = new byte[3 * ClusterSize];
        WriteHeader(head, virtualSize, entries, backingFile, backingFormat);
        BinaryPrimitives.WriteUInt64BigEndian(head.AsSpan(ClusterSize), 2 * ClusterSize);
        for (var i = 0; i < clusters; i++)
            BinaryPrimitives.WriteUInt16BigEndian(head.AsSpan(2 * ClusterSize + 2 * i), 1);

        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        file.Write(head);
        file.SetLength((long)clusters * ClusterSize);
    }

    private static void WriteHeader(
        Span<byte> head, long virtualSize, int l1Entries, string? backingFile, VolumeFormat backingFormat)
    {
        BinaryPrimitives.WriteUInt32BigEndian(head, Qcow2Header.Magic);
        BinaryPrimitives.WriteUInt32BigEndian(head[4..], 3);
        BinaryPrimitives.WriteUInt32BigEndian(head[20..], ClusterBits);
        BinaryPrimitives.WriteInt64BigEndian(head[24..], virtualSize);
        BinaryPrimitives.WriteInt32BigEndian(head[36..], l1Entries);
        BinaryPrimitives.WriteInt64BigEndian(head[40..], 3L * ClusterSize);
        BinaryPrimitives.WriteInt64BigEndian(head[48..], ClusterSize);
        BinaryPrimitives.WriteInt32BigEndian(head[56..], 1);
        BinaryPrimitives.WriteInt32BigEndian(head[96..], 4); // refcounts of 16 bits
        BinaryPrimitives.WriteInt32BigEndian(head[100..], HeaderLength);
        if (backingFile is null)
            return;

        var format = Encoding.ASCII.GetBytes(backingFormat == VolumeFormat.Qcow2 ? "qcow2" : "raw");
        var at = HeaderLength;
        BinaryPrimitives.WriteUInt32BigEndian(head[at..], BackingFormatExtension);
        BinaryPrimitives.WriteInt32BigEndian(head[(at + 4)..], format.Length);
        format.CopyTo(head[(at + 8)..]);
        at += 8 + 8 + 8; // the extension's data is padded to 8 bytes; an extension of type 0 and length 0 ends the list
        var name = Encoding.UTF8.GetBytes(backingFile);
        name.CopyTo(head[at..]);
        BinaryPrimitives.WriteInt64BigEndian(head[8..], at);
        BinaryPrimitives.WriteInt32BigEndian(head[16..], name.Length);
    }
}
