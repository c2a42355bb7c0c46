namespace Gantry.Storage;

/// <summary>Files that only their owner may read.</summary>
public static class PrivateFile
{
    /// <summary>Writes a file's whole text; one that is there already is replaced, and keeps its mode.</summary>
    public static async Task WriteAsync(string path, string text, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using var file = new StreamWriter(path, options);
        await file.WriteAsync(text.AsMemory(), cancellationToken).ConfigureAwait(false);
    }
}
