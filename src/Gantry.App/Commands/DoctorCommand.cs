using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using Gantry.App.Output;
using Gantry.Engines.Host;
using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage;

namespace Gantry.App.Commands;

/// <summary><c>gantry doctor</c>: what this host is and can do, with reasons.</summary>
internal static class DoctorCommand
{
    public const string Summary = "Show what this host can run, and what it lacks";

    public static Command Build(CommandContext context)
    {
        var command = new Command("doctor", Summary);
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var folders = DataFolders.FromEnvironment();
            folders.Create();
            var host = new QemuHost(folders.Facts);
            HostReport report;
            using (var view = context.StartProgress())
            {
                view.Activity("Looking at this host");
                report = await HostReport.GatherAsync(
                    host, new KvmProbe(host, context.Time), [folders.Home], cancellationToken);
                view.Complete();
            }

            context.Output.Write(
                new Rendered<HostReport>(report, () => DoctorJson.Default.HostReport, Text), output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static FieldList Text(HostReport report)
    {
        var cpu = report.Cpu;
        var level = cpu.Level is { } number ? string.Create(CultureInfo.InvariantCulture, $", x86-64-v{number}") : "";
        var fields = new FieldList
        {
            {
                "cpu",
                string.Create(CultureInfo.InvariantCulture, $"{cpu.Model}, {cpu.LogicalCpus} logical, {cpu.Architecture}{level}")
                    + (cpu.Microarchitecture is { } core ? $"\n{cpu.Vendor} {core}" : $"\n{cpu.Vendor}")
                    + (cpu.VirtualizationExtension is { } flag ? $", {flag}" : "")
            },
            { "memory", $"{Quantities.Bytes(report.MemoryAvailableBytes)} free of {Quantities.Bytes(report.MemoryBytes)}" },
            { "kernel", report.KernelRelease },
            {
                "this host",
                report.Hypervisor.Present
                    ? $"a guest of {report.Hypervisor.Name ?? "an unnamed hypervisor"}: {report.Hypervisor.Evidence}"
                    : $"no guest: {report.Hypervisor.Evidence}"
            },
            { "kvm", Kvm(report) },
            { "hypervisor", report.HypervisorType },
            { "control groups", $"{report.ControlGroups}: {report.ControlGroupNote}" },
            { "published ports", string.Create(CultureInfo.InvariantCulture, $"from {report.LowestPort} upward") },
        };
        foreach (var space in report.Space)
            fields.Add("space", $"{Quantities.Bytes(space.FreeBytes)} free of {Quantities.Bytes(space.TotalBytes)} at {space.Folder}");
        foreach (var isa in report.Isas)
            fields.Add(isa.Isa.Name(), OfIsa(isa, report.Kvm));
        return fields;
    }

    private static string Kvm(HostReport report)
    {
        var text = $"{(report.Kvm.Works ? "works" : "does not work")}: {report.Kvm.Reason}";
        return report.Kvm.Reason.Contains(report.KvmDevice, StringComparison.Ordinal)
            ? text
            : $"{text}\n{report.KvmDevice}";
    }

    private static string OfIsa(IsaReport isa, KvmVerdict kvm)
    {
        if (isa.QemuVersion is not { } version)
            return (isa.Reason + "\n" + isa.Install).TrimEnd('\n');
        // What is said of KVM above need not be said again for each.
        var reason = kvm.Works ? isa.Reason : isa.Reason.Replace(kvm.Reason, "no kvm", StringComparison.Ordinal);
        return $"QEMU {version}, {isa.Accelerator?.ToString().ToUpperInvariant()}{(isa.HasUefi ? ", UEFI" : "")}: {reason}";
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(HostReport))]
internal sealed partial class DoctorJson : JsonSerializerContext;
