using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Schema;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Tests.Schema;

public sealed class BodyDecoderTests
{
    private static readonly BodySchema Disk = new()
    {
        Attributes = [new("size", HclType.String, IsRequired: true), new("format", HclType.String)],
        Blocks = [new() { Type = "tag", LabelNames = ["name"], Body = new() { Attributes = [new("value", HclType.Any)] } }],
    };

    private static readonly BodySchema Machine = new()
    {
        Attributes = [new("memory", HclType.Number, IsRequired: true), new("headless", HclType.Bool), new("args", HclType.List(HclType.List(HclType.String)))],
        Blocks = [new() { Type = "disk", Body = Disk, Min = 1, Max = 3 }, new() { Type = "boot", Max = 1 }],
    };

    private static (DecodedBody Body, DiagnosticBag Diagnostics) Decode(
        string text, BodySchema? schema = null, params (string Name, HclValue Value)[] variables)
    {
        var diagnostics = new DiagnosticBag();
        return (BodyDecoder.Decode(Hcl.Parse(text), schema ?? Machine, Hcl.With(variables), diagnostics), diagnostics);
    }

    [Fact]
    public void Body_ThatFits_IsConvertedAndNested()
    {
        var (body, diagnostics) = Decode("""
            memory   = "2048"
            args     = [["-cpu", "max"], ["-smp", 2]]
            disk {
              size = "10G"
              tag "a" { value = [1] }
            }
            disk {
              size = 5
              format = null
            }
            """);
        Assert.Empty(diagnostics);
        Assert.Equal(2048, body.Integer("memory"));
        Assert.Null(body.Bool("headless"));
        Assert.Equal("[[\"-cpu\", \"max\"], [\"-smp\", \"2\"]]", body["args"]!.ToString());
        Assert.Equal(["10G", "5"], body.BlocksOf("disk").Select(disk => disk.Body.Text("size")));
        var tag = body.Blocks[0].Body.Block("tag")!;
        Assert.Equal(["a"], tag.Labels);
        Assert.Equal("[1]", tag.Body["value"]!.ToString());
    }

    [Theory]
    [InlineData("memry = 1\ndisk {\n size = 1\n}", "1:1: error: Unsupported argument; An argument named \"memry\" is not expected here. Did you mean \"memory\"?")]
    [InlineData("disk {\n size = 1\n}", "Missing required argument; The argument \"memory\" is required here, but no definition was found.")]
    [InlineData("memory = 1", "Missing disk block; At least one \"disk\" block is required here; 0 found.")]
    [InlineData("memory = 1\ndisk {}", "2:1: error: Missing required argument; The argument \"size\" is required in a \"disk\" block")]
    [InlineData("memory = 1\ndisk \"x\" {\n size = 1\n}", "Extraneous label for disk")]
    [InlineData("memory = 1\ndisk = 5\ndisk {\n size = 1\n}", "Did you mean to define a block of type \"disk\"?")]
    [InlineData("memory = 1\ndisk {\n size = 1\n}\nheadless {}", "Did you mean to define argument \"headless\"?")]
    [InlineData("memory = 1\ndsk {}\ndisk {\n size = 1\n}", "Blocks of type \"dsk\" are not expected here. Did you mean \"disk\"?")]
    [InlineData("memory = 1\nboot {}\nboot {}\ndisk {\n size = 1\n}", "3:1: error: Too many boot blocks; No more than one \"boot\" block is allowed here.")]
    [InlineData("memory = [1]\ndisk {\n size = 1\n}", "Inappropriate value for attribute \"memory\": a number is required, but this is a tuple.")]
    [InlineData("memory = null\ndisk {\n size = 1\n}", "must not be null")]
    [InlineData("memory = 1\ndisk {\n size = 1\n tag {}\n}", "Missing name for tag; All tag blocks must have 1 labels (name).")]
    [InlineData("memory = 1\ndisk {\n size = nope()\n}", "There is no function named \"nope\"")]
    [InlineData("memory = 1\ndynamic \"dsk\" {\n for_each = []\n content {}\n}\ndisk {\n size = 1\n}", "Blocks of type \"dsk\" are not expected here.")]
    [InlineData("memory = 1\ndynamic \"disk\" {\n for_each = 5\n content {}\n}\ndisk {\n size = 1\n}", "Cannot use a number value in for_each")]
    [InlineData("memory = 1\ndynamic \"disk\" {\n foreach = []\n content {}\n}\ndisk {\n size = 1\n}", "Did you mean \"for_each\"?")]
    public void Body_ThatDoesNotFit_SaysWhereAndWhy(string text, string expected)
    {
        var (_, diagnostics) = Decode(text);
        Assert.Contains(diagnostics, diagnostic => diagnostic.ToString().Contains(expected, StringComparison.Ordinal));
        Assert.InRange(diagnostics.Count, 1, 2);
    }

    [Fact]
    public void Dynamic_Blocks_ExpandWithIteratorLabelsAndNesting()
    {
        var (body, diagnostics) = Decode("""
            memory = 1
            dynamic "disk" {
              for_each = { b = ["x"], a = ["y", "z"] }
              iterator = d
              content {
                size = d.key
                dynamic "tag" {
                  for_each = d.value
                  labels   = ["${d.key}-${tag.key}"]
                  content {
                    value = tag.value
                  }
                }
              }
            }
            """);
        Assert.Empty(diagnostics);
        Assert.Equal(["a", "b"], body.Blocks.Select(disk => disk.Body.Text("size")));
        Assert.Equal(["a-0", "a-1"], body.Blocks[0].Body.Blocks.Select(tag => tag.Labels[0]));
        Assert.Equal("z", body.Blocks[0].Body.Blocks[1].Body.Text("value"));
    }

    [Fact]
    public void Dynamic_UnknownCollection_GivesOneUnknownBlock()
    {
        var (body, diagnostics) = Decode("""
            memory = 1
            dynamic "disk" {
              for_each = later
              content {
                size = disk.value
              }
            }
            """, null, ("later", HclValue.UnknownOfAnyType));
        Assert.Empty(diagnostics);
        var disk = Assert.Single(body.Blocks);
        Assert.True(disk.IsUnknown);
        Assert.False(disk.Body["size"]!.IsKnown);
    }

    [Fact]
    public void Dynamic_TooMany_IsADiagnostic()
    {
        var (_, diagnostics) = Decode("""
            dynamic "a" {
              for_each = range(1000)
              content {
                dynamic "a" {
                  for_each = range(1000)
                  content {}
                }
              }
            }
            """, new BodySchema { Blocks = [new() { Type = "a", Body = new() { Blocks = [new() { Type = "a" }] } }] });
        Assert.Contains("Too many blocks", Assert.Single(diagnostics).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Schema_AllowingMore_KeepsTheRest()
    {
        var schema = new BodySchema { Attributes = [new("only", HclType.List(HclType.String))], AllowsMore = true };
        var (body, diagnostics) = Decode("only = [\"a\"]\ninline = [\"b\"]\nother {\n}\ndynamic \"x\" {\n}\n", schema);
        Assert.Empty(diagnostics);
        Assert.Equal<string>(["a"], body.Texts("only")!.Value);
        Assert.Equal(["inline"], body.Rest.Attributes.Select(attribute => attribute.Name));
        Assert.Equal(["other", "dynamic"], body.Rest.Blocks.Select(block => block.Type));
    }

    [Theory]
    [InlineData("string", "[1, 2]", "\"[1, 2]\"")]
    [InlineData("string", "a \"b\"", "\"a \\\"b\\\"\"")]
    [InlineData("number", "5", "5")]
    [InlineData("bool", "true", "true")]
    [InlineData("list(string)", "[\"a\", 1]", "[\"a\", \"1\"]")]
    [InlineData("any", "[1]", "\"[1]\"")]
    [InlineData("map(number)", "{a=1}", "{a = 1}")]
    public void VariableInput_Text_IsReadByTheType(string type, string text, string expected)
    {
        var diagnostics = new DiagnosticBag();
        Assert.Equal(expected, VariableInput.Parse("-var x", text, Values.ConversionTests.TypeOf(type), diagnostics).ToString());
        Assert.Empty(diagnostics);
    }

    [Theory]
    [InlineData("number", "five", "-var x:1:1: error: Invalid value for variable; The value is not suitable: a number is required")]
    [InlineData("list(string)", "[a]", "-var x:1:2: error: Variables not allowed")]
    [InlineData("list(string)", "[", "-var x:1:2: error: Invalid expression")]
    public void VariableInput_Wrong_SaysWhere(string type, string text, string expected)
    {
        var diagnostics = new DiagnosticBag();
        VariableInput.Parse("-var x", text, Values.ConversionTests.TypeOf(type), diagnostics);
        Assert.StartsWith(expected, Assert.Single(diagnostics).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void VariableInput_JsonFile_GivesValuesOrThePlaceOfTheError()
    {
        var diagnostics = new DiagnosticBag();
        var values = VariableInput.ParseJsonFile(new SourceFile("v.json", """{"a": 1, "b": ["x"]}"""), diagnostics);
        Assert.Empty(diagnostics);
        Assert.Equal("a=1 b=[\"x\"]", string.Join(' ', values.Select(pair => $"{pair.Key}={pair.Value}")));
        Assert.Empty(VariableInput.ParseJsonFile(new SourceFile("v.json", "{\n \"é\": x}"), diagnostics));
        Assert.StartsWith("v.json:2:7: error: Invalid JSON", Assert.Single(diagnostics).ToString(), StringComparison.Ordinal);
    }
}
