using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Parameters;

namespace Gantry.Machines.Guest;

/// <summary>An Ed25519 key pair for one build or machine, in OpenSSH's own formats (its PROTOCOL.key).</summary>
public sealed record SshKeyPair
{
    private const string KeyType = "ssh-ed25519";

    /// <summary>The unencrypted private key file's text, with its last line end. A secret.</summary>
    public required string PrivateKey { get; init; }

    /// <summary>The line for authorized_keys, without a line end.</summary>
    public required string PublicKey { get; init; }

    /// <summary>
    /// Makes a new pair from the operating system's generator; no seeded source can be given, so that no test's
    /// randomness ever reaches a real key.
    /// </summary>
    /// <param name="comment">Printable, without line ends; it ends the public line.</param>
    public static SshKeyPair Generate(string comment)
    {
        if (comment.Any(char.IsControl))
            throw new ArgumentException("a key's comment can't hold control characters", nameof(comment));
        Span<byte> seed = stackalloc byte[32];
        RandomNumberGenerator.Fill(seed);
        var publicBytes = new Ed25519PrivateKeyParameters(seed).GeneratePublicKey().GetEncoded();
        var publicBlob = new BlobWriter().String(KeyType).Bytes(publicBytes).ToArray();
        var pair = new SshKeyPair
        {
            PrivateKey = Armor(PrivateBlob(seed, publicBytes, publicBlob, comment)),
            PublicKey = $"{KeyType} {Convert.ToBase64String(publicBlob)} {comment}".TrimEnd(),
        };
        CryptographicOperations.ZeroMemory(seed);
        return pair;
    }

    /// <summary>Writes the private key to a new file that only its owner can read (mode 0600).</summary>
    public async Task WritePrivateKeyAsync(string path, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            Options = FileOptions.Asynchronous,
        };
        await using var file = new FileStream(path, options);
        await file.WriteAsync(Encoding.ASCII.GetBytes(PrivateKey), cancellationToken);
    }

    /// <summary>Names no secret.</summary>
    public override string ToString() => PublicKey;

    private static byte[] PrivateBlob(ReadOnlySpan<byte> seed, byte[] publicBytes, byte[] publicBlob, string comment)
    {
        // The same number twice shows a reader that it decrypted rightly; unencrypted keys carry it too.
        var check = RandomNumberGenerator.GetBytes(4);
        var inner = new BlobWriter().Raw(check).Raw(check)
            .String(KeyType).Bytes(publicBytes).Bytes([.. seed, .. publicBytes]).String(comment);
        for (byte pad = 1; inner.Length % 8 != 0; pad++)
            inner.Raw([pad]);
        return new BlobWriter().Raw("openssh-key-v1\0"u8)
            .String("none").String("none").Bytes([])
            .Raw([0, 0, 0, 1]).Bytes(publicBlob).Bytes(inner.ToArray())
            .ToArray();
    }

    private static string Armor(byte[] blob)
    {
        var text = new StringBuilder("-----BEGIN OPENSSH PRIVATE KEY-----\n");
        foreach (var line in Convert.ToBase64String(blob).Chunk(70))
            text.Append(line).Append('\n');
        return text.Append("-----END OPENSSH PRIVATE KEY-----\n").ToString();
    }

    private sealed class BlobWriter
    {
        private readonly List<byte> _bytes = [];

        public int Length => _bytes.Count;

        public BlobWriter Raw(ReadOnlySpan<byte> bytes)
        {
            _bytes.AddRange(bytes);
            return this;
        }

        public BlobWriter Bytes(ReadOnlySpan<byte> bytes)
        {
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            return Raw(length).Raw(bytes);
        }

        public BlobWriter String(string text) => Bytes(Encoding.UTF8.GetBytes(text));

        public byte[] ToArray() => [.. _bytes];
    }
}
