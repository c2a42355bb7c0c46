using System.Collections.Immutable;
using System.Text;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Evaluation;

/// <summary>What goes through collections: for expressions, splats and templates.</summary>
internal sealed partial class EvaluationRun
{
    // The pairs of key and element to go through, or null where they are not known or an error was reported.
    private IEnumerable<(HclValue Key, HclValue Value)>? Iterate(HclValue collection, SourceSpan span)
    {
        if (collection.IsNull)
        {
            Fail(span, "Iteration over null value", "The collection of a 'for' must not be null.");
            return null;
        }
        if (collection.Type != HclType.Any && !collection.Type.IsSequence && !collection.Type.IsKeyed)
        {
            Fail(
                span,
                "Iteration over non-iterable value",
                $"A value of type {collection.Type.FriendlyName} cannot be gone through; a collection is required.");
            return null;
        }
        return collection.IsKnown ? Pairs(collection) : null;
    }

    /// <summary>Keys and elements of a known collection; the elements of a set are their own keys.</summary>
    internal static IEnumerable<(HclValue Key, HclValue Value)> Pairs(HclValue collection)
    {
        if (collection.Type.IsKeyed)
            return collection.AsEntries().Select(pair => (HclValue.String(pair.Key), pair.Value));
        if (collection.Type.Kind == HclTypeKind.Set)
            return collection.AsItems().Select(item => (item, item));
        return collection.AsItems().Select((item, i) => (HclValue.Number(i), item));
    }

    private static EvaluationScope LoopScope(
        EvaluationScope scope, string? keyName, string valueName, (HclValue Key, HclValue Value) pair)
    {
        var variables = new Dictionary<string, HclValue>(2, StringComparer.Ordinal);
        if (keyName is not null)
            variables[keyName] = pair.Key;
        variables[valueName] = pair.Value;
        return scope.CreateChild(variables);
    }

    private HclValue For(ForExpression loop, EvaluationScope scope)
    {
        var collection = Evaluate(loop.Collection, scope);
        if (Iterate(collection, loop.Collection.Span) is not { } pairs)
            return HclValue.UnknownOfAnyType.WithMarks(collection.Marks);
        var result = new LoopResult(this, loop, collection.Marks);
        foreach (var pair in pairs)
        {
            if (_budget.IsSpent)
                return HclValue.UnknownOfAnyType;
            Turn(loop, LoopScope(scope, loop.KeyName, loop.ValueName, pair), result);
        }
        return result.ToValue();
    }

    private void Turn(ForExpression loop, EvaluationScope scope, LoopResult result)
    {
        if (loop.Condition is not null)
        {
            var condition = Condition(loop.Condition, scope, "'for' expression");
            if (condition is null || !condition.IsKnown)
            {
                result.IsKnown = false;
                return;
            }
            result.AddMarks(condition.Marks);
            if (!condition.AsBool())
                return;
        }
        var key = loop.Key is null ? null : Key(loop.Key, scope, "object 'for' expression");
        result.Add(key, Evaluate(loop.Value, scope));
    }

    // What a for expression gathers: a tuple, an object, or an object of tuples.
    private sealed class LoopResult(EvaluationRun run, ForExpression loop, ImmutableSortedSet<string> marks)
    {
        private readonly List<HclValue> _items = [];
        private readonly SortedDictionary<string, List<HclValue>> _groups = new(StringComparer.Ordinal);
        private ImmutableSortedSet<string> _marks = marks;
        private int _count;

        public bool IsKnown { get; set; } = true;

        public void AddMarks(ImmutableSortedSet<string> more) => _marks = _marks.Union(more);

        public void Add(HclValue? key, HclValue value)
        {
            if (++_count > run._limits.MaxElements)
                throw new HclException($"a 'for' expression may make at most {run._limits.MaxElements} elements");
            if (loop.Key is null)
            {
                _items.Add(value);
                return;
            }
            if (key is null || !key.IsKnown)
            {
                IsKnown = false;
                return;
            }
            AddMarks(key.Marks);
            if (!_groups.TryGetValue(key.AsString(), out var group))
                _groups[key.AsString()] = group = [];
            else if (!loop.Groups)
            {
                run.Fail(
                    loop.Key.Span,
                    "Duplicate object key",
                    $"Two different items produced the key {ValueText.Write(key)} in this 'for' expression. To gather the "
                    + "values of equal keys, write an ellipsis (...) after the value.");
                IsKnown = false;
            }
            group.Add(value);
        }

        public HclValue ToValue()
        {
            if (!IsKnown)
                return HclValue.UnknownOfAnyType.WithMarks(_marks);
            var value = loop.Key is null
                ? HclValue.Tuple(_items)
                : HclValue.Object(_groups.Select(pair =>
                    KeyValuePair.Create(pair.Key, loop.Groups ? HclValue.Tuple(pair.Value) : pair.Value[0])));
            return value.WithMarks(_marks);
        }
    }

    private HclValue Splat(SplatExpression splat, EvaluationScope scope)
    {
        var source = Evaluate(splat.Source, scope);
        if (!source.Type.IsSequence)
        {
            // A single value stands for a tuple of itself, null for the empty one.
            if (source.IsNull)
                return HclValue.EmptyTuple.WithMarks(source.Marks);
            if (source.Type == HclType.Any)
                return HclValue.UnknownOfAnyType.WithMarks(source.Marks);
            return HclValue.Tuple([Each(splat, source.UnmarkShallow(), scope)]).WithMarks(source.Marks);
        }
        if (source.IsNull)
            return Fail(
                splat.Source.Span, "Splat of null value", "A null list, set or tuple has no elements to go through.");
        if (!source.IsKnown)
            return HclValue.UnknownOfAnyType.WithMarks(source.Marks);
        var items = source.AsItems().Select(item => Each(splat, item, scope)).ToList();
        var types = items.Select(item => item.Type).Distinct().ToList();
        // The elements of a list or set have one type, so what is made of them usually has one too.
        var isList = source.Type.IsCollection && types.Count == 1;
        return (isList ? HclValue.List(types[0], items) : HclValue.Tuple(items)).WithMarks(source.Marks);
    }

    private HclValue Each(SplatExpression splat, HclValue element, EvaluationScope scope)
    {
        _splatElements[splat.Element] = element;
        var result = Evaluate(splat.Each, scope);
        _splatElements.Remove(splat.Element);
        return result;
    }

    private HclValue Template(TemplateExpression template, EvaluationScope scope)
    {
        var text = new TemplateText(_limits);
        foreach (var part in template.Parts)
            text.Append(this, part, Evaluate(part, scope));
        return text.ToValue();
    }

    private HclValue TemplateIf(TemplateIfExpression directive, EvaluationScope scope)
    {
        var condition = Condition(directive.Condition, scope, "template 'if' directive");
        if (condition is null || !condition.IsKnown)
            return HclValue.Unknown(HclType.String).WithMarks(condition?.Marks ?? []);
        return Evaluate(condition.AsBool() ? directive.WhenTrue : directive.WhenFalse, scope).WithMarks(condition.Marks);
    }

    private HclValue TemplateFor(TemplateForExpression directive, EvaluationScope scope)
    {
        var collection = Evaluate(directive.Collection, scope);
        if (Iterate(collection, directive.Collection.Span) is not { } pairs)
            return HclValue.Unknown(HclType.String).WithMarks(collection.Marks);
        var text = new TemplateText(_limits);
        foreach (var pair in pairs)
        {
            if (_budget.IsSpent)
                break;
            var turn = LoopScope(scope, directive.KeyName, directive.ValueName, pair);
            text.Append(this, directive.Body, Evaluate(directive.Body, turn));
        }
        return text.ToValue().WithMarks(collection.Marks);
    }

    // Joins the parts of a template as texts.
    private sealed class TemplateText(HclLimits limits)
    {
        private readonly StringBuilder _text = new();
        private ImmutableSortedSet<string> _marks = [];
        private bool _isKnown = true;

        public void Append(EvaluationRun run, Expression part, HclValue value)
        {
            _marks = _marks.Union(value.AllMarks());
            if (value.IsNull)
            {
                run.Fail(
                    part.Span,
                    "Invalid template interpolation value",
                    "The value is null, which has no text to put into a template.");
                _isKnown = false;
                return;
            }
            if (!HclConversion.TryConvert(value.UnmarkShallow(), HclType.String, out var text, out var error))
            {
                run.Fail(
                    part.Span,
                    "Invalid template interpolation value",
                    $"Cannot include the given value in a string template: {error}.");
                _isKnown = false;
                return;
            }
            if (!text.IsKnown)
            {
                _isKnown = false;
                return;
            }
            if (_text.Length + text.AsString().Length > limits.MaxStringLength)
                throw new HclException(
                    $"the text of this template would be longer than {limits.MaxStringLength} characters");
            _text.Append(text.AsString());
        }

        public HclValue ToValue() =>
            (_isKnown ? HclValue.String(_text.ToString()) : HclValue.Unknown(HclType.String)).WithMarks(_marks);
    }
}
