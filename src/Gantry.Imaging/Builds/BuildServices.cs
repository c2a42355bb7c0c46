using Gantry.Engines;
using Gantry.Engines.Qemu;
using Gantry.Imaging.Cache;
using Gantry.Imaging.Downloads;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Delete;
using Gantry.Machines.Images;
using Gantry.Machines.Run;
using Gantry.Machines.Snapshots;
using Gantry.Machines.Templates;
using Gantry.Model;
using Gantry.Model.State;
using Gantry.Steps.Jobs;
using Gantry.Storage;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Imaging.Builds;

/// <summary>What builds stand on; put together once, where the program begins.</summary>
public sealed record BuildServices
{
    public required DataFolders Folders { get; init; }

    public required IStateStore Store { get; init; }

    public required VolumePool Volumes { get; init; }

    public required QemuImg DiskTool { get; init; }

    public required MachineCatalog Machines { get; init; }

    public required TemplateCatalog Templates { get; init; }

    public required MachineMaker Maker { get; init; }

    public required MachineHost Host { get; init; }

    public required MachineRemover Remover { get; init; }

    public required DiskFreezer Freezer { get; init; }

    public required TemplateMaker TemplateMaker { get; init; }

    public required ImageLibrary Images { get; init; }

    public required LayerStore Layers { get; init; }

    public required ImageFetcher Fetcher { get; init; }

    public required JobRunner Jobs { get; init; }

    public required TimeProvider Time { get; init; }

    public required IEntropy Entropy { get; init; }
}
