namespace Gantry.Hcl.Functions;

/// <summary>The files of this host.</summary>
/// <param name="baseDirectory">Directory of the template, absolute.</param>
public sealed class LocalFileAccess(string baseDirectory) : IFileAccess
{
    /// <inheritdoc/>
    public string BaseDirectory { get; } = baseDirectory;

    /// <inheritdoc/>
    public string HomeDirectory { get; } = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <inheritdoc/>
    public string CurrentDirectory { get; } = Environment.CurrentDirectory;

    /// <inheritdoc/>
    public byte[] ReadAllBytes(string path, int maxBytes)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            // Pipes and devices say a length of zero, so the limit is held while reading too.
            var content = new MemoryStream();
            var buffer = new byte[81920];
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                if (content.Length + read > maxBytes)
                    throw new HclException(0, $"the file {path} is larger than {maxBytes} bytes");
                content.Write(buffer, 0, read);
            }
            return content.ToArray();
        }
        catch (FileNotFoundException)
        {
            throw new HclException(0, $"there is no file {path}");
        }
        catch (DirectoryNotFoundException)
        {
            throw new HclException(0, $"there is no file {path}");
        }
        catch (UnauthorizedAccessException) when (Directory.Exists(path))
        {
            throw new HclException(0, $"{path} is a directory, not a file");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new HclException(0, $"failed to read {path}: {exception.Message}");
        }
    }

    /// <inheritdoc/>
    public bool FileExists(string path) =>
        Directory.Exists(path) ? throw new HclException(0, $"{path} is a directory, not a file") : File.Exists(path);

    /// <inheritdoc/>
    public IEnumerable<string> ListFiles(string directory, int maxFiles)
    {
        if (!Directory.Exists(directory))
            return [];
        // Links are not followed: a link to a parent would never end.
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true };
        var files = new List<string>();
        foreach (var path in Directory.EnumerateFiles(directory, "*", options))
        {
            if (files.Count >= maxFiles)
                throw new HclException(0, $"{directory} holds more than {maxFiles} files");
            files.Add(Path.GetRelativePath(directory, path).Replace('\\', '/'));
        }
        return files;
    }
}
