using Gantry.Model;

namespace Gantry.Imaging.Downloads;

/// <summary>
/// Says whether a file is whole, from its own structure; null when it is, else what is wrong with it.
/// </summary>
/// <param name="content">Seekable, at its start.</param>
public delegate ValueTask<string?> ImageInspector(Stream content, CancellationToken cancellationToken);

/// <summary>An image to have on this host, by where it may be found and how it is known to be the right one.</summary>
public sealed record ImageRequest
{
    /// <summary>http, https and file URLs, and paths; tried in turn.</summary>
    public required ValueList<string> Urls { get; init; }

    /// <summary>
    /// Packer's <c>iso_checksum</c>: <c>none</c>; hexadecimal digits; <c>md5:</c>, <c>sha1:</c>, <c>sha256:</c> or
    /// <c>sha512:</c> and digits; <c>file:</c> and a list's URL or path, which names the image by its base name.
    /// </summary>
    public required string Checksum { get; init; }

    /// <summary>Relative paths begin here; absolute itself.</summary>
    public required string BaseFolder { get; init; }

    /// <summary>Finds what a checksum can't explain: an ISO that is shorter than its own volume says.</summary>
    public ImageInspector? Inspect { get; init; }
}

/// <summary>An image that is on this host and was verified.</summary>
public sealed record FetchedImage
{
    /// <summary>Absolute. A local source's own file, or a file in the cache; neither may be written to.</summary>
    public required string Path { get; init; }

    /// <summary>Of the whole file, in lower-case hexadecimal digits, whatever the request's checksum was.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>The URL or path that it came from.</summary>
    public required string Source { get; init; }

    /// <summary>Nothing had to be downloaded.</summary>
    public required bool WasPresent { get; init; }
}
