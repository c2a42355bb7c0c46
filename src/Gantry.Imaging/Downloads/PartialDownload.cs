using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Gantry.Model;

namespace Gantry.Imaging.Downloads;

/// <summary>What is known of a file whose download was begun, kept beside it so that it can go on.</summary>
internal sealed record PartRecord
{
    public required string Url { get; init; }

    /// <summary>
    /// A strong ETag, or else the time of the last change, in the server's own words; null for neither.
    /// </summary>
    public string? Validator { get; init; }
}

/// <summary>
/// Downloads one URL into one file, going on where an earlier try ended if the server proves that the content is
/// still the same (<c>If-Range</c>). The file's folder must be there, and the caller must hold its lock.
/// </summary>
internal sealed class PartialDownload(HttpClient http, TimeProvider time, IProgressSink progress)
{
    private const int MaxTries = 6;
    private const int BlockSize = 256 * 1024;

    /// <summary>A server that sends nothing for this long has hung up without saying so.</summary>
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Left free on the file system beyond what the file needs, in bytes.</summary>
    private const long SpaceMargin = 64L * 1024 * 1024;

    public async Task RunAsync(Uri url, string part, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = Length(part);
            try
            {
                await TryAsync(url, part, cancellationToken);
                return;
            }
            catch (Exception e) when (IsTransient(e, cancellationToken))
            {
                // A try that brought something does not count against a long download on a bad line.
                if (Length(part) > before)
                    attempt = 1;
                if (attempt >= MaxTries)
                    throw new ProblemException(ProblemKind.Unavailable, $"{url}: {Reason(e)}", inner: e);
                await Task.Delay(TimeSpan.FromMilliseconds(250 << attempt), time, cancellationToken);
            }
        }
    }

    /// <summary>Reads a small file; more than <paramref name="maxBytes"/> is refused.</summary>
    public async Task<byte[]> ReadSmallAsync(Uri url, int maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            CheckStatus(url, response);
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[maxBytes + 1];
            var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            return length <= maxBytes
                ? buffer[..length]
                : throw new ProblemException(
                    ProblemKind.InvalidInput, $"{url} has more than {maxBytes} bytes, too many for a list of checksums",
                    "check the URL");
        }
        catch (Exception e) when (IsTransient(e, cancellationToken))
        {
            throw new ProblemException(ProblemKind.Unavailable, $"{url}: {Reason(e)}", inner: e);
        }
    }

    private async Task TryAsync(Uri url, string part, CancellationToken cancellationToken)
    {
        var record = await LoadAsync(part, cancellationToken);
        var have = record?.Url == url.ToString() && record.Validator is not null ? Length(part) : 0;
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        // A compressed transfer has other bytes, and other ranges, than the file.
        request.Headers.AcceptEncoding.ParseAdd("identity");
        if (have > 0)
        {
            request.Headers.Range = new RangeHeaderValue(have, null);
            request.Headers.IfRange = IfRange(record!.Validator!);
        }

        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && have > 0)
        {
            // Either all of it is here already, or it became shorter: then everything is fetched anew.
            if (response.Content.Headers.ContentRange?.Length == have)
                return;
            File.Delete(part);
            throw new HttpIOException(HttpRequestError.InvalidResponse, "the file became shorter while it was downloaded");
        }

        CheckStatus(url, response);
        var first = response.StatusCode == HttpStatusCode.PartialContent
            ? response.Content.Headers.ContentRange?.From ?? -1
            : 0;
        if (first != 0 && first != have)
            throw new HttpIOException(HttpRequestError.InvalidResponse, "the server sent another part than was asked for");
        await SaveAsync(part, new PartRecord { Url = url.ToString(), Validator = Validator(response) }, cancellationToken);
        var total = response.Content.Headers.ContentLength is { } rest ? first + rest : (long?)null;
        CheckSpace(part, url, total - first);
        await CopyAsync(response, part, first, total, cancellationToken);
    }

    private async Task CopyAsync(
        HttpResponseMessage response, string part, long first, long? total, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await using var file = new FileStream(
            part, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, 1, FileOptions.Asynchronous);
        file.SetLength(first);
        file.Position = first;
        var buffer = new byte[BlockSize];
        var reported = time.GetTimestamp();
        using var stall = new CancellationTokenSource(StallLimit, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
        while (true)
        {
            stall.CancelAfter(StallLimit);
            int count;
            try
            {
                count = await body.ReadAsync(buffer, linked.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new HttpIOException(HttpRequestError.ConnectionError, $"nothing came for {StallLimit.TotalSeconds:0} s");
            }

            if (count == 0)
                break;
            await WriteAsync(file, buffer.AsMemory(0, count), total, cancellationToken);
            if (time.GetElapsedTime(reported) < ReportInterval)
                continue;
            reported = time.GetTimestamp();
            progress.Amount(file.Position, total, "bytes");
        }

        progress.Amount(file.Position, total, "bytes");
        if (total is { } whole && file.Position != whole)
        {
            throw new HttpIOException(
                HttpRequestError.ResponseEnded, $"the transfer ended after {file.Position} of {whole} bytes");
        }
    }

    private static async Task WriteAsync(
        FileStream file, ReadOnlyMemory<byte> block, long? total, CancellationToken cancellationToken)
    {
        try
        {
            await file.WriteAsync(block, cancellationToken);
        }
        catch (IOException e)
        {
            var rest = total is { } whole ? $", {Sizes.Show(whole - file.Position)} more are needed" : "";
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"could not write {file.Name}: {e.Message}{rest}",
                "free space on that file system; the download then goes on where it stopped",
                inner: e);
        }
    }

    private static void CheckSpace(string part, Uri url, long? needed)
    {
        if (needed is not { } bytes)
            return;
        var free = new DriveInfo(Path.GetDirectoryName(part)!).AvailableFreeSpace;
        if (free >= bytes + SpaceMargin)
            return;
        throw new ProblemException(
            ProblemKind.Unavailable,
            $"{url} needs {Sizes.Show(bytes)} more, but {Path.GetDirectoryName(part)} has only {Sizes.Show(free)} free",
            $"free at least {Sizes.Show(bytes + SpaceMargin - free)} on that file system");
    }

    private static void CheckStatus(Uri url, HttpResponseMessage response)
    {
        if (response.IsSuccessStatusCode)
            return;
        var code = (int)response.StatusCode;
        if (code is 408 or 429 or >= 500)
            throw new HttpIOException(HttpRequestError.InvalidResponse, $"the server answered {code} {response.ReasonPhrase}");
        throw new ProblemException(
            ProblemKind.NotFound, $"{url}: the server answered {code} {response.ReasonPhrase}", "check the URL");
    }

    private static string? Validator(HttpResponseMessage response) =>
        response.Headers.ETag is { IsWeak: false } tag ? tag.Tag
            : response.Content.Headers.LastModified?.ToString("R", System.Globalization.CultureInfo.InvariantCulture);

    private static RangeConditionHeaderValue IfRange(string validator) =>
        validator.StartsWith('"')
            ? new RangeConditionHeaderValue(new EntityTagHeaderValue(validator))
            : new RangeConditionHeaderValue(
                DateTimeOffset.Parse(validator, System.Globalization.CultureInfo.InvariantCulture));

    private static bool IsTransient(Exception e, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested
        && e is HttpRequestException or HttpIOException or OperationCanceledException;

    private static string Reason(Exception e) =>
        e.InnerException is System.Net.Sockets.SocketException inner ? inner.Message : e.Message;

    private static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    private static async Task<PartRecord?> LoadAsync(string part, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = File.OpenRead(part + ".json");
            return await JsonSerializer.DeserializeAsync(stream, FileHashJson.Default.PartRecord, cancellationToken);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }

    private static Task SaveAsync(string part, PartRecord record, CancellationToken cancellationToken) =>
        File.WriteAllBytesAsync(
            part + ".json", JsonSerializer.SerializeToUtf8Bytes(record, FileHashJson.Default.PartRecord), cancellationToken);
}

/// <summary>Sizes for a person.</summary>
internal static class Sizes
{
    public static string Show(long bytes) => bytes switch
    {
        < 10L << 10 => FormattableString.Invariant($"{bytes} bytes"),
        < 10L << 20 => FormattableString.Invariant($"{bytes / 1024.0:0} KiB"),
        < 10L << 30 => FormattableString.Invariant($"{bytes / 1024.0 / 1024:0} MiB"),
        _ => FormattableString.Invariant($"{bytes / 1024.0 / 1024 / 1024:0.0} GiB"),
    };
}
