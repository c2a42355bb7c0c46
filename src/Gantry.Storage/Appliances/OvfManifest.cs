using System.Text;
using System.Text.RegularExpressions;
using Gantry.Model;

namespace Gantry.Storage.Appliances;

/// <summary>A digest that a file of a package must have.</summary>
/// <param name="Algorithm">sha1, sha256 or sha512.</param>
/// <param name="Hex">Lower-case hexadecimal digits.</param>
public sealed record FileDigest(string Algorithm, string Hex);

/// <summary>A package's manifest: lines <c>SHA256(NAME)= HEX</c>, one for each of its files (DSP0243, 5.1).</summary>
public static partial class OvfManifest
{
    /// <summary>Bytes.</summary>
    public const int LargestSize = 1 << 20;

    /// <summary>The digests by the files' names.</summary>
    /// <exception cref="ProblemException">A line is none, or a file has two.</exception>
    public static IReadOnlyDictionary<string, FileDigest> Read(ReadOnlySpan<byte> content, string shown)
    {
        var digests = new Dictionary<string, FileDigest>(StringComparer.Ordinal);
        foreach (var part in Encoding.UTF8.GetString(content).Split('\n'))
        {
            var line = part.Trim();
            if (line.Length == 0)
                continue;
            var match = Line().Match(line);
            var algorithm =
                match.Groups["algorithm"].Value.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
            var hex = match.Groups["hex"].Value.ToLowerInvariant();
            var length = algorithm switch
            {
                "sha1" => 40,
                "sha256" => 64,
                "sha512" => 128,
                _ => 0,
            };
            if (!match.Success || hex.Length != length)
                throw Bad(shown, $"has a line that is no digest of a file: {Cut(line)}");
            var name = match.Groups["name"].Value;
            if (!digests.TryAdd(
                name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name, new FileDigest(algorithm, hex)))
                throw Bad(shown, $"has two digests of {Cut(name)}");
        }

        return digests;
    }

    /// <summary>A manifest with SHA-256, as VirtualBox and VMware read it.</summary>
    public static byte[] Write(IEnumerable<(string Name, string Sha256)> files)
    {
        var text = new StringBuilder();
        foreach (var (name, sha256) in files)
            text.Append("SHA256(").Append(name).Append(")= ").Append(sha256).Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string Cut(string text) => text.Length > 100 ? text[..100] + "..." : text;

    private static ProblemException Bad(string shown, string what) =>
        new(ProblemKind.InvalidInput, $"{shown} {what}",
            "expected lines such as SHA256(disk.vmdk)= and 64 hexadecimal digits");

    [GeneratedRegex(@"\A(?<algorithm>[A-Za-z0-9-]{4,8}) ?\((?<name>.+)\) ?= ?(?<hex>[0-9a-fA-F]{40,128})\z")]
    private static partial Regex Line();
}
