using System.Runtime.InteropServices;

namespace Gantry.Storage;

/// <summary>
/// What identifies a file's content to this host without reading it. The base library tells neither a file's number
/// nor pipes from regular files; Linux' statx does, in a layout that is the same on every architecture.
/// </summary>
public readonly partial record struct FileFacts(
    bool IsRegular, long Size, ulong Inode, ulong Device, long ModifiedNanoseconds)
{
    private const int AtFdCwd = -100;
    private const uint BasicStats = 0x7FF;
    private const int TypeMask = 0xF000;
    private const int RegularType = 0x8000;

    /// <summary>Reads a file's facts through links; null when there is none or it can't be reached.</summary>
    public static FileFacts? Read(string path) =>
        Statx(AtFdCwd, path, 0, BasicStats, out var buffer) == 0
            ? new FileFacts(
                (buffer.Mode & TypeMask) == RegularType,
                (long)buffer.Size,
                buffer.Inode,
                ((ulong)buffer.DeviceMajor << 32) | buffer.DeviceMinor,
                (buffer.ModifiedSeconds * 1_000_000_000) + buffer.ModifiedNanoseconds)
            : null;

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out StatxBuffer buffer);

    /// <summary>struct statx of linux/stat.h, 256 bytes; only what is read here is named.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxBuffer
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(112)]
        public long ModifiedSeconds;

        [FieldOffset(120)]
        public uint ModifiedNanoseconds;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}
