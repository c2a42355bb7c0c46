namespace Gantry.Agent.Consoles;

/// <summary>
/// Follows what a viewer says at the beginning of RFB (RFC 6143, 7.1 and 7.3.1) until it says whether others may stay,
/// and has it say yes: a viewer that asked to be alone would end all others.
/// </summary>
internal sealed class RfbHandshake
{
    private const int VersionLength = 12;

    private readonly byte[] _version = new byte[VersionLength];
    private long _seen;

    /// <summary>The viewer's next bytes as they are to be sent.</summary>
    public ReadOnlyMemory<byte> Pass(ReadOnlyMemory<byte> bytes)
    {
        var begin = _seen;
        if (begin > VersionLength + 1)
            return bytes;
        _seen += bytes.Length;
        if (begin < VersionLength)
            bytes.Span[..(int)Math.Min(bytes.Length, VersionLength - begin)].CopyTo(_version.AsSpan((int)begin));
        if (_seen <= VersionLength)
            return bytes;
        // In versions before 3.7 the server chooses how one proves who one is; later the viewer does, in one byte.
        var shared = _version.AsSpan().SequenceEqual("RFB 003.003\n"u8) ? VersionLength : VersionLength + 1;
        var at = shared - begin;
        if (at < 0 || at >= bytes.Length)
            return bytes;
        var changed = bytes.ToArray();
        changed[at] = 1;
        return changed;
    }
}
