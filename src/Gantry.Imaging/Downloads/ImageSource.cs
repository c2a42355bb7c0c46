using Gantry.Model;

namespace Gantry.Imaging.Downloads;

/// <summary>One place of an image: a path on this host, or a URL.</summary>
/// <param name="Text">As it was given.</param>
/// <param name="Path">Absolute; null for a URL.</param>
/// <param name="Url">null for a path.</param>
/// <param name="Name">The file's own name, without folders or a query.</param>
internal sealed record ImageSource(string Text, string? Path, Uri? Url, string Name)
{
    public static ImageSource Parse(string text, string baseFolder)
    {
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return OfPath(text, text, baseFolder);
        switch (text[..scheme].ToLowerInvariant())
        {
            case "file":
                // file:///abs, and Packer's file://relative.
                return OfPath(text, Uri.UnescapeDataString(text[(scheme + 3)..]), baseFolder);
            case "http" or "https" when Uri.TryCreate(text, UriKind.Absolute, out var url):
                var name = Uri.UnescapeDataString(url.Segments[^1].TrimEnd('/'));
                return new ImageSource(text, null, url, name.Length > 0 ? name : url.Host);
            default:
                throw new ProblemException(
                    ProblemKind.InvalidInput, $"'{text}' is no place that an image can come from",
                    "give an http, https or file URL, or a path");
        }
    }

    private static ImageSource OfPath(string text, string path, string baseFolder)
    {
        if (path.Length == 0)
            throw new ProblemException(ProblemKind.InvalidInput, "the path of an image is empty", "set iso_url");
        var absolute = System.IO.Path.GetFullPath(path, baseFolder);
        return new ImageSource(text, absolute, null, System.IO.Path.GetFileName(absolute));
    }
}
