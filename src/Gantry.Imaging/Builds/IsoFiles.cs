using Gantry.Model;
using Gantry.Storage.Media;

namespace Gantry.Imaging.Builds;

/// <summary>Takes single files out of an ISO, so that nothing has to be mounted.</summary>
internal static class IsoFiles
{
    /// <exception cref="ProblemException">It is no ISO, or has no such file.</exception>
    public static async Task ExtractAsync(string iso, string path, string target, CancellationToken cancellationToken)
    {
        try
        {
            using var reader = IsoReader.OpenFile(iso);
            await using var source = reader.OpenRead(path);
            await using var file = File.Create(target);
            await source.CopyToAsync(file, cancellationToken).ConfigureAwait(false);
        }
        catch (MediaException e)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"{path} can't be taken out of {iso}: {e.Message}",
                "check the path, and that the ISO is whole (its checksum tells)", inner: e);
        }
    }
}
