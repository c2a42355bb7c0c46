using Gantry.Imaging.Cache;
using Gantry.Model;

namespace Gantry.Imaging.Downloads;

// DRAFT
public sealed record FetchedImage(string Path, string Sha256);

public sealed class ImageFetcher
{
    public async Task<FetchedImage> FetchAsync(IReadOnlyList<string> urls, string checksum, IProgressSink progress, CancellationToken cancellationToken)
    {
        var path = System.IO.Path.GetFullPath(urls[0].Replace("file://", ""));
        return new FetchedImage(path, await FileDigests.OfFileAsync(path, cancellationToken));
    }
}
