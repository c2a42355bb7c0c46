using Gantry.Imaging.Definitions;
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

    public async Task MakeArtifactsAsync(CancellationToken cancellationToken)
    {
        if (Source.Output.Iso is { } iso)
            await RemasterAsync(iso, cancellationToken).ConfigureAwait(false);
        if (Source.Output.Template is { } name)
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

        if (Source.Output.Directory is { } folder)
            await WriteDisksAsync(folder, cancellationToken).ConfigureAwait(false);
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

    /// <summary>The names of the disk files, as Packer gives them.</summary>
    private ValueList<string> DiskFiles(string folder) =>
        Source.DiskSizes.Select((_, i) => Path.Combine(folder, i == 0 ? Source.Output.MachineName : $"{Source.Output.MachineName}-{i}")).ToValueList();

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
        Directory.CreateDirectory(folder);
        var format = DiskImageFormats.TryParse(Source.Output.Format ?? "qcow2", out var named) ? named : DiskImageFormat.Qcow2;
        var volumes = _template?.Spec.Disks ?? _record!.Spec.Disks;
        var names = DiskFiles(folder);
        for (var i = 0; i < volumes.Count; i++)
        {
            var name = i < names.Count ? names[i] : $"{names[0]}-{i}";
            Log.Activity($"Writing {Path.GetFileName(name)} ({format.QemuName()})");
            var chain = await _services.Volumes.ChainAsync(volumes[i].Volume, cancellationToken).ConfigureAwait(false);
            FileSpace.Require(folder, chain.Sum(file => FileSpace.AllocatedBytes(file.Path)), $"the disk file {Path.GetFileName(name)}");
            // A compacted template that stands alone is the very file that is wanted.
            if (_template is not null && chain.Length == 1 && format == DiskImageFormat.Qcow2)
                await CopyAsync(chain[0].Path, name, cancellationToken).ConfigureAwait(false);
            else
                await ConvertAsync(chain[0], name, format, cancellationToken).ConfigureAwait(false);
            _files.Add(name);
        }
    }

    private Task ConvertAsync(VolumeFile source, string name, DiskImageFormat format, CancellationToken cancellationToken)
    {
        File.Delete(name);
        return _services.DiskTool.ConvertAsync(
            source.Path,
            source.Format == VolumeFormat.Raw ? DiskImageFormat.Raw : DiskImageFormat.Qcow2,
            name,
            format,
            part => Log.Amount((long)(part * source.VirtualSize), source.VirtualSize, "bytes"),
            cancellationToken,
            compress: Source.Output.Compress && format is DiskImageFormat.Qcow2 or DiskImageFormat.Vmdk && Source.Output.Compress);
    }

    private static async Task CopyAsync(string source, string target, CancellationToken cancellationToken)
    {
        var partial = target + ".part";
        try
        {
            // File.Copy shares blocks where the file system can.
            await Task.Run(() => File.Copy(source, partial, overwrite: true), cancellationToken).ConfigureAwait(false);
            File.Move(partial, target, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
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

    public Task PostProcessAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
