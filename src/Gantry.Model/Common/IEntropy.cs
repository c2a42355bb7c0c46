using System.Security.Cryptography;

namespace Gantry.Model;

/// <summary>The one source of randomness that code may take, so that tests can repeat a run.</summary>
public interface IEntropy
{
    void Fill(Span<byte> destination);
}

/// <summary>Randomness from the operating system, fit for keys.</summary>
public sealed class SystemEntropy : IEntropy
{
    public static SystemEntropy Instance { get; } = new();

    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}

public static class EntropyExtensions
{
    /// <summary>A random (version 4) UUID.</summary>
    public static Guid NewUuid(this IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[16];
        entropy.Fill(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>Random lower-case hexadecimal digits, two for each byte.</summary>
    public static string NewHex(this IEntropy entropy, int bytes)
    {
        Span<byte> buffer = stackalloc byte[bytes];
        entropy.Fill(buffer);
        return Convert.ToHexStringLower(buffer);
    }

    /// <summary>A number from 0 up to, not including, <paramref name="bound"/>.</summary>
    public static int Next(this IEntropy entropy, int bound)
    {
        Span<byte> bytes = stackalloc byte[8];
        entropy.Fill(bytes);
        return (int)(BitConverter.ToUInt64(bytes) % (ulong)bound);
    }
}
