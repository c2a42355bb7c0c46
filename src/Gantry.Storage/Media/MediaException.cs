namespace Gantry.Storage.Media;

/// <summary>A medium could not be made or read; the message says what was expected, found, and what to do.</summary>
public class MediaException : Exception
{
    public MediaException(string message) : base(message) { }

    public MediaException(string message, Exception? inner) : base(message, inner) { }
}

/// <summary>The target has too little room for a medium. Sizes are in bytes.</summary>
public sealed class MediaSpaceException : MediaException
{
    public MediaSpaceException(string path, long needed, long? available, Exception? inner = null)
        : base(Describe(path, needed, available), inner)
    {
        Needed = needed;
        Available = available;
    }

    /// <summary>Size of the whole file to be written.</summary>
    public long Needed { get; }

    /// <summary>Room found on the file system before writing; null when the disk filled up while writing.</summary>
    public long? Available { get; }

    private static string Describe(string path, long needed, long? available)
    {
        string found = available is { } free ? $"{free} bytes are free" : "the disk filled up while writing";
        return $"writing '{path}' needs {needed} bytes, but {found}; free some space or choose another folder";
    }
}

/// <summary>The bytes of a medium are not what its format demands.</summary>
public abstract class MediaFormatException : MediaException
{
    protected MediaFormatException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>An ISO 9660 image is damaged, truncated or not one at all.</summary>
public sealed class IsoFormatException(string message) : MediaFormatException(message);

/// <summary>A FAT image is damaged, truncated or not one at all.</summary>
public sealed class FatFormatException(string message) : MediaFormatException(message);

/// <summary>A cpio archive is damaged, truncated or not one at all.</summary>
public sealed class CpioFormatException(string message, Exception? inner = null) : MediaFormatException(message, inner);
