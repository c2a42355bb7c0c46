using System.Text;

namespace Gantry.Storage.Media;

/// <summary>
/// Writes the System Use entries (SUSP 1.12, RRIP 1.09) of directory records. Every method gives a list of whole
/// entries; <see cref="ContinuationArea"/> moves what does not fit into the record.
/// </summary>
internal static class RockRidge
{
    private const int MaxEntry = 255;

    // RRIP 4.1.3.1: bits of a symbolic link's component.
    private const byte ComponentContinues = 1, ComponentCurrent = 2, ComponentParent = 4, ComponentRoot = 8;

    /// <summary>
    /// For a folder's "." and ".." records; the image root's "." also announces SUSP and the extension.
    /// </summary>
    public static List<byte[]> ForSelf(IsoItem directory, DateTimeOffset time, bool announce)
    {
        var entries = new List<byte[]>();
        if (announce) entries.Add([(byte)'S', (byte)'P', 7, 1, 0xBE, 0xEF, 0]);
        entries.Add(Posix(directory));
        entries.Add(Times(directory, time));
        if (announce) entries.Add(ExtensionReference());
        return entries;
    }

    public static List<byte[]> ForChild(IsoItem item, DateTimeOffset time)
    {
        var entries = new List<byte[]> { Posix(item), Times(item, time) };
        if (item.Node is MediaNode.Device device) entries.Add(DeviceNumber(device));
        AddName(entries, Encoding.UTF8.GetBytes(item.Name));
        if (item.Node is MediaNode.Symlink link) AddLink(entries, link.Target);
        return entries;
    }

    private static byte[] Entry(string signature, int length)
    {
        byte[] entry = new byte[length];
        entry[0] = (byte)signature[0];
        entry[1] = (byte)signature[1];
        entry[2] = (byte)length;
        entry[3] = 1;
        return entry;
    }

    private static byte[] Posix(IsoItem item)
    {
        byte[] entry = Entry("PX", 36);
        int links = item.IsDirectory ? 2 + item.Children.Count(child => child.IsDirectory) : 1;
        IsoBytes.Both32(entry.AsSpan(4), MediaModes.Full(item.Node));
        IsoBytes.Both32(entry.AsSpan(12), (uint)links);
        IsoBytes.Both32(entry.AsSpan(20), item.Node.Uid);
        IsoBytes.Both32(entry.AsSpan(28), item.Node.Gid);
        return entry;
    }

    private static byte[] Times(IsoItem item, DateTimeOffset time)
    {
        const byte ModifyAccessAttributes = 0x0E;
        byte[] entry = Entry("TF", 26);
        entry[4] = ModifyAccessAttributes;
        for (int i = 0; i < 3; i++) IsoBytes.ShortTime(entry.AsSpan(5 + 7 * i), item.Node.ModifiedAt ?? time);
        return entry;
    }

    private static byte[] DeviceNumber(MediaNode.Device device)
    {
        byte[] entry = Entry("PN", 20);
        IsoBytes.Both32(entry.AsSpan(4), device.Major);
        IsoBytes.Both32(entry.AsSpan(12), device.Minor);
        return entry;
    }

    private static byte[] ExtensionReference()
    {
        const string Id = "RRIP_1991A";
        const string Descriptor = "ROCK RIDGE INTERCHANGE PROTOCOL: POSIX FILE SYSTEM SEMANTICS";
        byte[] entry = Entry("ER", 8 + Id.Length + Descriptor.Length);
        entry[4] = (byte)Id.Length;
        entry[5] = (byte)Descriptor.Length;
        entry[7] = 1;
        Encoding.ASCII.GetBytes(Id + Descriptor, entry.AsSpan(8));
        return entry;
    }

    private static void AddName(List<byte[]> entries, ReadOnlySpan<byte> name)
    {
        while (true)
        {
            int length = Math.Min(name.Length, MaxEntry - 5);
            byte[] entry = Entry("NM", 5 + length);
            name[..length].CopyTo(entry.AsSpan(5));
            name = name[length..];
            entry[4] = (byte)(name.Length > 0 ? 1 : 0);
            entries.Add(entry);
            if (name.Length == 0) return;
        }
    }

    private static void AddLink(List<byte[]> entries, string target)
    {
        var components = new List<byte[]>();
        if (target[0] == '/') components.Add([ComponentRoot, 0]);
        // Empty names (as in "a//b") have no component and mean nothing to a resolver.
        foreach (string part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
            AddComponents(components, part);

        var body = new List<byte>();
        for (int i = 0; i < components.Count; i++)
        {
            body.AddRange(components[i]);
            bool last = i == components.Count - 1;
            if (!last && 5 + body.Count + components[i + 1].Length <= MaxEntry) continue;
            byte[] entry = Entry("SL", 5 + body.Count);
            entry[4] = (byte)(last ? 0 : 1);
            body.CopyTo(entry, 5);
            entries.Add(entry);
            body.Clear();
        }
    }

    private static void AddComponents(List<byte[]> components, string part)
    {
        if (part == ".") components.Add([ComponentCurrent, 0]);
        else if (part == "..") components.Add([ComponentParent, 0]);
        else
        {
            const int MaxText = MaxEntry - 5 - 2;
            byte[] text = Encoding.UTF8.GetBytes(part);
            for (int start = 0; start < text.Length; start += MaxText)
            {
                byte[] piece = text[start..Math.Min(text.Length, start + MaxText)];
                byte flags = start + piece.Length < text.Length ? ComponentContinues : (byte)0;
                components.Add([flags, (byte)piece.Length, .. piece]);
            }
        }
    }
}

/// <summary>
/// The area where System Use entries go on that do not fit their record. Its size must be known before its address,
/// so a layout runs twice with the same calls: first with sector 0, then with the real one.
/// </summary>
internal sealed class ContinuationArea(uint firstSector)
{
    private readonly List<byte> _bytes = [];

    /// <summary>Whole sectors.</summary>
    public byte[] ToArray()
    {
        byte[] all = new byte[IsoBytes.RoundUp(_bytes.Count, IsoConstants.SectorSize)];
        _bytes.CopyTo(all);
        return all;
    }

    /// <summary>The bytes for the record itself: all entries, or the first ones and a pointer to the rest.</summary>
    public byte[] Place(List<byte[]> entries, int room)
    {
        int total = entries.Sum(entry => entry.Length);
        if (total <= room) return [.. entries.SelectMany(entry => entry)];
        int fit = Fit(entries, 0, room - IsoConstants.ContinuationEntry);
        byte[] pointer = Chain(entries, fit);
        return [.. entries.Take(fit).SelectMany(entry => entry), .. pointer];
    }

    private static int Fit(List<byte[]> entries, int start, int room)
    {
        int end = start;
        while (end < entries.Count && entries[end].Length <= room) room -= entries[end++].Length;
        return end;
    }

    /// <summary>Writes entries from start on into the area, in pieces that stay inside one sector.</summary>
    private byte[] Chain(List<byte[]> entries, int start)
    {
        int rest = entries.Skip(start).Sum(entry => entry.Length);
        int end = entries.Count;
        if (rest > IsoConstants.SectorSize)
        {
            end = Fit(entries, start, IsoConstants.SectorSize - IsoConstants.ContinuationEntry);
            rest = entries.Take(end).Skip(start).Sum(entry => entry.Length) + IsoConstants.ContinuationEntry;
        }
        int used = _bytes.Count % IsoConstants.SectorSize;
        if (used + rest > IsoConstants.SectorSize) Zeros(IsoConstants.SectorSize - used);
        int position = _bytes.Count;
        Zeros(rest);
        byte[] next = end < entries.Count ? Chain(entries, end) : [];
        int at = position;
        foreach (byte value in entries.Take(end).Skip(start).SelectMany(entry => entry).Concat(next))
            _bytes[at++] = value;

        byte[] pointer = new byte[IsoConstants.ContinuationEntry];
        pointer[0] = (byte)'C';
        pointer[1] = (byte)'E';
        pointer[2] = IsoConstants.ContinuationEntry;
        pointer[3] = 1;
        IsoBytes.Both32(pointer.AsSpan(4), firstSector + (uint)(position / IsoConstants.SectorSize));
        IsoBytes.Both32(pointer.AsSpan(12), (uint)(position % IsoConstants.SectorSize));
        IsoBytes.Both32(pointer.AsSpan(20), (uint)rest);
        return pointer;
    }

    private void Zeros(int count)
    {
        for (int i = 0; i < count; i++) _bytes.Add(0);
    }
}
