using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.CollectionFunctions;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>What makes new collections of others.</summary>
internal static class CollectionMakers
{
    public static IEnumerable<HclFunction> All =>
    [
        Function("chunklist", Any, Chunk, Open("list", AnyList), Of("size", Number)),
        Variadic("concat", Any, Open("seqs"), Concat),
        Function("distinct", Any, Distinct, Of("list", AnyList)),
        Function("flatten", Any, Flatten, Open("list")),
        Variadic(
            "merge", Any, new FunctionParameter("maps", Any) { AllowsNull = true, AllowsUnknownInside = true }, Merge),
        Function("reverse", Any, Reverse, Open("list")),
        Variadic(
            "setintersection",
            Any,
            Of("other_sets", HclType.Set(Any)),
            call => Sets(call, (a, b) => a.Where(b.Contains)),
            Of("first_set", HclType.Set(Any))),
        Variadic(
            "setunion",
            Any,
            Of("other_sets", HclType.Set(Any)),
            call => Sets(call, (a, b) => a.Concat(b)),
            Of("first_set", HclType.Set(Any))),
        Variadic("setproduct", Any, Of("sets", Any), Product),
        Function("slice", Any, Slice, Open("list"), Of("start_index", Number), Of("end_index", Number)),
        Function("sort", Texts, Sort, Of("list", Texts)),
        Function("zipmap", Any, Zip, Of("keys", Texts), Open("values")),
    ];

    private static void CheckCount(FunctionCall call, long count)
    {
        if (count > call.Scope.Limits.MaxElements)
            throw new HclException($"the result would have more than {call.Scope.Limits.MaxElements} elements");
    }

    // Elements taken from a value: a list stays a list of its type, anything else becomes a tuple.
    private static HclValue Like(HclValue source, IEnumerable<HclValue> items) =>
        source.Type.IsCollection ? HclValue.List(source.Type.ElementType, items) : HclValue.Tuple(items);

    private static HclValue Chunk(FunctionCall call)
    {
        var size = call.Integer(1);
        if (size < 0)
            throw new HclException(1, "a chunk needs one element or more");
        var items = call[0].AsItems();
        var chunks = size == 0 ? (items.IsEmpty ? [] : [items.ToArray()]) : items.Chunk(size);
        var type = call[0].Type.ElementType;
        return HclValue.List(HclType.List(type), chunks.Select(chunk => HclValue.List(type, chunk)));
    }

    private static HclValue Concat(FunctionCall call)
    {
        if (call.Arguments.IsEmpty)
            throw new HclException("give one argument or more");
        var items = call.Arguments.SelectMany((_, i) => Sequence(call, i)).ToList();
        CheckCount(call, items.Count);
        if (call.Arguments.All(argument => argument.Type.Kind == HclTypeKind.List)
            && HclConversion.Unify(call.Arguments.Select(argument => argument.Type)) is { } type)
        {
            return HclValue.List(type.ElementType, items.Select(item => HclConversion.Convert(item, type.ElementType)));
        }
        return HclValue.Tuple(items);
    }

    private static HclValue Distinct(FunctionCall call) =>
        HclValue.List(call[0].Type.ElementType, call[0].AsItems().Distinct().ToList());

    private static HclValue Flatten(FunctionCall call)
    {
        var result = new List<HclValue>();
        Sequence(call, 0);
        return Add(call[0]) ? HclValue.Tuple(result) : HclValue.UnknownOfAnyType;

        bool Add(HclValue sequence)
        {
            foreach (var item in sequence.AsItems())
            {
                // An unknown element may be a list of any length, or none.
                if (!item.IsKnown && (item.Type == Any || item.Type.IsSequence))
                    return false;
                if (item.IsNull || !item.Type.IsSequence)
                    result.Add(item);
                else if (!Add(item))
                    return false;
                CheckCount(call, result.Count);
            }
            return true;
        }
    }

    private static HclValue Merge(FunctionCall call)
    {
        var merged = new Dictionary<string, HclValue>(StringComparer.Ordinal);
        var given = new List<HclType>();
        for (var i = 0; i < call.Arguments.Length; i++)
        {
            if (call[i].IsNull)
                continue;
            given.Add(call[i].Type);
            foreach (var (name, value) in Keyed(call, i))
                merged[name] = value;
        }
        CheckCount(call, merged.Count);
        return given.Count > 0 && given[0].Kind == HclTypeKind.Map && given.All(type => type == given[0])
            ? HclValue.Map(given[0].ElementType, merged)
            : HclValue.Object(merged);
    }

    private static HclValue Reverse(FunctionCall call) => Like(call[0], Sequence(call, 0).Reverse());

    private static HclValue Sets(
        FunctionCall call, Func<IEnumerable<HclValue>, HashSet<HclValue>, IEnumerable<HclValue>> combine)
    {
        var type = HclConversion.Unify(call.Arguments.Where(set => set.Length > 0).Select(set => set.Type.ElementType))
            ?? throw new HclException("the sets have elements of types that do not agree");
        if (call.Arguments.All(set => set.Length == 0))
            type = call[0].Type.ElementType;
        var sets = call.Arguments.Select(set =>
            set.AsItems().Select(item => HclConversion.Convert(item, type)).ToHashSet()).ToList();
        var result = sets.Skip(1).Aggregate(sets[0].AsEnumerable(), combine);
        return HclValue.Set(type, result);
    }

    private static HclValue Product(FunctionCall call)
    {
        if (call.Arguments.Length < 2)
            throw new HclException("give two arguments or more");
        var lists = call.Arguments.Select((_, i) => Sequence(call, i)).ToList();
        var count = 1L;
        foreach (var list in lists)
        {
            count *= list.Count;
            CheckCount(call, count);
        }
        IEnumerable<List<HclValue>> rows = [[]];
        foreach (var list in lists)
            rows = rows.SelectMany(row => list, (row, item) => new List<HclValue>(row) { item });
        var tuples = rows.Select(HclValue.Tuple).ToList();
        var type = HclConversion.Unify(tuples.Select(tuple => tuple.Type))
            ?? throw new HclException("the elements of each argument must have types that convert to one");
        var items = tuples.Select(tuple => HclConversion.Convert(tuple, type)).ToList();
        return call.Arguments.All(argument =>
            argument.Type.Kind == HclTypeKind.Set) ? HclValue.Set(type, items) : HclValue.List(type, items);
    }

    private static HclValue Slice(FunctionCall call)
    {
        if (call[0].Type.Kind == HclTypeKind.Set)
            throw new HclException(
                0, "cannot slice a set, because its elements do not have indices; convert it to a list first");
        var items = Sequence(call, 0);
        var start = call.Integer(1);
        var end = call.Integer(2);
        if (start < 0 || start > items.Count)
            throw new HclException(1, $"the first index must be from 0 to {items.Count}, the length of the list");
        if (end < start || end > items.Count)
            throw new HclException(
                2, $"end index must be between the start index and the length of the list ({items.Count})");
        return Like(call[0], items.Skip(start).Take(end - start));
    }

    private static HclValue Sort(FunctionCall call)
    {
        var items = call[0].AsItems();
        if (items.Any(item => item.IsNull))
            throw new HclException(0, "null can not be sorted among texts");
        return items.Select(item => item.AsString()).Order(StringComparer.Ordinal).ToTexts();
    }

    private static HclValue Zip(FunctionCall call)
    {
        var keys = call[0].AsItems();
        var values = Sequence(call, 1);
        if (keys.Length != values.Count)
            throw new HclException(
                $"there are {keys.Length} keys and {values.Count} values, and as many of both are needed");
        var entries = new Dictionary<string, HclValue>(StringComparer.Ordinal);
        foreach (var (key, value) in keys.Zip(values))
            entries[key.IsNull ? throw new HclException(0, "a key must not be null") : key.AsString()] = value;
        return call[1].Type.Kind == HclTypeKind.List ? HclValue.Map(call[1].Type.ElementType, entries) : HclValue.Object(entries);
    }
}
