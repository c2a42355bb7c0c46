namespace Gantry.Hcl.Functions;

/// <summary>How functions reach files. Paths come as the template wrote them.</summary>
public interface IFileAccess
{
    /// <summary>The directory against which <c>file</c> and its like resolve relative paths.</summary>
    string BaseDirectory { get; }

    /// <summary>The directory that <c>~</c> stands for.</summary>
    string HomeDirectory { get; }

    /// <summary>The directory against which <c>abspath</c> resolves relative paths.</summary>
    string CurrentDirectory { get; }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="maxBytes">A larger file is an <see cref="HclException"/>.</param>
    /// <exception cref="HclException">It cannot be read; the message says why.</exception>
    byte[] ReadAllBytes(string path, int maxBytes);

    /// <summary>Whether there is a file, not a directory, at an absolute path.</summary>
    bool FileExists(string path);

    /// <summary>Paths of all files below an absolute directory, relative to it, with <c>/</c>; empty without it.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="maxFiles">More files are an <see cref="HclException"/>.</param>
    IEnumerable<string> ListFiles(string directory, int maxFiles);
}

/// <summary>Fills a buffer with random bytes.</summary>
public delegate void EntropySource(Span<byte> buffer);

/// <summary>What the standard functions need of the world; a caller freezes a build by freezing these.</summary>
public sealed record FunctionServices
{
    /// <summary>The files.</summary>
    public required IFileAccess Files { get; init; }

    /// <summary>The clock that <c>timestamp</c> reads. The functions for legacy templates read it once, when they are made.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>Where <c>uuidv4</c> takes its bytes.</summary>
    public required EntropySource Entropy { get; init; }

    /// <summary>Largest file that a function reads, in bytes.</summary>
    public int MaxFileSize { get; init; } = 8 << 20;
}
