using Gantry.Storage.Media;

namespace Gantry.Imaging.Downloads;

/// <summary>Looks into images for damage that no checksum was given for.</summary>
public static class ImageInspectors
{
    private const int SignatureOffset = (16 * 2048) + 1;

    /// <summary>Finds an ISO that is shorter than its own volume says. What is no ISO image is not judged.</summary>
    public static async ValueTask<string?> TruncatedIsoAsync(Stream content, CancellationToken cancellationToken)
    {
        var signature = new byte[5];
        if (content.Length < SignatureOffset + signature.Length)
            return null;
        content.Position = SignatureOffset;
        await content.ReadExactlyAsync(signature, cancellationToken);
        if (!signature.AsSpan().SequenceEqual("CD001"u8))
            return null;
        content.Position = 0;
        try
        {
            using var reader = IsoReader.Open(content, leaveOpen: true, allowTruncated: true);
            return content.Length < reader.VolumeBytes
                ? $"the ISO is cut short: it has {content.Length} bytes, its volume {reader.VolumeBytes}"
                : null;
        }
        catch (IsoFormatException e)
        {
            return $"the ISO can't be read: {e.Message}";
        }
    }
}
