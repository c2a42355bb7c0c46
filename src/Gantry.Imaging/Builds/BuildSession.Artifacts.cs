using Gantry.Imaging.Definitions;
using Gantry.Imaging.PostProcessors;
using Gantry.Machines.Templates;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Volumes;
using Gantry.Storage.Images;
using Gantry.Storage.Media;
using Gantry.Storage.Volumes;

namespace Gantry.Imaging.Builds;

/// <summary>What a build leaves for its user: a template, disk files, an ISO.</summary>
internal sealed partial class BuildSession
{
    private readonly List<string> _files = [];
    private TemplateRecord? _template;

    /// <summary>
    /// Everything is made under another name first, the template last; what was there before stays until then. A
    /// failure leaves nothing new.
    /// </summary>
    public async Task MakeArtifactsAsync(CancellationToken cancellationToken)
    {
        if (Source.Output.Iso is { } iso)
            await RemasterAsync(iso, cancellationToken).ConfigureAwait(false);
        if (Source.Output.Directory is { } folder)
            await WriteDisksAsync(PartFolder(folder), cancellationToken).ConfigureAwait(false);
        if (Source.Output.Template is { } name)
            await PublishAsync(name, cancellationToken).ConfigureAwait(false);
        if (Source.Output.Directory is { } target)
            MoveDisks(PartFolder(target), target);
    }

    private async Task PublishAsync(string name, CancellationToken cancellationToken)
    {
        _template = await _services.TemplateMaker.MakeAsync(
            new TemplateRequest
            {
                Machine = _record!.Number,
                Name = name,
                Provenance = _provenance,
                Sealed = _sealed,
                LoginUser = Source.Communicator.Kind == CommunicatorKind.Ssh ? Source.Communicator.User : null,
                Compress = Source.Output.Compress,
                Parent = Prepared.Template?.Id,
            },
            Log.Sink,
            cancellationToken).ConfigureAwait(false);
        Log.Note($"Template {name} is ready");
    }

    public BuildResult Result() => new()
    {
        Name = _definition.Name,
        Template = _template,
        Files = _files,
        Elapsed = _services.Time.GetElapsedTime(_start),
        Provenance = _template?.Provenance ?? _provenance,
        CachedSteps = _layer is null ? 0 : _next + 1,
        Parts = _parts,
    };

    /// <summary>The name of a disk's file, as Packer gives it.</summary>
    private string DiskFile(int index) => index == 0 ? Source.Output.MachineName : $"{Source.Output.MachineName}-{index}";

    private void CheckOutput()
    {
        if (Source.Output.Directory is not { } folder || !Directory.Exists(folder))
            return;
        if (!_options.Force)
        {
            throw new ProblemException(
                ProblemKind.Conflict,
                $"the output folder {folder} is there already",
                "give -force to replace it, or another output_directory");
        }
    }

    private async Task WriteDisksAsync(string folder, CancellationToken cancellationToken)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        var format = DiskImageFormats.TryParse(Source.Output.Format ?? "qcow2", out var named) ? named : DiskImageFormat.Qcow2;
        var disks = _record!.Spec.Disks;
        for (var i = 0; i < disks.Count; i++)
        {
            var name = Path.Combine(folder, DiskFile(i));
            Log.Activity($"Writing {DiskFile(i)} ({format.QemuName()})");
            var chain = await _services.Volumes.ChainAsync(disks[i].Volume, cancellationToken).ConfigureAwait(false);
            FileSpace.Require(folder, chain.Sum(file => FileSpace.AllocatedBytes(file.Path)), $"the disk file {DiskFile(i)}");
            await VolumePool.AlignBackingNamesAsync(chain, _services.DiskTool, cancellationToken).ConfigureAwait(false);
            await _services.DiskTool.ConvertAsync(
                chain[0].Path,
                chain[0].Format == VolumeFormat.Raw ? DiskImageFormat.Raw : DiskImageFormat.Qcow2,
                name,
                format,
                part => Log.Amount((long)(part * chain[0].VirtualSize), chain[0].VirtualSize, "bytes"),
                cancellationToken,
                compress: Source.Output.Compress && format is (DiskImageFormat.Qcow2 or DiskImageFormat.Vmdk))
                .ConfigureAwait(false);
        }
    }

    /// <summary>The finished files go where they belong; a folder of an earlier run is replaced file by file.</summary>
    private void MoveDisks(string from, string to)
    {
        if (!Directory.Exists(to))
            Directory.Move(from, to);
        else
        {
            foreach (var file in Directory.GetFiles(from))
                File.Move(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
            Directory.Delete(from);
        }

        for (var i = 0; i < _record!.Spec.Disks.Count; i++)
            _files.Add(Path.Combine(to, DiskFile(i)));
    }

    private async Task RemasterAsync(IsoArtifact artifact, CancellationToken cancellationToken)
    {
        var source = Prepared.IsoPath ?? throw new ProblemException(
            ProblemKind.InvalidInput, $"{Source.Name} makes an ISO and starts from none", "give iso_url and iso_checksum");
        Log.Activity($"Writing {Path.GetFileName(artifact.Output)}");
        var files = new MediaTree();
        foreach (var file in artifact.Files)
            files.AddHostPath(file.HostPath, file.Path);
        foreach (var content in artifact.Content)
            files.AddFile(content.Path, MediaContent.FromText(content.Content));
        Directory.CreateDirectory(Path.GetDirectoryName(artifact.Output)!);
        try
        {
            await InstallerIso.RemasterAsync(
                new InstallerIsoOptions
                {
                    Source = source,
                    Target = artifact.Output,
                    KernelArguments = artifact.KernelArguments,
                    Files = files,
                    MenuEntry = artifact.MenuEntry,
                    Timestamp = _services.Time.GetUtcNow(),
                },
                null,
                cancellationToken).ConfigureAwait(false);
        }
        catch (MediaException e)
        {
            throw new ProblemException(ProblemKind.Failed, $"{artifact.Output} could not be made: {e.Message}", inner: e);
        }

        _files.Add(artifact.Output);
        Log.Note($"{artifact.Output} installs without a key typed");
    }

    public async Task PostProcessAsync(CancellationToken cancellationToken)
    {
        var variables = _randoms?.Variables(Source.Communicator) ?? BuildVariables.Placeholders;
        foreach (var chain in _definition.PostProcessors)
        {
            var artifact = await ArtifactAsync(cancellationToken).ConfigureAwait(false);
            foreach (var step in chain)
            {
                Log.Activity($"Post-processing: {step.Label}");
                artifact = await PostProcessOneAsync(step.Options(variables), artifact, cancellationToken)
                    .ConfigureAwait(false);
            }

            foreach (var file in artifact.Files.Where(file => !_files.Contains(file) && !file.StartsWith(_services.Folders.Home, StringComparison.Ordinal)))
                _files.Add(file);
        }
    }

    /// <summary>The files for the user; where the build makes only a template, its disks in the store.</summary>
    private async Task<BuildArtifact> ArtifactAsync(CancellationToken cancellationToken)
    {
        ValueList<string> files = [.. _files];
        if (files.Count == 0 && _template is not null)
        {
            var disks = new List<string>();
            foreach (var disk in _template.Spec.Disks)
                disks.Add(_services.Volumes.PathOf(await _services.Volumes.GetAsync(disk.Volume, cancellationToken).ConfigureAwait(false)));
            files = [.. disks];
        }

        return new BuildArtifact { BuildName = Source.Name, BuilderType = "qemu", Id = _template?.Id ?? "", Files = files };
    }

    private async Task<BuildArtifact> PostProcessOneAsync(
        PostProcessorOptions options, BuildArtifact artifact, CancellationToken cancellationToken)
    {
        var folder = Environment.CurrentDirectory;
        switch (options)
        {
            case PostProcessorOptions.Manifest manifest:
                await ManifestPostProcessor.RunAsync(
                    manifest, artifact, folder, _randoms?.RunUuid ?? _services.Entropy.NewUuid().ToString(), _options.Force, _services.Time, cancellationToken)
                    .ConfigureAwait(false);
                return artifact;
            case PostProcessorOptions.Checksum checksum:
                return await ChecksumPostProcessor.RunAsync(checksum, artifact, folder, Log.Sink, cancellationToken)
                    .ConfigureAwait(false);
            case PostProcessorOptions.ShellLocal local:
                await new ShellLocalRunner(_services.Time).RunAsync(
                    local.Options, artifact.BuildName, artifact.BuilderType, folder, [], line => Log.Output(line.Text), cancellationToken)
                    .ConfigureAwait(false);
                return artifact;
            default:
                throw new InvalidOperationException($"unknown post-processor {options.GetType().Name}");
        }
    }
}
