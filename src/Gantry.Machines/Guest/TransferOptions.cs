namespace Gantry.Machines.Guest;

public enum TransferMethod
{
    /// <summary>Small files and folders through the open connection; large files over SFTP where the guest has it.
    /// What one way can't do, the other is tried for.</summary>
    Auto,

    /// <summary>SFTP, over a connection of its own.</summary>
    Sftp,

    /// <summary>The guest's shell with <c>cat</c>, <c>wc</c> and, for folders, <c>tar</c>. Whatever can run the
    /// <c>scp</c> program can do this too, so there is no method for that.</summary>
    Shell,
}

/// <summary>How files are copied to and from a guest.</summary>
public sealed record TransferOptions
{
    public TransferMethod Method { get; init; }

    /// <summary>Permissions of an uploaded file; null keeps a local file's own, and a stream's are what the guest
    /// gives new files.</summary>
    public UnixFileMode? Mode { get; init; }

    /// <summary>Gets the bytes copied so far, after each block.</summary>
    public Action<long>? Progress { get; init; }
}
