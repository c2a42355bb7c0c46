using Gantry.Model;

namespace Gantry.Imaging.PostProcessors;

/// <summary>What a build made, as post-processors hand it on.</summary>
public sealed record BuildArtifact
{
    /// <summary>What Packer calls the build: <c>web</c> for a source <c>qemu.web</c>.</summary>
    public required string BuildName { get; init; }

    /// <summary><c>qemu</c>.</summary>
    public required string BuilderType { get; init; }

    /// <summary>The artifact's own name, such as a template's id; or empty.</summary>
    public string Id { get; init; } = "";

    /// <summary>Its files on this host.</summary>
    public ValueList<string> Files { get; init; } = [];
}
