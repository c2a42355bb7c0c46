using System.Text;

namespace Gantry.Storage.Media;

/// <summary>What the System Use entries (SUSP, Rock Ridge) of one directory record say.</summary>
internal sealed class SystemUse
{
    // A name of 255 bytes and a link of 4095 need three continuations; Linux stops at 32 too.
    private const int MaxContinuations = 32;
    private const int MaxName = 1024;
    private const int MaxTarget = 8192;

    private readonly List<byte> _name = [];
    private readonly List<byte> _target = [];
    private bool _nameSeen;
    private bool _componentContinues;

    public string? Name => _nameSeen ? Encoding.UTF8.GetString([.. _name]) : null;

    public string? LinkTarget => _target.Count == 0 ? null : Encoding.UTF8.GetString([.. _target]);

    public uint? Mode { get; private set; }

    public uint Uid { get; private set; }

    public uint Gid { get; private set; }

    public DateTimeOffset? ModifiedAt { get; private set; }

    /// <summary>Sector of a folder that was moved elsewhere.</summary>
    public uint? ChildLink { get; private set; }

    /// <summary>A folder shown at its true place through another record's <see cref="ChildLink"/>.</summary>
    public bool Relocated { get; private set; }

    private uint DeviceHigh { get; set; }

    private uint DeviceLow { get; set; }

    public static SystemUse Parse(IsoImage image, ReadOnlySpan<byte> bytes, int skip)
    {
        var use = new SystemUse();
        if (skip >= bytes.Length) return use;
        (uint Sector, uint Offset, uint Length)? next = use.ParseArea(bytes[skip..]);
        for (int hops = 0; next is { } area; hops++)
        {
            if (hops == MaxContinuations)
                throw new IsoFormatException(
                    $"a record has more than {MaxContinuations} continuations: the image is damaged");
            if (area.Length > IsoConstants.SectorSize || area.Offset > IsoConstants.SectorSize)
                throw new IsoFormatException(
                    $"a continuation claims {area.Length} bytes at {area.Offset}, expected at most "
                    + $"{IsoConstants.SectorSize}");
            long at = (long)area.Sector * IsoConstants.SectorSize + area.Offset;
            next = use.ParseArea(image.Read(at, (int)area.Length, "a record's continuation"));
        }
        return use;
    }

    public (MediaDeviceKind, uint, uint)? DeviceNumbers()
    {
        MediaDeviceKind kind;
        if ((Mode & MediaModes.TypeMask) == MediaModes.TypeCharacter) kind = MediaDeviceKind.Character;
        else if ((Mode & MediaModes.TypeMask) == MediaModes.TypeBlock) kind = MediaDeviceKind.Block;
        else return null;
        // RRIP 4.1.2: either both halves, or all 32 bits in the low one.
        bool combined = DeviceHigh == 0 && DeviceLow > 0xFF;
        return combined ? (kind, DeviceLow >> 8, DeviceLow & 0xFF) : (kind, DeviceHigh, DeviceLow);
    }

    private (uint, uint, uint)? ParseArea(ReadOnlySpan<byte> area)
    {
        (uint, uint, uint)? next = null;
        while (area.Length >= 4)
        {
            int length = area[2];
            // Padding; a record may end in a byte or in garbage of another extension.
            if (length < 4 || length > area.Length) break;
            ReadOnlySpan<byte> entry = area[..length];
            string signature = Encoding.Latin1.GetString(entry[..2]);
            if (signature == "ST") break;
            if (signature == "CE" && length >= IsoConstants.ContinuationEntry)
                next = (IsoImage.U32(entry, 4), IsoImage.U32(entry, 12), IsoImage.U32(entry, 20));
            else
                Take(signature, entry);
            area = area[length..];
        }
        return next;
    }

    private void Take(string signature, ReadOnlySpan<byte> entry)
    {
        switch (signature)
        {
            case "PX" when entry.Length >= 36:
                Mode = IsoImage.U32(entry, 4);
                Uid = IsoImage.U32(entry, 20);
                Gid = IsoImage.U32(entry, 28);
                break;
            case "PN" when entry.Length >= 20:
                DeviceHigh = IsoImage.U32(entry, 4);
                DeviceLow = IsoImage.U32(entry, 12);
                break;
            case "NM" when entry.Length >= 5:
                TakeName(entry);
                break;
            case "SL" when entry.Length >= 5:
                TakeLink(entry[5..]);
                break;
            case "TF" when entry.Length >= 5:
                TakeTimes(entry);
                break;
            case "CL" when entry.Length >= 12:
                ChildLink = IsoImage.U32(entry, 4);
                break;
            case "RE":
                Relocated = true;
                break;
        }
    }

    private void TakeName(ReadOnlySpan<byte> entry)
    {
        const byte Current = 2, Parent = 4;
        // "." and ".." have their own flags and no text.
        if ((entry[4] & (Current | Parent)) != 0) return;
        if (_name.Count + entry.Length > MaxName)
            throw new IsoFormatException($"a name is longer than {MaxName} bytes");
        _name.AddRange(entry[5..]);
        _nameSeen = true;
    }

    private void TakeLink(ReadOnlySpan<byte> components)
    {
        const byte Continues = 1, Current = 2, Parent = 4, Root = 8;
        while (components.Length >= 2)
        {
            byte flags = components[0];
            int length = Math.Min(components[1], components.Length - 2);
            if (!_componentContinues && _target.Count > 0 && _target[^1] != '/') _target.Add((byte)'/');
            if ((flags & Root) != 0 && _target.Count == 0) _target.Add((byte)'/');
            if ((flags & Current) != 0) _target.Add((byte)'.');
            if ((flags & Parent) != 0) _target.AddRange(".."u8);
            _target.AddRange(components.Slice(2, length));
            if (_target.Count > MaxTarget)
                throw new IsoFormatException($"a link's target is longer than {MaxTarget} bytes");
            _componentContinues = (flags & Continues) != 0;
            components = components[(2 + length)..];
        }
    }

    private void TakeTimes(ReadOnlySpan<byte> entry)
    {
        const byte Creation = 1, Modify = 2, LongForm = 0x80;
        if ((entry[4] & Modify) == 0 || (entry[4] & LongForm) != 0) return;
        int at = 5 + ((entry[4] & Creation) != 0 ? 7 : 0);
        if (at + 7 <= entry.Length) ModifiedAt = IsoDirectoryParser.Time(entry[at..]);
    }
}
