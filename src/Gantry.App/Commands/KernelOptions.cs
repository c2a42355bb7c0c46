using System.CommandLine;
using System.Runtime.InteropServices;
using Gantry.Machines.Create;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary>What a user says of a machine that starts a kernel instead of a template's disk.</summary>
internal sealed class KernelOptions
{
    private readonly Option<string> _kernel = new("--kernel") { HelpName = "FILE", Description = "Start this kernel; no template is needed" };
    private readonly Option<string> _initrd = new("--initrd") { HelpName = "FILE", Description = "The kernel's initramfs" };
    private readonly Option<string> _append = new("--append") { HelpName = "TEXT", Description = "The kernel's command line" };
    private readonly Option<string> _arch = new("--arch") { HelpName = "ISA", Description = "The kernel's instruction set (the host's)" };
    private readonly Option<string> _type = new("--machine-type") { HelpName = "TYPE", Description = "QEMU's machine type for the kernel, such as q35" };
    private readonly Option<string> _cpu = new("--cpu") { HelpName = "MODEL", Description = "QEMU's CPU model for the kernel, such as cortex-a53" };

    public void AddTo(Command command)
    {
        _arch.CompletionSources.Add([.. Enum.GetValues<Isa>().Select(isa => isa.Name())]);
        foreach (var option in All())
            command.Options.Add(option);
    }

    /// <summary>The kernel machine; null where a template is named.</summary>
    /// <exception cref="ProblemException">Neither or both of template and kernel, a file that is not there, an unknown ISA.</exception>
    public KernelMachine? Of(ParseResult parse, string? template)
    {
        if (parse.GetValue(_kernel) is not { } kernel)
        {
            if (All().FirstOrDefault(option => parse.GetResult(option) is { Implicit: false }) is { } alone)
                throw new ProblemException(ProblemKind.InvalidInput, $"{alone.Name} is for a machine that starts a kernel", "give --kernel too");
            return template is not null ? null : throw new ProblemException(
                ProblemKind.InvalidInput, "neither a template nor a kernel is named",
                "name a template (gantry template list shows them), or give --kernel FILE");
        }

        if (template is not null)
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"both the template {template} and the kernel {kernel} are named", "leave one of them out");
        }

        return new KernelMachine
        {
            Isa = IsaOf(parse.GetValue(_arch)),
            Boot = new DirectBoot
            {
                Kernel = FileOf("--kernel", kernel),
                Initrd = parse.GetValue(_initrd) is { } initrd ? FileOf("--initrd", initrd) : null,
                CommandLine = parse.GetValue(_append) ?? "",
            },
            MachineType = parse.GetValue(_type),
            CpuModel = parse.GetValue(_cpu),
        };
    }

    private Option[] All() => [_kernel, _initrd, _append, _arch, _type, _cpu];

    private static string FileOf(string option, string path) => File.Exists(path)
        ? Path.GetFullPath(path)
        : throw new ProblemException(
            ProblemKind.NotFound, $"{option} {path}: there is no such file",
            "the file is read at each start of the machine, so it must be there and stay");

    private static Isa IsaOf(string? text)
    {
        if (text is null)
        {
            return RuntimeInformation.OSArchitecture switch
            {
                Architecture.Arm64 => Isa.Aarch64,
                _ => Isa.X86_64,
            };
        }

        return IsaNames.TryParse(text, out var isa)
            ? isa
            : throw new ProblemException(
                ProblemKind.InvalidInput, $"--arch {text} is no instruction set that Gantry knows",
                "expected " + string.Join(", ", Enum.GetValues<Isa>().Select(one => one.Name())));
    }
}
