using Gantry.Imaging.Cache;
using Gantry.Model;
using Gantry.Storage.Volumes;

namespace Gantry.Imaging.Builds;

/// <summary>What a build makes sure of before it starts anything.</summary>
internal sealed partial class BuildSession
{
    /// <summary>
    /// For a disk's first blocks, logs and the like; what an installation really takes nobody knows before.
    /// </summary>
    private const long LeastRoom = 512L << 20;

    private readonly List<FileClaim> _claims = [];

    /// <summary>
    /// Where disk files are made before they go to <paramref name="folder"/>; on the same file system.
    /// </summary>
    private string PartFolder(string folder) => $"{folder.TrimEnd('/')}.{Id}.part";

    /// <summary>Two builds never make one thing at the same time.</summary>
    private void ClaimOutputs()
    {
        var output = Source.Output;
        if (output.Template is { } template)
            Claim($"template {template}", "give the template another name");
        if (output.Directory is { } folder)
            Claim($"output folder {folder}", "give another output_directory");
        if (output.Iso is { } iso)
            Claim($"ISO {iso.Output}", "give it another output");
    }

    private void Claim(string what, string otherwise)
    {
        var path = Path.Combine(_services.Folders.Builds, $"output-{FileDigests.OfText(what)[..16]}{FileClaim.Suffix}");
        _claims.Add(FileClaim.TryTake(path) ?? throw new ProblemException(
            ProblemKind.Conflict, $"another build is making the {what} now", $"wait until it has ended, or {otherwise}"));
    }

    /// <summary>A build that goes on from a layer reads the time and the random values of that layer's chain.</summary>
    private void TakeOver(LayerRecord layer)
    {
        _networkSince = layer.NetworkSince;
        if (layer.Random.Seed is not { } seed)
            return;
        _frozen = new Definitions.FrozenValues(layer.Timestamp, seed);
        _steps = _definition.With(_frozen);
    }

    /// <summary>Refuses a build that would surely fill the disk; layers make room for it first.</summary>
    private async Task RequireRoomAsync(CancellationToken cancellationToken)
    {
        // A layer's memory is at most the guest's; one is written while none of the others need be.
        var needed = LeastRoom + (_options.NoCache ? 0 : (long)Source.MemoryMiB << 20);
        var keep = Prepared.Keys.Select(one => one.Key).ToHashSet();
        foreach (var layer in await _services.Layers.MakeRoomAsync(needed, keep, cancellationToken).ConfigureAwait(false))
            Log.Note($"Removed the cached step {layer.Label} of {layer.Build}, to make room");
        FileSpace.Require(_services.Folders.Volumes, needed, $"the build {_definition.Name}");
    }
}
