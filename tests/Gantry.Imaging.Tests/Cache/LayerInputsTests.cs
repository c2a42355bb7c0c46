using Gantry.Imaging.Cache;

namespace Gantry.Imaging.Tests.Cache;

public sealed class LayerInputsTests
{
    private static MachineInputs Machine() => new()
    {
        Base = [new NamedDigest("iso", "aa")],
        QemuArguments = ["-m", "256"],
        Programs = [new NamedDigest("qemu", "bb")],
        Accelerator = "Tcg",
        CpuFeatures = "sse",
        DiskSizes = [1024],
        Answers = [new FileDigest("/answers", "644", "cc")],
        BootCommand = ["<enter>"],
        BootWait = "10",
        User = "root",
        Credential = "dd",
        Seed = "nocloud",
    };

    private static StepInputs Step() => new()
    {
        Type = "shell",
        Options = "{}",
        Files = [new FileDigest("0/a", "755", "ee")],
        Nonce = "",
    };

    private static LayerInputs Both() => new() { Parent = "p", Machine = Machine(), Step = Step() };

    [Fact]
    public void Key_OfEqualInputs_IsEqual()
    {
        Assert.Equal(Both().Key(), Both().Key());
        Assert.Matches("^[0-9a-f]{64}$", Both().Key());
    }

    [Fact]
    public void Key_ChangesWithEachMember()
    {
        var all = Both();
        var (machine, step) = (Machine(), Step());
        LayerInputs[] changed =
        [
            all,
            all with { Format = LayerInputs.CurrentFormat + 1 },
            all with { Parent = "q" },
            all with { Parent = null },
            all with { Machine = null },
            all with { Step = null },
            all with { Machine = machine with { Base = [new NamedDigest("disk", "aa")] } },
            all with { Machine = machine with { Base = [new NamedDigest("iso", "ab")] } },
            all with { Machine = machine with { QemuArguments = ["-m 256"] } },
            all with { Machine = machine with { Programs = [] } },
            all with { Machine = machine with { Accelerator = "Kvm" } },
            all with { Machine = machine with { CpuFeatures = "" } },
            all with { Machine = machine with { DiskSizes = [1024, 1024] } },
            all with { Machine = machine with { Answers = [new FileDigest("/answers", "600", "cc")] } },
            all with { Machine = machine with { Answers = [new FileDigest("/other", "644", "cc")] } },
            all with { Machine = machine with { BootCommand = ["<enter>", ""] } },
            all with { Machine = machine with { BootWait = "11" } },
            all with { Machine = machine with { User = "admin" } },
            all with { Machine = machine with { Credential = "" } },
            all with { Machine = machine with { Seed = "" } },
            all with { Machine = machine with { KeyboardLayout = "de" } },
            all with { Machine = machine with { MachineName = "mini" } },
            all with { Step = step with { BuildName = "mini" } },
            all with { Step = step with { Type = "file" } },
            all with { Step = step with { Options = "{ }" } },
            all with { Step = step with { Files = [new FileDigest("0/a", "644", "ee")] } },
            all with { Step = step with { Nonce = "n" } },
        ];
        Assert.Equal(changed.Length, changed.Select(one => one.Key()).Distinct().Count());
    }
}
