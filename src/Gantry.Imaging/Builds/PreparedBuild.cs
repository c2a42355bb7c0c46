using System.Collections.Immutable;
using Gantry.Imaging.Cache;
using Gantry.Imaging.Definitions;
using Gantry.Machines.Create;
using Gantry.Model.Images;

namespace Gantry.Imaging.Builds;

/// <summary>A build whose inputs are all here and known: what it starts from, its machine, and its layers' keys.</summary>
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

    /// <summary>Files made for this build alone (a kernel taken out of an ISO, a CD of answers), to be deleted with it.</summary>
    public required string Folder { get; init; }

    /// <summary>The list of steps, as it is shown before it runs.</summary>
    public IEnumerable<string> Steps()
    {
        var source = Definition.Source;
        yield return source.Base switch
        {
            BaseDefinition.Iso iso => $"base: ISO {Path.GetFileName(iso.Urls[0])}",
            BaseDefinition.DiskImage image => $"base: disk image {Path.GetFileName(image.Urls[0])}",
            BaseDefinition.Template template => $"base: template {template.Name}",
            BaseDefinition.Kernel kernel => $"base: kernel {kernel.KernelPath}",
            _ => throw new InvalidOperationException("unknown base"),
        };
        foreach (var step in source.Output.NeedsMachine ? MachineSteps(source) : [])
            yield return step;
        if (source.Output.Template is { } name)
            yield return $"artifact: template {name}";
        if (source.Output.Directory is { } folder)
            yield return $"artifact: {source.Output.Format ?? "qcow2"} disk in {folder}";
        if (source.Output.Iso is { } installer)
            yield return $"artifact: ISO {installer.Output}";
        foreach (var chain in Definition.PostProcessors)
            yield return $"post-process: {string.Join(", ", chain.Select(one => one.Label))}";
    }

    private IEnumerable<string> MachineSteps(QemuSource source)
    {
        if (source.Answers.HasHttp)
            yield return "answers: by HTTP";
        if (source.Answers.HasCd)
            yield return $"answers: on a CD labelled {source.Answers.CdLabel}";
        if (source.Answers.HasFloppy)
            yield return "answers: on a floppy";
        yield return source.Boot.Command.Count > 0 ? "boot, and type the boot command" : "boot";
        if (source.Communicator.Kind == CommunicatorKind.Ssh)
            yield return $"wait for SSH as {source.Communicator.User}";
        foreach (var provisioner in Definition.Provisioners)
            yield return $"provision: {provisioner.Label}";
        yield return source.Seal is not false && source.Communicator.Kind == CommunicatorKind.Ssh ? "seal and shut down" : "shut down";
    }
}
