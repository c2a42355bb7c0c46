using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gantry.Model;
using Gantry.Storage;
using Gantry.Storage.Images;

namespace Gantry.Imaging.Downloads;

/// <summary>
/// Digests of files, kept so that a big file is read once. A kept digest counts only while the file has the same size,
/// time of change (to the nanosecond), number and device as when it was read.
/// </summary>
internal sealed class FileHashes(string folder, TimeProvider time)
{
    /// <summary>A file changed this short a time ago may change again without its time showing it.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    /// <summary>Gives SHA-256 and, if another is asked for, that too.</summary>
    public async Task<(string Sha256, string Wanted)> ReadAsync(
        string path, ImageChecksum? wanted, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        var facts = FileFacts.Read(path) ?? throw new ProblemException(
            ProblemKind.NotFound, $"there is no file {path}", "check the path");
        var algorithm = wanted?.Algorithm ?? "sha256";
        var record = await LoadAsync(path, cancellationToken);
        if (record is not null && record.Matches(facts) && record.Find("sha256") is { } known
            && record.Find(algorithm) is { } knownWanted)
        {
            return (known, knownWanted);
        }

        var (sha256, other) = await HashAsync(path, wanted, progress, cancellationToken);
        var after = FileFacts.Read(path);
        if (after != facts)
        {
            throw new ProblemException(
                ProblemKind.Conflict, $"{path} changed while it was read", "wait until whatever writes it is done");
        }

        var age = time.GetUtcNow() - DateTimeOffset.UnixEpoch.AddTicks(facts.ModifiedNanoseconds / 100);
        if (age > Settled)
            await SaveAsync(path, FileHashRecord.From(facts, sha256, algorithm, other), cancellationToken);
        return (sha256, other);
    }

    private static async Task<(string Sha256, string Wanted)> HashAsync(
        string path, ImageChecksum? wanted, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var other = wanted is null or { Algorithm: "sha256" } ? null : wanted.NewHash();
        await using var stream = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        await SourceHasher.ReadAsync(
            stream, sha256, other, done => progress?.Invoke(done, stream.Length), cancellationToken);
        var first = Convert.ToHexStringLower(sha256.GetHashAndReset());
        return (first, other is null ? first : Convert.ToHexStringLower(other.GetHashAndReset()));
    }

    private async Task<FileHashRecord?> LoadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = File.OpenRead(RecordPath(path));
            return await JsonSerializer.DeserializeAsync(stream, FileHashJson.Default.FileHashRecord, cancellationToken);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            // A record that is missing or damaged costs one reading of the file.
            return null;
        }
    }

    private async Task SaveAsync(string path, FileHashRecord record, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var target = RecordPath(path);
        var part = $"{target}.{Environment.ProcessId}";
        await File.WriteAllBytesAsync(
            part, JsonSerializer.SerializeToUtf8Bytes(record, FileHashJson.Default.FileHashRecord), cancellationToken);
        File.Move(part, target, overwrite: true);
    }

    private string RecordPath(string path) =>
        Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..32] + ".json");
}

internal sealed record FileHashRecord
{
    public required long Size { get; init; }

    public required ulong Inode { get; init; }

    public required ulong Device { get; init; }

    public required long ModifiedNanoseconds { get; init; }

    /// <summary>Digits by algorithm.</summary>
    public required Dictionary<string, string> Digests { get; init; }

    public static FileHashRecord From(FileFacts facts, string sha256, string algorithm, string wanted) => new()
    {
        Size = facts.Size,
        Inode = facts.Inode,
        Device = facts.Device,
        ModifiedNanoseconds = facts.ModifiedNanoseconds,
        Digests = new Dictionary<string, string>(StringComparer.Ordinal) { ["sha256"] = sha256, [algorithm] = wanted },
    };

    public bool Matches(FileFacts facts) =>
        facts.IsRegular && Size == facts.Size && Inode == facts.Inode && Device == facts.Device
        && ModifiedNanoseconds == facts.ModifiedNanoseconds;

    public string? Find(string algorithm) => Digests.GetValueOrDefault(algorithm);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FileHashRecord))]
[JsonSerializable(typeof(PartRecord))]
internal sealed partial class FileHashJson : JsonSerializerContext;
