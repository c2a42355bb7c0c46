using System.Globalization;
using System.Text;

namespace Gantry.Imaging.Answers;

/// <summary>Reads one request from a client and answers it.</summary>
internal sealed class AnswerExchange(ServedFiles files, AnswerServerOptions options, TimeProvider time)
{
    private const int MaxHead = 16 * 1024;
    private const int MaxShownPath = 200;
    private const int Suggestions = 8;

    /// <summary>Null when the client closed without asking for anything.</summary>
    public async Task<AnswerAccess?> RunAsync(Stream stream, string client, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var head = await ReadHeadAsync(stream, cancellationToken);
        if (head is null)
            return null;
        var (method, path, range) = Parse(head);
        var access = new AnswerAccess
        {
            Method = Show(method),
            Path = Show(path ?? ""),
            Status = 400,
            Bytes = 0,
            Client = client,
            Milliseconds = 0,
        };
        access = await AnswerAsync(stream, access, method, path, range, cancellationToken);
        return access with { Milliseconds = time.GetElapsedTime(start).TotalMilliseconds };
    }

    private async Task<AnswerAccess> AnswerAsync(
        Stream stream, AnswerAccess access, string method, string? path, string? range, CancellationToken cancellationToken)
    {
        if (path is null)
            return await RefuseAsync(stream, access, 400, "the request is not understood", cancellationToken);
        if (method is not ("GET" or "HEAD"))
            return await RefuseAsync(stream, access, 405, "only GET and HEAD are served", cancellationToken);
        await using var content = files.Open(path);
        if (content is null)
        {
            var known = files.Suggest(path, Suggestions);
            var hint = known.Count > 0 ? $"there is {string.Join(", ", known.Select(Show))}" : "nothing is served at all";
            return await RefuseAsync(stream, access, 404, hint, cancellationToken);
        }

        var length = content.Length;
        var (status, first, count) = Range(range, length);
        var head = new StringBuilder();
        if (status == 206)
            head.Append(CultureInfo.InvariantCulture, $"Content-Range: bytes {first}-{first + count - 1}/{length}\r\n");
        else if (status == 416)
            head.Append(CultureInfo.InvariantCulture, $"Content-Range: bytes */{length}\r\n");
        head.Append("Accept-Ranges: bytes\r\nContent-Type: ").Append(ContentType(path)).Append("\r\n");
        await WriteHeadAsync(stream, status, count, head.ToString(), cancellationToken);
        if (method == "HEAD" || count == 0)
            return access with { Status = status };
        content.Position = first;
        var (sent, failure) = await CopyAsync(content, stream, count, cancellationToken);
        return access with { Status = status, Bytes = sent, Hint = failure };
    }

    private async Task<(long Sent, string Failure)> CopyAsync(
        Stream content, Stream stream, long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        long sent = 0;
        try
        {
            while (sent < count)
            {
                var want = (int)Math.Min(buffer.Length, count - sent);
                var got = await content.ReadAsync(buffer.AsMemory(0, want), cancellationToken);
                if (got == 0)
                    return (sent, "the file became shorter while it was sent");
                using var limit = Limit(cancellationToken);
                await stream.WriteAsync(buffer.AsMemory(0, got), limit.Token);
                sent += got;
            }

            return (sent, "");
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return (sent, "the client went away");
        }
    }

    private async Task<AnswerAccess> RefuseAsync(
        Stream stream, AnswerAccess access, int status, string hint, CancellationToken cancellationToken)
    {
        var body = Encoding.UTF8.GetBytes($"{status} {Reason(status)}: {hint}\n");
        await WriteHeadAsync(stream, status, body.Length, "Content-Type: text/plain; charset=utf-8\r\n", cancellationToken);
        if (access.Method == "HEAD")
            return access with { Status = status, Hint = hint };
        await stream.WriteAsync(body, cancellationToken);
        return access with { Status = status, Bytes = body.Length, Hint = hint };
    }

    private async Task WriteHeadAsync(
        Stream stream, int status, long length, string more, CancellationToken cancellationToken)
    {
        using var limit = Limit(cancellationToken);
        var head = FormattableString.Invariant(
            $"HTTP/1.1 {status} {Reason(status)}\r\nServer: gantry\r\nConnection: close\r\nContent-Length: {length}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head + more + "\r\n"), limit.Token);
    }

    private async Task<string?> ReadHeadAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var limit = Limit(cancellationToken);
        var buffer = new byte[MaxHead];
        var length = 0;
        while (length < buffer.Length)
        {
            var got = await stream.ReadAsync(buffer.AsMemory(length), limit.Token);
            if (got == 0)
                return null;
            length += got;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) >= 0 || buffer.AsSpan(0, length).IndexOf("\n\n"u8) >= 0)
                return Encoding.Latin1.GetString(buffer, 0, length);
        }

        return "";
    }

    private CancellationTokenSource Limit(CancellationToken cancellationToken)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // The linked source can't take the clock; a client's slowness is real time in any case.
        limit.CancelAfter(options.ClientTimeout);
        return limit;
    }

    private static (string Method, string? Path, string? Range) Parse(string head)
    {
        var lines = head.Split('\n');
        var words = lines[0].TrimEnd('\r').Split(' ');
        if (words.Length is not (2 or 3) || words[0].Length is 0 or > 16)
            return ("?", null, null);
        var target = words[1];
        if (target.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
        {
            // A client that takes this server for a proxy.
            var slash = target.IndexOf('/', "http://".Length);
            target = slash < 0 ? "/" : target[slash..];
        }

        var end = target.AsSpan().IndexOfAny('?', '#');
        target = end < 0 ? target : target[..end];
        string? range = null;
        foreach (var line in lines.Skip(1))
        {
            if (line.StartsWith("Range:", StringComparison.OrdinalIgnoreCase))
                range = line["Range:".Length..].Trim();
        }

        return (words[0], target.StartsWith('/') ? Uri.UnescapeDataString(target) : null, range);
    }

    /// <summary>One range as RFC 9110 has it; several at once, or another unit, get the whole.</summary>
    private static (int Status, long First, long Count) Range(string? range, long length)
    {
        const string Unit = "bytes=";
        if (range is null || !range.StartsWith(Unit, StringComparison.Ordinal) || range.Contains(','))
            return (200, 0, length);
        var parts = range[Unit.Length..].Split('-');
        if (parts.Length != 2)
            return (200, 0, length);
        var hasFirst = long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first);
        var hasLast = long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var last);
        if (!hasFirst && (!hasLast || parts[0].Trim().Length > 0))
            return (200, 0, length);
        if (!hasFirst)
            (first, last) = (Math.Max(0, length - last), length - 1);
        else if (!hasLast || last >= length)
            last = length - 1;
        return first >= length || last < first ? (416, 0, 0) : (206, first, last - first + 1);
    }

    private static string Show(string text)
    {
        var clean = new string([.. text.Take(MaxShownPath).Select(c => char.IsControl(c) ? '?' : c)]);
        return text.Length > MaxShownPath ? clean + "..." : clean;
    }

    private static string ContentType(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".html" or ".htm" => "text/html; charset=utf-8",
        ".xml" => "application/xml",
        ".json" => "application/json",
        ".cfg" or ".ks" or ".txt" or ".sh" or ".yaml" or ".yml" or ".seed" or ".conf" or "" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        206 => "Partial Content",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        _ => "Error",
    };
}
