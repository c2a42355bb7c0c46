using System.Text.Json;

namespace Gantry.EndToEnd.Examples;

/// <summary><c>examples/isa</c>: kernels of several instruction sets, each adding two registers.</summary>
[Collection("examples")]
public sealed class IsaTests(ExampleHome home) : IClassFixture<ExampleHome>
{
    private static readonly Dictionary<string, (string Uname, string Bytes, string Disassembly)> Expected = new()
    {
        ["x86_64"] = ("x86_64", "48 01 c8", "add rax, rcx"),
        ["i386"] = ("i686", "01 c8", "add eax, ecx"),
        ["aarch64"] = ("aarch64", "00 00 01 8b", "add x0, x0, x1"),
        ["armhf"] = ("armv7l", "01 00 80 e0", "add r0, r0, r1"),
        ["ppc64le"] = ("ppc64le", "14 22 63 7c", "add r3, r3, r4"),
    };

    [Fact]
    public Task Run_OfHostAndForeignIsa_SaysHowEachWasRun() => RunAsync("x86_64", "aarch64");

    [Fact]
    [Trait("Category", "Long")]
    public Task Run_OfAllIsas_SaysHowEachWasRun() => RunAsync([.. Expected.Keys]);

    [Fact]
    public async Task Run_AsTable_HasALineForEach()
    {
        var (output, _) = await ExampleScript.RunAsync(home.Folder, ExampleScript.PathOf("isa/run"), "x86_64");
        var lines = output.TrimEnd().Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Matches("^ISA +INSTRUCTIONS +SECONDS +UNAME +BYTES +DISASSEMBLY$", lines[0]);
        Assert.Matches("^x86_64 +(translated|on the CPU).* [0-9.]+ +x86_64 +48 01 c8 +add rax, rcx$", lines[1]);
    }

    private async Task RunAsync(params string[] isas)
    {
        var (output, _) = await ExampleScript.RunAsync(
            home.Folder, ExampleScript.PathOf("isa/run"), ["-o", "json", .. isas]);
        using var document = JsonDocument.Parse(output);
        var rows = document.RootElement.EnumerateArray().ToArray();
        Assert.Equal(isas, rows.Select(row => Text(row, "isa")));
        foreach (var row in rows)
        {
            var isa = Text(row, "isa");
            Assert.Equal(Expected[isa], (Text(row, "uname"), Text(row, "bytes"), Text(row, "disassembly")));
            Assert.Contains(Text(row, "accelerator"), (string[])["tcg", "kvm"]);
            Assert.NotEqual("", Text(row, "reason"));
            Assert.Equal(42, row.GetProperty("sum").GetInt32());
            Assert.InRange(row.GetProperty("secondsToUserSpace").GetDouble(), 0.1, 300);
        }

        var (list, _) = await home.GantryAsync("list", "-o", "json");
        Assert.Equal("[]", list.Trim());
    }

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;
}
