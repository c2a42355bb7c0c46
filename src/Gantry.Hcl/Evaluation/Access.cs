using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Evaluation;

/// <summary>Looking into values: attributes and indices.</summary>
internal static class Access
{
    public static HclValue Attribute(EvaluationRun run, HclValue target, AttributeExpression access)
    {
        var name = access.Name;
        if (target.IsNull)
            return run.Fail(
                access.Target.Span,
                "Attempt to get attribute from null value",
                "This value is null, so it does not have any attributes.");
        if (target.Type.IsKeyed)
            return Keyed(run, target, name, access.NameSpan, isIndex: false);
        if (target.Type == HclType.Any)
            return HclValue.UnknownOfAnyType.WithMarks(target.Marks);
        var hint = target.Type.IsSequence && target.Type.Kind != HclTypeKind.Set
            ? $" Did you mean to access an attribute \"{name}\" of one element, with an index in brackets before it, or of all, with [*]?"
            : "";
        return run.Fail(
            access.NameSpan,
            "Unsupported attribute",
            $"Can't access attributes on a value of type {target.Type.FriendlyName}.{hint}");
    }

    public static HclValue Index(EvaluationRun run, HclValue target, HclValue key, IndexExpression access)
    {
        if (target.IsNull)
            return run.Fail(
                access.Target.Span,
                "Attempt to index null value",
                "This value is null, so it does not have any indices.");
        if (key.IsNull)
            return run.Fail(access.Key.Span, "Invalid index", "Can't use a null value as an indexing key.");
        if (target.Type == HclType.Any)
            return HclValue.UnknownOfAnyType.WithMarks(target.Marks.Union(key.Marks));
        var isKeyed = target.Type.IsKeyed;
        if (!isKeyed && target.Type.Kind is not (HclTypeKind.List or HclTypeKind.Tuple))
        {
            return run.Fail(
                access.Span,
                "Invalid index",
                target.Type.Kind == HclTypeKind.Set
                    ? "The elements of a set have neither order nor key. Convert it to a list first, or go through all of them."
                    : $"This value of type {target.Type.FriendlyName} does not have any indices.");
        }
        if (!HclConversion.TryConvert(key, isKeyed ? HclType.String : HclType.Number, out var converted, out var error))
            return run.Fail(access.Key.Span, "Invalid index", $"There is no such element: {error}.");
        if (!converted.IsKnown)
            return HclValue.Unknown(target.Type.IsCollection ? target.Type.ElementType : HclType.Any).WithMarks(
                target.Marks.Union(key.Marks));
        var result = isKeyed
            ? Keyed(run, target, converted.AsString(), access.Key.Span, isIndex: true)
            : Numbered(run, target, converted.AsNumber(), access.Key.Span);
        return result.WithMarks(key.Marks);
    }

    private static HclValue Keyed(EvaluationRun run, HclValue target, string name, SourceSpan span, bool isIndex)
    {
        var type = target.Type;
        if (!target.IsKnown)
        {
            if (type.Kind == HclTypeKind.Map)
                return HclValue.Unknown(type.ElementType).WithMarks(target.Marks);
            if (type.Attributes.TryGetValue(name, out var attribute))
                return HclValue.Unknown(attribute.Type).WithMarks(target.Marks);
            return Missing(run, type, name, type.Attributes.Keys, span, isIndex);
        }
        return target.TryGetEntry(name, out var value)
            ? value.WithMarks(target.Marks)
            : Missing(run, type, name, target.AsEntries().Keys, span, isIndex);
    }

    private static HclValue Missing(
        EvaluationRun run, HclType type, string name, IEnumerable<string> names, SourceSpan span, bool isIndex)
    {
        var suggestion = Suggestion.Sentence(name, names);
        if (type.Kind == HclTypeKind.Map)
            return run.Fail(
                span,
                isIndex ? "Invalid index" : "Missing map element",
                $"This map does not have an element with the key \"{name}\".{suggestion}");
        return run.Fail(
            span,
            isIndex ? "Invalid index" : "Unsupported attribute",
            $"This object does not have an attribute named \"{name}\".{suggestion}");
    }

    private static HclValue Numbered(EvaluationRun run, HclValue target, HclNumber number, SourceSpan span)
    {
        const string Wrong = "There is no such element";
        if (!number.IsInteger)
            return run.Fail(
                span, "Invalid index", $"{Wrong}: an index is a whole number, but {number} has a fractional part.");
        if (number.Sign < 0)
            return run.Fail(
                span, "Invalid index", $"{Wrong}: a negative number is not a valid index; indices start at 0.");
        var isTuple = target.Type.Kind == HclTypeKind.Tuple;
        if (!target.IsKnown)
        {
            var open = isTuple
                ? number.TryToInt64(out var at) && at < target.Type.ElementTypes.Length ? target.Type.ElementTypes[(int)at] : HclType.Any
                : target.Type.ElementType;
            return HclValue.Unknown(open).WithMarks(target.Marks);
        }
        var items = target.AsItems();
        if (number.TryToInt64(out var index) && index < items.Length)
            return items[(int)index].WithMarks(target.Marks);
        return run.Fail(
            span,
            "Invalid index",
            items.Length == 0
                ? $"{Wrong}: the collection has no elements."
                : $"{Wrong}: the index is {number}, but there are {items.Length} elements, numbered from 0.");
    }
}
