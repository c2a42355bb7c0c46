using Gantry.App.Commands;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Model.Volumes;

namespace Gantry.App.Tests.Commands;

public sealed class EditCommandTests
{
    private static readonly MachineSpec Spec = new()
    {
        Name = "web",
        Isa = Isa.X86_64,
        MachineType = "pc-q35-7.2",
        Disks = [new DiskSpec { Volume = new VolumeId("0123456789abcdef") }],
        NetworkCards = [new NetworkCardSpec { Mac = "52:54:00:00:00:01" }],
        Notes = "it's <here> & \"there\" äß",
    };

    [Fact]
    public void Text_ReadAgain_IsTheSameSpec()
    {
        var text = EditCommand.Write(Spec, trouble: null);
        Assert.Equal(Spec, EditCommand.Read(text, Spec));
        Assert.Contains("it's <here>", text, StringComparison.Ordinal);
        Assert.Equal(Spec, EditCommand.Read(EditCommand.Write(Spec, "first\nsecond"), Spec));
    }

    [Fact]
    public void Change_IsRead_WithCommentsAndTrailingCommas()
    {
        var text = EditCommand.Write(Spec, trouble: null)
            .Replace("\"memoryMiB\": 512,", "// more\n  \"memoryMiB\": 1024,", StringComparison.Ordinal)
            .Replace("\"tags\": []", "\"tags\": [\"a\",]", StringComparison.Ordinal);
        var changed = EditCommand.Read(text, Spec);
        Assert.Equal(Spec with { MemoryMiB = 1024, Tags = ["a"] }, changed);
    }

    [Theory]
    [InlineData("\"memoryMiB\": 512", "\"memoryMB\": 512", "memoryMB")]
    [InlineData("\"memoryMiB\": 512", "\"memoryMiB\": many", "line ")]
    [InlineData("\"memoryMiB\": 512", "\"memoryMiB\": \"much\"", "memoryMiB: ")]
    [InlineData("\"memoryMiB\": 512", "\"memoryMiB\": 1", "1 MiB of memory")]
    [InlineData("0123456789abcdef", "ffffffffffffffff", "disks stay")]
    [InlineData("\"name\": \"web\"", "\"name\": \"Web Server\"", "can't be the name of a machine")]
    public void Mistake_IsNamed(string before, string after, string expected)
    {
        var text = EditCommand.Write(Spec, trouble: null);
        Assert.Contains(before, text, StringComparison.Ordinal);
        var problem = Assert.Throws<ProblemException>(
            () => EditCommand.Read(text.Replace(before, after, StringComparison.Ordinal), Spec)).Problem;
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.Contains(expected, problem.Summary, StringComparison.Ordinal);
    }
}
