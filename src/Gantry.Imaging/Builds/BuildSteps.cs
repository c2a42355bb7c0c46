using Gantry.Imaging.Definitions;

namespace Gantry.Imaging.Builds;

/// <summary>What a build does, in words.</summary>
public static class BuildSteps
{
    /// <summary>The list of steps, as it is shown before it runs.</summary>
    public static IEnumerable<string> Of(BuildDefinition definition)
    {
        var source = definition.Source;
        yield return source.Base switch
        {
            BaseDefinition.Iso iso => $"base: ISO {Path.GetFileName(iso.Urls[0])}",
            BaseDefinition.DiskImage image => $"base: disk image {Path.GetFileName(image.Urls[0])}",
            BaseDefinition.Template template => $"base: template {template.Name}",
            BaseDefinition.Kernel kernel => $"base: kernel {kernel.KernelPath}",
            _ => throw new InvalidOperationException("unknown base"),
        };
        foreach (var step in source.Output.NeedsMachine ? OfMachine(definition) : [])
            yield return step;
        if (source.Output.Template is { } name)
            yield return $"artifact: template {name}";
        if (source.Output.Directory is { } folder)
            yield return $"artifact: {source.Output.Format ?? "qcow2"} disk in {folder}";
        if (source.Output.Iso is { } installer)
            yield return $"artifact: ISO {installer.Output}";
        foreach (var chain in definition.PostProcessors)
            yield return $"post-process: {string.Join(", ", chain.Select(one => one.Label))}";
    }

    private static IEnumerable<string> OfMachine(BuildDefinition definition)
    {
        var source = definition.Source;
        if (source.Answers.HasHttp)
            yield return "answers: by HTTP";
        if (source.Answers.HasCd)
            yield return $"answers: on a CD labelled {source.Answers.CdLabel}";
        if (source.Answers.HasFloppy)
            yield return "answers: on a floppy";
        yield return source.Boot.Command.Count > 0 ? "boot, and type the boot command" : "boot";
        if (source.Communicator.Kind == CommunicatorKind.Ssh)
            yield return $"wait for SSH as {source.Communicator.User}";
        foreach (var provisioner in definition.Provisioners)
            yield return $"provision: {provisioner.Label}";
        yield return source.Seal is not false && source.Communicator.Kind == CommunicatorKind.Ssh ? "seal and shut down" : "shut down";
    }
}
