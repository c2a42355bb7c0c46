using System.CommandLine;
using Gantry.App.Commands;
using Gantry.Machines.Create;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Tests.Commands;

public sealed class KernelOptionsTests
{
    private static readonly string Here = Environment.ProcessPath!;

    [Fact]
    public void Kernel_WithItsOptions_IsAMachine()
    {
        var machine = Parse(null, "--kernel", Here, "--initrd", Here, "--append", "console=ttyS0 quiet", "--arch", "arm64", "--cpu", "cortex-a53");
        Assert.Equal((Isa.Aarch64, "cortex-a53", null), (machine!.Isa, machine.CpuModel, machine.MachineType));
        Assert.Equal(new DirectBoot { Kernel = Here, Initrd = Here, CommandLine = "console=ttyS0 quiet" }, machine.Boot);
    }

    [Fact]
    public void Template_WithoutAKernel_IsNone() => Assert.Null(Parse("mini"));

    [Theory]
    [InlineData(null, "neither a template nor a kernel")]
    [InlineData(null, "there is no such file", "--kernel", "/nowhere/vmlinuz")]
    [InlineData("mini", "both the template mini and the kernel", "--kernel", "/nowhere/vmlinuz")]
    [InlineData("mini", "--append is for a machine that starts a kernel", "--append", "quiet")]
    [InlineData(null, "vax is no instruction set", "--kernel", "/bin/sh", "--arch", "vax")]
    public void Options_ThatDoNotFit_AreRefused(string? template, string expected, params string[] words) =>
        Assert.Contains(expected, Assert.Throws<ProblemException>(() => Parse(template, words)).Problem.ToString(), StringComparison.Ordinal);

    private static KernelMachine? Parse(string? template, params string[] words)
    {
        var options = new KernelOptions();
        var command = new Command("launch");
        options.AddTo(command);
        return options.Of(command.Parse(words), template);
    }
}
