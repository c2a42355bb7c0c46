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
        foreach (var file in files)
        {
            await using var stream = FilePartStream.Open(file, part);
            await ReadAsync(stream, sha256, other, progress: null, cancellationToken).ConfigureAwait(false);
        }

        var first = Convert.ToHexStringLower(sha256.GetHashAndReset());
        return (first, second == "sha256" ? first : other is null ? null : Convert.ToHexStringLower(
            other.GetHashAndReset()));
    }

    /// <summary>Reads a stream to its end into one hash, or into two at once.</summary>
    /// <param name="stream">From where it is.</param>
    /// <param name="first">Takes all that is read.</param>
    /// <param name="second">Takes it too.</param>
    /// <param name="progress">Told the bytes so far.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task ReadAsync(
        Stream stream, IncrementalHash first, IncrementalHash? second, Action<long>? progress,
        CancellationToken cancellationToken)
    {
        var buffer = new byte[BlockSize];
        var done = 0L;
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            first.AppendData(buffer, 0, count);
            second?.AppendData(buffer, 0, count);
            done += count;
            progress?.Invoke(done);
        }
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
