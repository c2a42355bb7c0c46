using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Gantry.Model;

namespace Gantry.Imaging.Downloads;

/// <summary>
/// Brings images to this host and verifies them: local files where they are, others in a cache that all builds share,
/// named by checksum. Two builds that want the same file download it once.
/// </summary>
public sealed class ImageFetcher(string cacheFolder, HttpClient http, TimeProvider time)
{
    private const int MaxListSize = 4 * 1024 * 1024;

    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(200);

    private readonly FileHashes _hashes = new(Path.Combine(cacheFolder, "hashes"), time);

    /// <summary>A client with the limits that downloads want: 10 redirects, never from https to http, 20 s to connect,
    /// no limit on the whole.</summary>
    public static HttpClient CreateClient()
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            MaxAutomaticRedirections = 10,
            ConnectTimeout = TimeSpan.FromSeconds(20),
            AutomaticDecompression = System.Net.DecompressionMethods.None,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("gantry", "0.1"));
        return client;
    }

    /// <summary>The same with relative paths beginning in the folder that the program was started in, and ISO images
    /// held against their own volume's size.</summary>
    /// <exception cref="ProblemException">No source gave the image; each one's failure is named.</exception>
    public Task<FetchedImage> FetchAsync(
        IReadOnlyList<string> urls, string checksum, IProgressSink progress, CancellationToken cancellationToken) =>
        FetchAsync(
            new ImageRequest
            {
                Urls = urls.ToValueList(),
                Checksum = checksum,
                BaseFolder = Environment.CurrentDirectory,
                Inspect = ImageInspectors.TruncatedIsoAsync,
            },
            progress,
            cancellationToken);

    /// <summary>Tries the sources in turn until one gives the file that the checksum asks for.</summary>
    /// <exception cref="ProblemException">None did; each one's failure is named.</exception>
    public async Task<FetchedImage> FetchAsync(
        ImageRequest request, IProgressSink progress, CancellationToken cancellationToken)
    {
        var failures = new List<Problem>();
        foreach (var text in request.Urls)
        {
            try
            {
                var source = ImageSource.Parse(text, request.BaseFolder);
                var wanted = await ChecksumAsync(request, source, progress, cancellationToken);
                return source.Path is { } path
                    ? await UseLocalAsync(path, wanted, request, progress, cancellationToken)
                    : await FetchRemoteAsync(source, wanted, request, progress, cancellationToken);
            }
            catch (ProblemException e)
            {
                failures.Add(e.Problem);
                if (request.Urls.Count > 1)
                    progress.Note($"{text} did not give the image: {e.Problem.Summary}");
            }
        }

        throw Failed(request, failures);
    }

    private static ProblemException Failed(ImageRequest request, List<Problem> failures) => failures switch
    {
        [] => new ProblemException(
            ProblemKind.InvalidInput, "no place to get the image from is given", "set iso_url or iso_urls"),
        [var only] => new ProblemException(only),
        _ => new ProblemException(
            failures[^1].Kind,
            $"none of {request.Urls.Count} places gave the image",
            failures[^1].Remedy,
            string.Join('\n', request.Urls.Zip(failures, (url, problem) => $"  {url}: {problem.Summary}"))),
    };

    private async Task<FetchedImage> UseLocalAsync(
        string path, ImageChecksum? wanted, ImageRequest request, IProgressSink progress, CancellationToken cancellationToken)
    {
        if (Directory.Exists(path) || !File.Exists(path))
        {
            throw new ProblemException(
                ProblemKind.NotFound,
                Directory.Exists(path) ? $"{path} is a folder, not an image" : $"there is no image {path}",
                "check the path; a relative one begins at the template's folder, and in a shell at the current one");
        }

        var sha256 = await VerifyAsync(path, path, wanted, request, progress, cancellationToken);
        return Result(path, sha256, path, wasPresent: true);
    }

    private async Task<FetchedImage> FetchRemoteAsync(
        ImageSource source, ImageChecksum? wanted, ImageRequest request, IProgressSink progress,
        CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(cacheFolder);
        var path = Path.Combine(cacheFolder, CacheName(source, wanted));
        await using var held = await LockAsync(path, source, progress, cancellationToken);
        if (File.Exists(path))
        {
            try
            {
                var present = await VerifyAsync(path, source.Text, wanted, request, progress, cancellationToken);
                File.SetLastAccessTimeUtc(path, time.GetUtcNow().UtcDateTime);
                return Result(path, present, source.Text, wasPresent: true);
            }
            catch (ProblemException e)
            {
                // Damaged since it was verified; what the cache holds can be had again.
                progress.Note($"the cached copy of {source.Text} is discarded: {e.Problem.Summary}");
                File.Delete(path);
            }
        }

        var part = path + ".part";
        progress.Activity($"Downloading {source.Name}");
        await new PartialDownload(http, time, progress).RunAsync(source.Url!, part, cancellationToken);
        string sha256;
        try
        {
            sha256 = await VerifyAsync(part, source.Text, wanted, request, progress, cancellationToken);
        }
        catch (ProblemException)
        {
            // Going on with what is wrong would never make it right.
            File.Delete(part);
            File.Delete(part + ".json");
            throw;
        }

        File.Move(part, path, overwrite: true);
        File.Delete(part + ".json");
        return Result(path, sha256, source.Text, wasPresent: false);
    }

    /// <summary>Gives the file's SHA-256 once it has the wanted digest and, by its own structure, is whole.</summary>
    private async Task<string> VerifyAsync(
        string path, string shown, ImageChecksum? wanted, ImageRequest request, IProgressSink progress,
        CancellationToken cancellationToken)
    {
        var announced = false;
        var reported = time.GetTimestamp();
        var (sha256, found) = await _hashes.ReadAsync(
            path,
            wanted,
            (done, total) =>
            {
                if (!announced)
                    progress.Activity($"Verifying {Path.GetFileName(shown)}");
                if (!announced || done == total || time.GetElapsedTime(reported).TotalMilliseconds >= 100)
                {
                    reported = time.GetTimestamp();
                    progress.Amount(done, total, "bytes");
                }

                announced = true;
            },
            cancellationToken);
        var damage = wanted is null || found != wanted.Hex ? await InspectAsync(path, request, cancellationToken) : null;
        if (wanted is not null && found != wanted.Hex)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{shown} has the wrong checksum: expected {wanted}, found {wanted.Algorithm}:{found}"
                    + (damage is null ? "" : $"; {damage}"),
                damage is null
                    ? "check the given checksum against the publisher's list; if it is right, the file is not what "
                        + "it should be"
                    : "download the file again");
        }

        return damage is null
            ? sha256
            : throw new ProblemException(ProblemKind.InvalidInput, $"{shown} is damaged: {damage}", "download the file again");
    }

    private static async Task<string?> InspectAsync(
        string path, ImageRequest request, CancellationToken cancellationToken)
    {
        if (request.Inspect is not { } inspect)
            return null;
        await using var stream = File.OpenRead(path);
        return await inspect(stream, cancellationToken);
    }

    private async Task<ImageChecksum?> ChecksumAsync(
        ImageRequest request, ImageSource source, IProgressSink progress, CancellationToken cancellationToken)
    {
        const string FilePrefix = "file:";
        var text = request.Checksum.Trim();
        if (text is "none")
            return null;
        if (!text.StartsWith(FilePrefix, StringComparison.OrdinalIgnoreCase))
            return ImageChecksum.Parse(text);
        var list = ImageSource.Parse(text[FilePrefix.Length..], request.BaseFolder);
        var bytes = list.Url is { } url
            ? await new PartialDownload(http, time, progress).ReadSmallAsync(url, MaxListSize, cancellationToken)
            : await ReadListAsync(list.Path!, cancellationToken);
        return ImageChecksum.Find(Encoding.UTF8.GetString(bytes), source.Name) ?? throw new ProblemException(
            ProblemKind.InvalidInput,
            $"the list of checksums {list.Text} does not name {source.Name}",
            "check that the list belongs to this image's release");
    }

    private static async Task<byte[]> ReadListAsync(string path, CancellationToken cancellationToken)
    {
        var info = new FileInfo(path);
        if (!info.Exists)
        {
            throw new ProblemException(
                ProblemKind.NotFound, $"there is no list of checksums {path}",
                "check the path; a relative one begins at the template's folder, and in a shell at the current one");
        }

        return info.Length <= MaxListSize
            ? await File.ReadAllBytesAsync(path, cancellationToken)
            : throw new ProblemException(
                ProblemKind.InvalidInput, $"{path} has {info.Length} bytes, too many for a list of checksums");
    }

    /// <summary>The kernel drops the lock with the process that holds it, however that ends.</summary>
    private async Task<FileStream> LockAsync(
        string path, ImageSource source, IProgressSink progress, CancellationToken cancellationToken)
    {
        for (var waited = false; ; waited = true)
        {
            try
            {
                return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path + ".lock"))
            {
                if (!waited)
                    progress.Activity($"Waiting for another build's download of {source.Name}");
                await Task.Delay(LockPoll, time, cancellationToken);
            }
        }
    }

    private static string CacheName(ImageSource source, ImageChecksum? wanted)
    {
        var extension = Path.GetExtension(source.Name);
        if (extension.Length is < 2 or > 10 || !extension.Skip(1).All(char.IsAsciiLetterOrDigit))
            extension = ".img";
        return wanted is not null
            ? $"{wanted.Algorithm}-{wanted.Hex}{extension}"
            : $"url-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source.Text)))[..40]}{extension}";
    }

    private static FetchedImage Result(string path, string sha256, string source, bool wasPresent) => new()
    {
        Path = path,
        Sha256 = sha256,
        Size = new FileInfo(path).Length,
        Source = source,
        WasPresent = wasPresent,
    };
}
