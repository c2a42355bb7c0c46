using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Gantry.Model;

namespace Gantry.Imaging.Downloads;

/// <summary>A digest that a file must have.</summary>
/// <param name="Algorithm">md5, sha1, sha256, sha384 or sha512.</param>
/// <param name="Hex">Lower-case hexadecimal digits.</param>
public sealed partial record ImageChecksum(string Algorithm, string Hex)
{
    public override string ToString() => $"{Algorithm}:{Hex}";

    /// <summary>Reads <c>ALGORITHM:HEX</c> or bare digits, whose number tells the algorithm.</summary>
    /// <exception cref="ProblemException">It is neither.</exception>
    public static ImageChecksum Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var hex = text[(colon + 1)..].Trim().ToLowerInvariant();
        var byLength = hex.All(char.IsAsciiHexDigit) ? AlgorithmOf(hex.Length) : null;
        var named = colon < 0 ? byLength : text[..colon].Trim().ToLowerInvariant().Replace("-", "", StringComparison.Ordinal);
        if (byLength is null || named != byLength)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"'{(text.Length > 150 ? text[..150] + "..." : text)}' is no checksum",
                "write none, sha256: and 64 hexadecimal digits (md5: 32, sha1: 40, sha512: 128), or file: and the URL or "
                    + "path of a list of checksums");
        }

        return new ImageChecksum(byLength, hex);
    }

    /// <summary>
    /// Finds a file's checksum in a list, in GNU's form (<c>HEX  NAME</c>, <c>HEX *NAME</c>), BSD's
    /// (<c>SHA256 (NAME) = HEX</c>) or, in a list of one, as bare digits. Names match by their last part. The strongest
    /// wins where there are several.
    /// </summary>
    public static ImageChecksum? Find(string list, string fileName)
    {
        ImageChecksum? best = null;
        var lines = list.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var line in lines)
        {
            var (hex, name) = Read(line);
            var bare = name is null && lines.Length == 1;
            if (hex is null || (!bare && (name is null || BaseName(name) != fileName)))
                continue;
            if (AlgorithmOf(hex.Length) is { } algorithm && (best is null || hex.Length > best.Hex.Length))
                best = new ImageChecksum(algorithm, hex.ToLowerInvariant());
        }

        return best;
    }

    internal IncrementalHash NewHash() => IncrementalHash.CreateHash(Algorithm switch
    {
        "md5" => HashAlgorithmName.MD5,
        "sha1" => HashAlgorithmName.SHA1,
        "sha256" => HashAlgorithmName.SHA256,
        "sha384" => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA512,
    });

    private static string? AlgorithmOf(int digits) => digits switch
    {
        32 => "md5",
        40 => "sha1",
        64 => "sha256",
        96 => "sha384",
        128 => "sha512",
        _ => null,
    };

    private static (string? Hex, string? Name) Read(string line)
    {
        var bsd = BsdLine().Match(line);
        if (bsd.Success)
            return (bsd.Groups["hex"].Value, bsd.Groups["name"].Value);
        var gnu = GnuLine().Match(line);
        if (!gnu.Success)
            return (null, null);
        return (gnu.Groups["hex"].Value, gnu.Groups["name"].Success ? gnu.Groups["name"].Value : null);
    }

    private static string BaseName(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];

    [GeneratedRegex(@"^[A-Za-z0-9-]{3,10} ?\((?<name>.+)\) ?= ?(?<hex>[0-9a-fA-F]{32,128})$")]
    private static partial Regex BsdLine();

    [GeneratedRegex(@"^\\?(?<hex>[0-9a-fA-F]{32,128})(\s+\*?(?<name>.+))?$")]
    private static partial Regex GnuLine();
}
