using System.Security.Cryptography;
using System.Text;

namespace Gantry.Machines.Guest;

/// <summary>An SSH server's public key: whole, or known only by its fingerprint.</summary>
public sealed record SshHostKey
{
    /// <summary><c>ssh-ed25519</c>, <c>ecdsa-sha2-nistp256</c>, <c>ssh-rsa</c>; null for a bare fingerprint.</summary>
    public string? Type { get; private init; }

    /// <summary>The key in the form of a known_hosts line, base64; null for a bare fingerprint.</summary>
    public string? Base64 { get; private init; }

    /// <summary><c>SHA256:</c> and 43 base64 digits, as OpenSSH prints it.</summary>
    public required string Fingerprint { get; init; }

    public static SshHostKey FromBlob(ReadOnlySpan<byte> blob) => new()
    {
        Type = ReadType(blob),
        Base64 = Convert.ToBase64String(blob),
        Fingerprint = "SHA256:" + Convert.ToBase64String(SHA256.HashData(blob)).TrimEnd('='),
    };

    /// <summary>Reads <c>TYPE BASE64 [comment]</c> (a .pub file's line) or <c>SHA256:...</c>.</summary>
    public static bool TryParse(string text, out SshHostKey? key)
    {
        key = null;
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 1 && words[0].StartsWith("SHA256:", StringComparison.Ordinal) && words[0].Length >= 50)
        {
            key = new SshHostKey { Fingerprint = words[0].TrimEnd('=') };
            return true;
        }

        if (words.Length < 2)
            return false;
        var buffer = new byte[words[1].Length];
        if (!Convert.TryFromBase64String(words[1], buffer, out var length) || length < 4)
            return false;
        var parsed = FromBlob(buffer.AsSpan(0, length));
        if (parsed.Type != words[0])
            return false;
        key = parsed;
        return true;
    }

    /// <summary>Whether both name the same key; a fingerprint matches the whole key it belongs to.</summary>
    public bool Matches(SshHostKey other) => Fingerprint == other.Fingerprint;

    public override string ToString() => Type is null ? Fingerprint : $"{Type} {Fingerprint}";

    private static string ReadType(ReadOnlySpan<byte> blob)
    {
        if (blob.Length < 4)
            return "";
        var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(blob);
        return length is > 0 and <= 64 && blob.Length >= 4 + length
            ? Encoding.ASCII.GetString(blob.Slice(4, length))
            : "";
    }
}
