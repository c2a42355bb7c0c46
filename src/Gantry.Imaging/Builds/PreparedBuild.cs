using System.Collections.Immutable;
using Gantry.Imaging.Cache;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Create;
using Gantry.Model.Images;

namespace Gantry.Imaging.Builds;

/// <summary>
/// A build whose inputs are all here and known: what it starts from, its machine, and its layers' keys.
/// </summary>
public sealed record PreparedBuild
{
    public required BuildDefinition Definition { get; init; }

    /// <summary>The machine for a build that begins at the beginning; its name is filled in.</summary>
    public required MachinePlan Plan { get; init; }

    /// <summary>Where the base came from.</summary>
    public required Provenance Provenance { get; init; }

    /// <summary>The template that the base is, if it is one.</summary>
    public TemplateRecord? Template { get; init; }

    /// <summary>The installation's and one for each provisioner.</summary>
    public required ImmutableArray<LayerKey> Keys { get; init; }

    /// <summary>The installer's ISO on this host; null when there is none.</summary>
    public string? IsoPath { get; init; }

    /// <summary>
    /// Files made for this build alone (a kernel taken out of an ISO, a CD of answers), to be deleted with it.
    /// </summary>
    public required string Folder { get; init; }
}
