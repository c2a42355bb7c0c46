using System.Security.Cryptography;
using Gantry.Model;

namespace Gantry.Storage.Images;

/// <summary>Digests of what is imported, made while qemu-img reads the same files.</summary>
public static class SourceHasher
{
    private const int BlockSize = 1 << 20;

    /// <summary>
    /// SHA-256 over all files, one after the other, and over the same with a second algorithm if asked for.
    /// </summary>
    /// <param name="files">Absolute.</param>
    /// <param name="part">Where in the one file; null for all of each.</param>
    /// <param name="second">sha1, sha256, sha512; null for none.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Lower-case hexadecimal digits.</returns>
    public static async Task<(string Sha256, string? Second)> HashAsync(
        IReadOnlyList<string> files, FilePart? part, string? second, CancellationToken cancellationToken)
    {
        using var sha256 = NewHash("sha256");
        using var other = second is null or "sha256" ? null : NewHash(second);
        var buffer = new byte[BlockSize];
        foreach (var file in files)
        {
            await using var stream = FilePartStream.Open(file, part);
            int count;
            while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                sha256.AppendData(buffer, 0, count);
                other?.AppendData(buffer, 0, count);
            }
        }

        var first = Convert.ToHexStringLower(sha256.GetHashAndReset());
        return (first, second == "sha256" ? first : other is null ? null : Convert.ToHexStringLower(
            other.GetHashAndReset()));
    }

    /// <param name="algorithm">sha1, sha256 or sha512.</param>
    internal static IncrementalHash NewHash(string algorithm) => IncrementalHash.CreateHash(algorithm switch
    {
        "sha1" => HashAlgorithmName.SHA1,
        "sha256" => HashAlgorithmName.SHA256,
        "sha512" => HashAlgorithmName.SHA512,
        _ => throw new ProblemException(ProblemKind.InvalidInput, $"'{algorithm}' is no digest that can be checked"),
    });
}
