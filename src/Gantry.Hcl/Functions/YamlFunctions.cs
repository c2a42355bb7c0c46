using Gantry.Hcl.Values;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>YAML texts.</summary>
internal static class YamlFunctions
{
    public static IEnumerable<HclFunction> All =>
    [
        Function("yamldecode", Any, call => YamlReader.Read(call.Text(0)), Of("src", Text)),
        new HclFunction(
            "yamlencode", [new FunctionParameter("value", Any) { AllowsNull = true }], Text, call => Encode(call[0]).ToValue()),
    ];

    private static string Encode(HclValue value)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(writer, EmitterSettings.Default.WithBestWidth(int.MaxValue));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Emit(emitter, value, writer);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        var text = writer.ToString();
        // A scalar alone may be followed by the end of the document.
        return text.EndsWith("...\n", StringComparison.Ordinal) ? text[..^4] : text;
    }

    private static void Emit(Emitter emitter, HclValue value, StringWriter writer)
    {
        CheckLength(writer.GetStringBuilder().Length);
        if (value.IsNull)
        {
            emitter.Emit(Plain("null"));
            return;
        }
        switch (value.Type.Kind)
        {
            case HclTypeKind.String:
                // Several lines are easier to read as a block.
                emitter.Emit(Quoted(value.AsString(), value.AsString().Contains('\n')));
                break;
            case HclTypeKind.Number:
                emitter.Emit(Plain(value.AsNumber().ToString()));
                break;
            case HclTypeKind.Bool:
                emitter.Emit(Plain(value.AsBool() ? "true" : "false"));
                break;
            case HclTypeKind.Map or HclTypeKind.Object:
                emitter.Emit(
                    new MappingStart(
                        AnchorName.Empty,
                        TagName.Empty,
                        true,
                        value.Length == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (name, item) in value.AsEntries())
                {
                    emitter.Emit(Quoted(name, isBlock: false));
                    Emit(emitter, item, writer);
                }
                emitter.Emit(new MappingEnd());
                break;
            default:
                emitter.Emit(
                    new SequenceStart(
                        AnchorName.Empty,
                        TagName.Empty,
                        true,
                        value.Length == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in value.AsItems())
                    Emit(emitter, item, writer);
                emitter.Emit(new SequenceEnd());
                break;
        }
    }

    private static Scalar Plain(string text) => new(
        AnchorName.Empty, TagName.Empty, text, ScalarStyle.Plain, true, false);

    private static Scalar Quoted(string text, bool isBlock) =>
        new(
            AnchorName.Empty,
            TagName.Empty,
            text,
            isBlock ? ScalarStyle.Literal : ScalarStyle.DoubleQuoted,
            false,
            true);
}
