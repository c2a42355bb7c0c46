using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Imaging.Builds;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.PostProcessors;

/// <summary>Packer's <c>manifest</c>: a JSON file to which each build adds what it made.</summary>
public static class ManifestPostProcessor
{
    /// <summary>A file of more builds than a person ever looks at is refused instead of read.</summary>
    private const long MaxSize = 64L * 1024 * 1024;

    /// <summary>Adds the artifact to the file; builds of several processes wait for each other.</summary>
    /// <param name="folder">A relative output begins here.</param>
    /// <param name="runUuid">The same for all builds of one run; it stands as <c>last_run_uuid</c>.</param>
    /// <param name="startNew">As Packer's <c>-force</c>: earlier builds' entries are dropped.</param>
    /// <exception cref="ProblemException">The file that is there is no manifest; it stays as it is.</exception>
    public static async Task RunAsync(
        PostProcessorOptions.Manifest options, BuildArtifact artifact, string folder, string runUuid, bool startNew,
        TimeProvider time, CancellationToken cancellationToken)
    {
        var path = Path.GetFullPath(options.Output, folder);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var held = await LockAsync(path, time, cancellationToken);
        var manifest = startNew ? new ManifestFile() : await ReadAsync(path, cancellationToken);
        manifest.Builds.Add(Entry(options, artifact, runUuid, time));
        manifest.LastRunUuid = runUuid;
        var part = path + ".part";
        await File.WriteAllTextAsync(part, JsonSerializer.Serialize(manifest, Writing.ManifestFile), cancellationToken);
        File.Move(part, path, overwrite: true);
    }

    /// <summary>As Go writes JSON but for its escapes of &lt;, &gt; and &amp;, which mean the same.</summary>
    private static ManifestJson Writing { get; } = new(new JsonSerializerOptions(ManifestJson.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    private static ManifestBuild Entry(
        PostProcessorOptions.Manifest options, BuildArtifact artifact, string runUuid, TimeProvider time) => new()
        {
            Name = artifact.BuildName,
            BuilderType = artifact.BuilderType,
            BuildTime = options.StripTime ? 0 : time.GetUtcNow().ToUnixTimeSeconds(),
            Files = artifact.Files.Count == 0
                ? null
                : [.. artifact.Files.Select(file => new ManifestArtifactFile
                {
                    Name = options.StripPath ? Path.GetFileName(file) : file,
                    Size = File.Exists(file) ? new FileInfo(file).Length : 0,
                })],
            ArtifactId = artifact.Id,
            PackerRunUuid = runUuid,
            CustomData = options.CustomData.Count == 0
                ? null
                : new SortedDictionary<string, string>(
                    options.CustomData.ToDictionary(pair => pair.Name, pair => pair.Value), StringComparer.Ordinal),
        };

    private static async Task<ManifestFile> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var info = new FileInfo(path);
        if (!info.Exists || info.Length == 0)
            return new ManifestFile();
        try
        {
            if (info.Length > MaxSize)
                throw new JsonException($"it has {info.Length} bytes");
            await using var stream = File.OpenRead(path);
            return await JsonSerializer.DeserializeAsync(stream, ManifestJson.Default.ManifestFile, cancellationToken)
                ?? new ManifestFile();
        }
        catch (JsonException e)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{path} is there and is no manifest: {e.Message}",
                "move it away, or give manifest another output",
                inner: e);
        }
    }

    private static async Task<FileClaim> LockAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (FileClaim.TryTake(path + FileClaim.Suffix) is { } taken)
                return taken;
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken);
        }
    }
}

/// <summary>The file, with the members' names and order as Packer writes them.</summary>
internal sealed class ManifestFile
{
    public List<ManifestBuild> Builds { get; set; } = [];

    public string LastRunUuid { get; set; } = "";
}

internal sealed class ManifestBuild
{
    public string Name { get; set; } = "";

    public string BuilderType { get; set; } = "";

    /// <summary>Seconds since 1970; left out by <c>strip_time</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long BuildTime { get; set; }

    public List<ManifestArtifactFile>? Files { get; set; }

    public string ArtifactId { get; set; } = "";

    public string PackerRunUuid { get; set; } = "";

    public SortedDictionary<string, string>? CustomData { get; set; }
}

internal sealed class ManifestArtifactFile
{
    public string Name { get; set; } = "";

    public long Size { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n")]
[JsonSerializable(typeof(ManifestFile))]
internal sealed partial class ManifestJson : JsonSerializerContext;
