using Gantry.Model.Volumes;

namespace Gantry.Model.Images;

/// <summary>A disk image from outside, taken into the store once and never changed; machines are laid over it.</summary>
public sealed record ImageRecord
{
    /// <summary>SHA-256 of the file it came from, which is also its key.</summary>
    public required string Digest { get; init; }

    /// <summary>The file's name, for people.</summary>
    public required string Name { get; init; }

    public required VolumeId Volume { get; init; }

    public required DateTimeOffset Created { get; init; }
}
