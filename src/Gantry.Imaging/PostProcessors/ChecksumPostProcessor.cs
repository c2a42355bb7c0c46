using System.Security.Cryptography;
using System.Text;
using Gantry.Imaging.BootCommand;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.PostProcessors;

/// <summary>Packer's <c>checksum</c>: one file for each type, a line <c>HEX TAB NAME</c> for each file of the
/// artifact.</summary>
public static class ChecksumPostProcessor
{
    /// <summary>The artifact with the files of checksums added to it.</summary>
    /// <param name="folder">Relative outputs begin here.</param>
    /// <exception cref="ProblemException">A type is unknown, a file is missing, the output's template is wrong.</exception>
    public static async Task<BuildArtifact> RunAsync(
        PostProcessorOptions.Checksum options, BuildArtifact artifact, string folder, IProgressSink progress,
        CancellationToken cancellationToken)
    {
        // All are checked before the first is written.
        var outputs = options.Types.Select(type => (Name: Algorithm(type), Path: Output(options, artifact, type, folder))).ToList();
        var written = new List<string>();
        // Types whose template gives the same path share a file.
        foreach (var group in outputs.GroupBy(output => output.Path))
        {
            var text = new StringBuilder();
            foreach (var (name, _) in group)
            {
                foreach (var file in artifact.Files)
                {
                    progress.Activity($"Computing the {name.Name} checksum of {Path.GetFileName(file)}");
                    var hex = await HashAsync(file, name, progress, cancellationToken);
                    text.Append(hex).Append('\t').Append(Path.GetFileName(file)).Append('\n');
                }
            }

            Directory.CreateDirectory(Path.GetDirectoryName(group.Key)!);
            await File.WriteAllTextAsync(group.Key, text.ToString(), cancellationToken);
            written.Add(group.Key);
        }

        return artifact with { Files = [.. artifact.Files, .. written.Where(path => !artifact.Files.Contains(path))] };
    }

    private static string Output(PostProcessorOptions.Checksum options, BuildArtifact artifact, string type, string folder)
    {
        var fields = new Dictionary<string, string>
        {
            ["BuildName"] = artifact.BuildName,
            ["BuilderType"] = artifact.BuilderType,
            ["ChecksumType"] = type,
        };
        try
        {
            return Path.GetFullPath(GoTemplate.Render(options.Output, new TemplateScope { Fields = fields }).Text, folder);
        }
        catch (GoTemplateException e)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"the output '{options.Output}' of checksum is wrong: {e.Message}",
                "it may hold {{.BuildName}}, {{.BuilderType}} and {{.ChecksumType}}",
                inner: e);
        }
    }

    private static HashAlgorithmName Algorithm(string type) => type.ToLowerInvariant() switch
    {
        "md5" => HashAlgorithmName.MD5,
        "sha1" => HashAlgorithmName.SHA1,
        "sha256" => HashAlgorithmName.SHA256,
        "sha384" => HashAlgorithmName.SHA384,
        "sha512" => HashAlgorithmName.SHA512,
        _ => throw new ProblemException(
            ProblemKind.InvalidInput, $"checksum knows no type '{type}'", "use md5, sha1, sha256, sha384 or sha512"),
    };

    private static async Task<string> HashAsync(
        string file, HashAlgorithmName algorithm, IProgressSink progress, CancellationToken cancellationToken)
    {
        if (!File.Exists(file))
            throw new ProblemException(ProblemKind.NotFound, $"the artifact's file {file} is gone", "see what removed it");
        using var hash = IncrementalHash.CreateHash(algorithm);
        await using var stream = new FileStream(
            file, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        var buffer = new byte[1024 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            hash.AppendData(buffer, 0, count);
            progress.Amount(stream.Position, stream.Length, "bytes");
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
