using System.Text.Json;
using CsCheck;
using Gantry.App.Commands;
using Gantry.App.Output;
using Gantry.App.Tests.Fakes;
using YamlDotNet.RepresentationModel;

namespace Gantry.App.Tests.Output;

public sealed class OutputTests
{
    private static readonly VersionInfo Version = new()
    {
        Version = "1.2.3",
        Runtime = ".NET \"x\": ü",
        Host = "linux-x64",
        Compiled = "no",
    };

    [Theory]
    [InlineData(OutputFormat.Json, "{\n  \"version\": \"1.2.3\",\n  \"runtime\": \".NET \\\"x\\\": ü\",\n"
        + "  \"host\": \"linux-x64\",\n  \"compiled\": \"no\"\n}\n")]
    [InlineData(OutputFormat.Yaml, "version: \"1.2.3\"\nruntime: \".NET \\\"x\\\": ü\"\nhost: linux-x64\ncompiled: \"no\"\n")]
    [InlineData(OutputFormat.Table, "version:  1.2.3\n")]
    internal void Result_IsWrittenInEachFormat(OutputFormat format, string expected)
    {
        var terminal = new FakeTerminal();
        new TerminalOutput(terminal).Write(
            new Rendered<VersionInfo>(
                Version,
                () => VersionJson.Default.VersionInfo,
                version => new FieldList { { "version", version.Version } }),
            format);
        Assert.Equal(expected, terminal.OutText.ToString());
    }

    [Fact]
    public void Yaml_OfAnyJson_ReadsBackAsTheSameValues() =>
        AnyJson(3).Sample(json =>
        {
            using var document = JsonDocument.Parse(json);
            var writer = new StringWriter();
            YamlWriter.Write(writer, document.RootElement);
            var stream = new YamlStream();
            stream.Load(new StringReader(writer.ToString()));
            AssertSame(document.RootElement, stream.Documents[0].RootNode);
        });

    [Fact]
    public void Yaml_NestedListsAndObjects_StandInBlocks()
    {
        using var document = JsonDocument.Parse("""{"a":[1,[true,null],{"b":"x","c":[]}],"d":{},"e":"two\nlines"}""");
        var writer = new StringWriter();
        YamlWriter.Write(writer, document.RootElement);
        Assert.Equal(
            "a:\n  - 1\n  - - true\n    - null\n  - b: x\n    c: []\nd: {}\ne: \"two\\nlines\"\n",
            writer.ToString());
    }

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Gen<string> AnyJson(int depth)
    {
        var text = Gen.OneOf(
            Gen.String[Gen.Char["abz019 -:#'\"\\{}[],&*!|>%@`~./\n\t\u0001\u00a0\u2028é"], 0, 8],
            OneOf("true", "no", "null", "~", "1", "1e3", "0x1F", "2026-01-01", "- a", "a: b", "", " a", "a ", "=", "<<",
                ".inf", "😀", "\ufeff"));
        var scalar = Gen.OneOf(
            text.Select(value => JsonSerializer.Serialize(value)),
            Gen.Int.Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            OneOf("true", "false", "null", "1.5", "-2e10"));
        if (depth == 0)
            return scalar;
        var inner = AnyJson(depth - 1);
        return Gen.OneOf(
            scalar,
            inner.Array[0, 4].Select(items => "[" + string.Join(',', items) + "]"),
            Gen.Select(text, inner).Array[0, 4].Select(items => "{" + string.Join(',', items
                .DistinctBy(item => item.Item1)
                .Select(item => JsonSerializer.Serialize(item.Item1) + ":" + item.Item2)) + "}"));
    }

    private static void AssertSame(JsonElement json, YamlNode yaml)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var children = Assert.IsType<YamlMappingNode>(yaml).Children;
                Assert.Equal(json.EnumerateObject().Select(property => property.Name), children.Select(child => Text(child.Key)));
                foreach (var (property, child) in json.EnumerateObject().Zip(children))
                    AssertSame(property.Value, child.Value);
                break;
            case JsonValueKind.Array:
                var items = Assert.IsType<YamlSequenceNode>(yaml).Children;
                Assert.Equal(json.GetArrayLength(), items.Count);
                foreach (var (element, item) in json.EnumerateArray().Zip(items))
                    AssertSame(element, item);
                break;
            case JsonValueKind.String:
                Assert.Equal(json.GetString(), Text(yaml));
                break;
            default:
                var scalar = Assert.IsType<YamlScalarNode>(yaml);
                Assert.Equal(YamlDotNet.Core.ScalarStyle.Plain, scalar.Style);
                Assert.Equal(json.GetRawText(), scalar.Value);
                break;
        }
    }

    /// <summary>Text, and certainly text: quoted, or plain and beginning with a letter, a slash or an underscore.</summary>
    private static string Text(YamlNode node)
    {
        var scalar = Assert.IsType<YamlScalarNode>(node);
        if (scalar.Style == YamlDotNet.Core.ScalarStyle.Plain)
        {
            Assert.Matches("^[A-Za-z_/]", scalar.Value);
            Assert.DoesNotMatch("(?i)^(true|false|null|yes|no|on|off|y|n)$", scalar.Value);
        }

        return scalar.Value!;
    }
}
