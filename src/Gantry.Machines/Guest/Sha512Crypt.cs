using System.Security.Cryptography;
using System.Text;

namespace Gantry.Machines.Guest;

/// <summary>
/// The SHA-512 method of crypt(3), <c>$6$</c>, by Ulrich Drepper's public specification "Unix crypt using SHA-256 and
/// SHA-512"; what every Linux guest accepts as a password's hash.
/// </summary>
public static class Sha512Crypt
{
    private const string Digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int Rounds = 5000;
    private const int SaltLength = 16;

    /// <summary>A hash with a new random salt.</summary>
    public static string Hash(string password)
    {
        Span<char> salt = stackalloc char[SaltLength];
        foreach (ref var c in salt)
            c = Digits[RandomNumberGenerator.GetInt32(Digits.Length)];
        return Hash(password, new string(salt));
    }

    /// <summary>The hash for a given salt, of which the first 16 characters count.</summary>
    /// <exception cref="ArgumentException">The salt holds what no salt can: a dollar sign, a colon, a line end.</exception>
    public static string Hash(string password, string salt)
    {
        if (salt.AsSpan().IndexOfAny("$:\n\0") >= 0)
            throw new ArgumentException("a salt can't hold $, colon, line end or NUL", nameof(salt));
        var key = Encoding.UTF8.GetBytes(password);
        var saltBytes = Encoding.UTF8.GetBytes(salt.Length > SaltLength ? salt[..SaltLength] : salt);
        var digest = FirstDigest(key, saltBytes);
        var p = Repeat(SHA512.HashData(Times(key, key.Length)), key.Length);
        var s = Repeat(SHA512.HashData(Times(saltBytes, 16 + digest[0])), saltBytes.Length);
        for (var round = 0; round < Rounds; round++)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
            hash.AppendData(round % 2 != 0 ? p : digest);
            if (round % 3 != 0)
                hash.AppendData(s);
            if (round % 7 != 0)
                hash.AppendData(p);
            hash.AppendData(round % 2 != 0 ? digest : p);
            digest = hash.GetHashAndReset();
        }

        return $"$6${Encoding.UTF8.GetString(saltBytes)}${Encode(digest)}";
    }

    /// <summary>Steps 1 to 12 of the specification.</summary>
    private static byte[] FirstDigest(byte[] key, byte[] salt)
    {
        var b = SHA512.HashData([.. key, .. salt, .. key]);
        using var a = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        a.AppendData(key);
        a.AppendData(salt);
        a.AppendData(Repeat(b, key.Length));
        for (var bits = key.Length; bits > 0; bits >>= 1)
            a.AppendData((bits & 1) != 0 ? b : key);
        return a.GetHashAndReset();
    }

    private static byte[] Times(byte[] bytes, int count)
    {
        var all = new byte[bytes.Length * count];
        for (var i = 0; i < count; i++)
            bytes.CopyTo(all, i * bytes.Length);
        return all;
    }

    /// <summary>The digest again and again, cut to a length.</summary>
    private static byte[] Repeat(byte[] digest, int length)
    {
        var all = new byte[length];
        for (var i = 0; i < length; i++)
            all[i] = digest[i % digest.Length];
        return all;
    }

    /// <summary>
    /// Groups of three bytes, 21 apart and turned by one each time, as 4 digits with the lowest first.
    /// </summary>
    private static string Encode(byte[] digest)
    {
        var text = new StringBuilder(86);
        var (a, b, c) = (0, 21, 42);
        for (var group = 0; group < 21; group++)
        {
            Append((digest[a] << 16) | (digest[b] << 8) | digest[c], 4);
            (a, b, c) = (b + 1, c + 1, a + 1);
        }

        Append(digest[63], 2);
        return text.ToString();

        void Append(int value, int count)
        {
            for (; count > 0; count--, value >>= 6)
                text.Append(Digits[value & 0x3F]);
        }
    }
}
