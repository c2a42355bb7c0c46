using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Schema;

/// <summary>The parts of a <c>dynamic</c> block.</summary>
internal sealed class DynamicBlock
{
    private DynamicBlock(Expression forEach, string iterator, Expression? labels, Body content) =>
        (ForEach, Iterator, LabelsExpression, Content) = (forEach, iterator, labels, content);

    public Expression ForEach { get; }

    public string Iterator { get; }

    public Expression? LabelsExpression { get; }

    public Body Content { get; }

    /// <summary>Reads one; null after an error.</summary>
    public static DynamicBlock? Read(Block block, string type, DiagnosticBag diagnostics)
    {
        var before = diagnostics.Count;
        foreach (var attribute in block.Body.Attributes.Where(
            attribute => attribute.Name is not ("for_each" or "iterator" or "labels")))
        {
            var suggestion = Suggestion.Sentence(attribute.Name, ["for_each", "iterator", "labels"]);
            diagnostics.Error(
                attribute.NameSpan,
                "Unsupported argument",
                $"An argument named \"{attribute.Name}\" is not expected in a dynamic block.{suggestion} The "
                    + "arguments of the blocks to make go into \"content\".");
        }
        foreach (var other in block.Body.Blocks.Where(other => other.Type != "content"))
            diagnostics.Error(
                other.TypeSpan,
                "Unsupported block type",
                $"Blocks of type \"{other.Type}\" are not expected in a dynamic block; put them into \"content\".");
        var contents = block.Body.BlocksOf("content").ToList();
        if (contents.Count != 1)
            diagnostics.Error(
                block.HeaderSpan,
                "Invalid dynamic block",
                $"A dynamic block needs one \"content\" block; {contents.Count} found.");
        else if (!contents[0].Labels.IsEmpty)
            diagnostics.Error(
                contents[0].HeaderSpan,
                "Invalid dynamic block",
                "The \"content\" block takes no labels; use the argument \"labels\".");
        var forEach = block.Body.Attribute("for_each")?.Expression;
        if (forEach is null)
            diagnostics.Error(
                block.HeaderSpan,
                "Missing required argument",
                "The argument \"for_each\" is required in a dynamic block, but no definition was found.");
        var iterator = type;
        if (block.Body.Attribute("iterator")?.Expression is { } named)
        {
            if (References.AsTraversal(named) is { Steps.IsEmpty: true } name)
                iterator = name.Root;
            else
                diagnostics.Error(
                    named.Span, "Invalid iterator name", "The iterator is a bare name, without quotes or dots.");
        }
        return diagnostics.Count > before || forEach is null
            ? null
            : new DynamicBlock(forEach, iterator, block.Body.Attribute("labels")?.Expression, contents[0].Body);
    }

    /// <summary>Keys and elements to make blocks of; one unknown pair where they are not known; null after an error.</summary>
    public IEnumerable<(HclValue Key, HclValue Value)>? Pairs(HclValue collection, DiagnosticBag diagnostics)
    {
        if (collection.IsNull || (
            collection.Type != HclType.Any && !collection.Type.IsSequence && !collection.Type.IsKeyed))
        {
            diagnostics.Error(
                ForEach.Span,
                "Invalid dynamic for_each value",
                $"Cannot use {(collection.IsNull ? "a null value" : $"a {collection.Type.FriendlyName} value")} in for_each. A collection is required: a list, set, map, tuple or object.");
            return null;
        }
        if (!collection.IsKnown)
            return [(HclValue.UnknownOfAnyType, HclValue.UnknownOfAnyType)];
        return EvaluationRun.Pairs(collection).Select(
            pair => (pair.Key.WithMarks(collection.Marks), pair.Value.WithMarks(collection.Marks)));
    }

    /// <summary>The scope of the content for one element.</summary>
    public EvaluationScope ScopeOf(EvaluationScope scope, HclValue key, HclValue value)
    {
        var pair = HclValue.Object(new Dictionary<string, HclValue> { ["key"] = key, ["value"] = value });
        return scope.CreateChild(new Dictionary<string, HclValue>(StringComparer.Ordinal) { [Iterator] = pair });
    }

    /// <summary>The labels for one element; null after an error.</summary>
    public ImmutableArray<string>? Labels(EvaluationScope scope, DiagnosticBag diagnostics)
    {
        if (LabelsExpression is null)
            return [];
        var labels = Evaluator.EvaluateAs(LabelsExpression, HclType.List(HclType.String), scope, diagnostics);
        if (labels.IsWhollyKnown && !labels.IsNull && labels.AsItems().All(label => !label.IsNull))
            return [.. labels.AsItems().Select(label => label.AsString())];
        if (!diagnostics.HasErrors)
            diagnostics.Error(
                LabelsExpression.Span, "Invalid dynamic block label", "Labels must be known texts, not null.");
        return null;
    }
}
