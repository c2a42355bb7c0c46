using System.Buffers.Text;
using System.IO.Compression;
using System.Text;

namespace Gantry.Storage.Media;

/// <summary>One entry of a cpio archive; its node's content is in memory.</summary>
public sealed record CpioEntry(string Path, MediaNode Node);

/// <summary>
/// Reads "newc" archives (070701, 070702), one or several behind each other, each plain or in gzip, as the kernel
/// accepts them for an initramfs. Other compressions are a format error that names them.
/// </summary>
public static class CpioReader
{
    private const int MaxPath = 4096;

    /// <summary>All entries in order; an entry may come again and then replaces the earlier one.</summary>
    /// <param name="limit">Most bytes of unpacked archive that are read; more is a format error.</param>
    /// <exception cref="CpioFormatException">No such archive, or damaged.</exception>
    public static IEnumerable<CpioEntry> Read(Stream input, long limit = 1L << 30)
    {
        using var source = new Source(input, limit);
        bool any = false;
        while (source.SkipZeros() is { } first)
        {
            any = true;
            if (first == 0x1F)
            {
                // A gzip member ends inside the stream: the rest belongs to the next archive.
                source.Unzip();
                continue;
            }
            if (ReadEntry(source) is { } entry) yield return entry;
        }
        if (!any) throw new CpioFormatException("expected a cpio archive, found nothing but zeros");
    }

    private static CpioEntry? ReadEntry(Source source)
    {
        long start = source.Position;
        byte[] header = source.Take(CpioWriter.HeaderSize, "an entry's header");
        string magic = Encoding.Latin1.GetString(header, 0, 6);
        if (magic is not (CpioWriter.Magic or "070702"))
            throw new CpioFormatException($"expected a cpio header (070701) at byte {start}, found {Describe(header)}");
        uint length = Field(header, 6, start), nameLength = Field(header, 11, start);
        if (nameLength is 0 or > MaxPath)
            throw new CpioFormatException(
                $"the entry at byte {start} has a name of {nameLength} bytes, expected 1 to {MaxPath}");
        string path = Encoding.UTF8.GetString(source.Take((int)nameLength, "a name")).TrimEnd('\0');
        source.Align(start);
        if (path == CpioWriter.Trailer) return null;
        if (length > int.MaxValue - 64)
            throw new CpioFormatException($"'{path}' has {length} bytes, too many to read here");
        byte[] content = source.Take((int)length, $"the content of '{path}'");
        source.Align(start);
        return new CpioEntry(path, Node(header, content, path, start));
    }

    private static MediaNode Node(byte[] header, byte[] content, string path, long start)
    {
        uint mode = Field(header, 1, start);
        uint major = Field(header, 9, start), minor = Field(header, 10, start);
        var permissions = (UnixFileMode)(mode & 0xFFF);
        MediaNode node = (mode & MediaModes.TypeMask) switch
        {
            MediaModes.TypeFile => new MediaNode.File(MediaContent.FromBytes(content)) { Permissions = permissions },
            MediaModes.TypeDirectory => new MediaNode.Directory { Permissions = permissions },
            MediaModes.TypeSymlink =>
                new MediaNode.Symlink(Encoding.UTF8.GetString(content)) { Permissions = permissions },
            MediaModes.TypeCharacter =>
                new MediaNode.Device(MediaDeviceKind.Character, major, minor) { Permissions = permissions },
            MediaModes.TypeBlock =>
                new MediaNode.Device(MediaDeviceKind.Block, major, minor) { Permissions = permissions },
            _ => throw new CpioFormatException(
                $"'{path}' has the mode {mode:X}, expected that of a file, folder, link or device"),
        };
        return node with
        {
            Uid = Field(header, 2, start),
            Gid = Field(header, 3, start),
            ModifiedAt = DateTimeOffset.FromUnixTimeSeconds(Field(header, 5, start)),
        };
    }

    private static uint Field(byte[] header, int index, long start)
    {
        ReadOnlySpan<byte> digits = header.AsSpan(6 + 8 * index, 8);
        if (Utf8Parser.TryParse(digits, out uint value, out int used, 'X') && used == 8) return value;
        throw new CpioFormatException(
            $"the entry at byte {start} has '{Encoding.Latin1.GetString(digits)}' where 8 hexadecimal digits were "
            + "expected");
    }

    private static string Describe(byte[] bytes) => bytes switch
    {
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd data; unpack it first",
        [0xFD, 0x37, 0x7A, 0x58, ..] => "xz data; unpack it first",
        [0x04, 0x22, 0x4D, 0x18, ..] or [0x02, 0x21, 0x4C, 0x18, ..] => "lz4 data; unpack it first",
        [0x42, 0x5A, 0x68, ..] => "bzip2 data; unpack it first",
        [0xC7, 0x71, ..] or [0x71, 0xC7, ..] => "an old binary cpio; make it with -H newc",
        [0x30, 0x37, 0x30, 0x37, 0x30, 0x37, ..] => "an old ASCII cpio (070707); make it with -H newc",
        _ => Convert.ToHexString(bytes, 0, 6),
    };

    /// <summary>The unpacked bytes, with one byte of look-ahead and positions for padding and messages.</summary>
    private sealed class Source : IDisposable
    {
        private readonly Stream _raw;
        private readonly long _limit;
        private Stream _input;
        private int _peeked = -1;

        public Source(Stream input, long limit)
        {
            _limit = limit;
            // Behind a gzip member the raw stream must be set back to the member's end.
            _raw = input.CanSeek ? new BufferedStream(input, 1 << 16) : Copy(input, limit);
            _input = _raw;
        }

        public long Position { get; private set; }

        /// <summary>The caller's stream stays open.</summary>
        public void Dispose()
        {
            if (_input != _raw) _input.Dispose();
        }

        /// <summary>
        /// The first byte that is not zero, left in place; null at the end. Archives are padded with zeros.
        /// </summary>
        public int? SkipZeros()
        {
            while (true)
            {
                int next = Next();
                if (next < 0)
                {
                    if (_input == _raw) return null;
                    LeaveGzip();
                    continue;
                }
                if (next == 0) continue;
                _peeked = next;
                Position--;
                return next;
            }
        }

        public byte[] Take(int count, string what)
        {
            if (Position + count > _limit)
                throw new CpioFormatException($"the archive is larger than the allowed {_limit} bytes");
            // A length is only believed as far as bytes really come.
            using var bytes = new MemoryStream();
            byte[] buffer = new byte[Math.Min(count, 1 << 16)];
            while (bytes.Length < count)
            {
                int wanted = (int)Math.Min(buffer.Length, count - bytes.Length);
                int got = Read(buffer.AsSpan(0, wanted));
                if (got == 0)
                    throw new CpioFormatException(
                        $"the archive ends at byte {Position}, {count - bytes.Length} bytes short of {what}: it is "
                        + "truncated");
                bytes.Write(buffer, 0, got);
            }
            return bytes.ToArray();
        }

        /// <summary>Headers, names and contents are padded to four bytes.</summary>
        public void Align(long start)
        {
            while ((Position - start) % 4 != 0 && Next() >= 0)
            {
            }
        }

        /// <summary>Goes on inside the gzip member that starts at the byte seen by <see cref="SkipZeros"/>.</summary>
        public void Unzip()
        {
            if (_input != _raw)
                throw new CpioFormatException("found gzip data inside gzip data, expected a cpio header");
            _raw.Seek(-1, SeekOrigin.Current);
            _peeked = -1;
            _input = new GZipStream(new SingleBytes(_raw), CompressionMode.Decompress);
        }

        // GZipStream takes a byte behind a member to see whether another member follows, unless there is none.
        private void LeaveGzip()
        {
            bool tookOne = ((GZipStream)_input).BaseStream is SingleBytes { AtEnd: false };
            _input.Dispose();
            _input = _raw;
            if (tookOne) _raw.Seek(-1, SeekOrigin.Current);
        }

        private static MemoryStream Copy(Stream input, long limit)
        {
            var copy = new MemoryStream();
            byte[] buffer = new byte[1 << 16];
            for (int got; (got = input.Read(buffer)) > 0;)
            {
                if (copy.Length + got > limit)
                    throw new CpioFormatException($"the archive is larger than the allowed {limit} bytes");
                copy.Write(buffer, 0, got);
            }
            copy.Position = 0;
            return copy;
        }

        private int Next()
        {
            Span<byte> one = stackalloc byte[1];
            return Read(one) == 0 ? -1 : one[0];
        }

        private int Read(Span<byte> target)
        {
            if (target.Length == 0) return 0;
            int got = 1;
            if (_peeked >= 0)
            {
                target[0] = (byte)_peeked;
                _peeked = -1;
            }
            else
            {
                got = ReadInput(target);
            }
            Position += got;
            return got;
        }

        private int ReadInput(Span<byte> target)
        {
            try
            {
                return _input.Read(target);
            }
            catch (InvalidDataException error)
            {
                throw new CpioFormatException($"the archive's gzip data is damaged: {error.Message}", error);
            }
        }
    }

    /// <summary>
    /// Hands out single bytes, so that a decompressor does not read ahead into what is behind its data. That costs
    /// about 0.1 µs a byte.
    /// </summary>
    private sealed class SingleBytes(Stream inner) : ReadOnlyStream
    {
        /// <summary>A read has found the end.</summary>
        public bool AtEnd { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            int got = inner.Read(buffer[..Math.Min(1, buffer.Length)]);
            AtEnd = got == 0;
            return got;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    }
}
