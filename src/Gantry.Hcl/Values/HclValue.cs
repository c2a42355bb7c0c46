using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Gantry.Hcl.Values;

/// <summary>
/// A value of HCL: text, number, bool, a collection, a tuple or an object; or null, or not known yet. Every value
/// has a type, also a null or unknown one. Values may carry marks, such as <see cref="Sensitive"/>, which go over to
/// whatever is made from them. Immutable; equal by structure, marks included.
/// </summary>
public sealed class HclValue : IEquatable<HclValue>
{
    /// <summary>The mark of what must not be shown.</summary>
    public const string Sensitive = "sensitive";

    /// <summary>Deepest nesting of a value and of a type.</summary>
    internal const int MaxDepth = 400;

    // A value may hold another many times over: without this bound sixty doublings would take for ever to go through.
    private const long MaxSize = 50_000_000;
    private static readonly object NullPayload = new();
    private static readonly object UnknownPayload = new();
    private readonly object _payload;

    private HclValue(HclType type, object payload, ImmutableSortedSet<string>? marks = null)
    {
        Type = type;
        _payload = payload;
        Marks = marks ?? [];
        IsWhollyKnown = !ReferenceEquals(payload, UnknownPayload);
        ContainsMarks = !Marks.IsEmpty;
        Size = payload is string text ? 1 + (text.Length / 64) : 1;
        if (payload is ImmutableArray<HclValue> items)
        {
            foreach (var item in items)
                Include(item);
        }
        else if (payload is ImmutableSortedDictionary<string, HclValue> entries)
        {
            foreach (var (_, item) in entries)
                Include(item);
        }
        Depth++;
        if (Depth > MaxDepth)
            throw new HclException($"values may be nested at most {MaxDepth} deep");
        if (Size > MaxSize)
            throw new HclException(
                $"the value would be too large (more than {MaxSize} elements, repeated ones counted each time)");

        void Include(HclValue item)
        {
            Depth = Math.Max(Depth, item.Depth);
            Size = Math.Min(Size + item.Size, MaxSize + 1);
            IsWhollyKnown &= item.IsWhollyKnown;
            ContainsMarks |= item.ContainsMarks;
        }
    }

    /// <summary>True.</summary>
    public static HclValue True { get; } = new(HclType.Bool, true);

    /// <summary>False.</summary>
    public static HclValue False { get; } = new(HclType.Bool, false);

    /// <summary>A tuple without elements.</summary>
    public static HclValue EmptyTuple { get; } = new(HclType.EmptyTuple, ImmutableArray<HclValue>.Empty);

    /// <summary>An object without attributes.</summary>
    public static HclValue EmptyObject { get; } =
        new(HclType.EmptyObject, ImmutableSortedDictionary.Create<string, HclValue>(StringComparer.Ordinal));

    /// <summary>Unknown, its type too.</summary>
    public static HclValue UnknownOfAnyType { get; } = Unknown(HclType.Any);

    /// <summary>Its type; <see cref="HclType.Any"/> for a null or unknown value whose type is open.</summary>
    public HclType Type { get; }

    /// <summary>The marks on this value itself.</summary>
    public ImmutableSortedSet<string> Marks { get; }

    /// <summary>Whether it is null.</summary>
    public bool IsNull => ReferenceEquals(_payload, NullPayload);

    /// <summary>Whether it is known; an element of it may still be unknown.</summary>
    public bool IsKnown => !ReferenceEquals(_payload, UnknownPayload);

    /// <summary>Whether it and everything in it is known.</summary>
    public bool IsWhollyKnown { get; private set; }

    /// <summary>Whether it or anything in it is marked.</summary>
    public bool ContainsMarks { get; private set; }

    /// <summary>Whether it or anything in it is marked as sensitive.</summary>
    public bool IsSensitive => ContainsMarks && AllMarks().Contains(Sensitive);

    internal int Depth { get; private set; }

    internal long Size { get; private set; }

    /// <summary>A text.</summary>
    public static HclValue String(string text) =>
        text.Length <= HclLimits.Default.MaxStringLength
            ? new(HclType.String, text)
            : throw new HclException($"the text would be longer than {HclLimits.Default.MaxStringLength} characters");

    /// <summary>A number.</summary>
    public static HclValue Number(HclNumber number) => new(HclType.Number, number);

    /// <summary>True or false.</summary>
    public static HclValue Bool(bool value) => value ? True : False;

    /// <summary>The null of a type.</summary>
    public static HclValue Null(HclType type) => new(type.WithoutOptional(), NullPayload);

    /// <summary>An unknown value of a type.</summary>
    public static HclValue Unknown(HclType type) => new(type.WithoutOptional(), UnknownPayload);

    /// <summary>A tuple.</summary>
    public static HclValue Tuple(IEnumerable<HclValue> items)
    {
        ImmutableArray<HclValue> array = [.. items];
        return array.IsEmpty ? EmptyTuple : new(HclType.Tuple(array.Select(item => item.Type)), array);
    }

    /// <summary>A list whose elements all have the type given.</summary>
    public static HclValue List(HclType element, IEnumerable<HclValue> items) =>
        new(HclType.List(element), CheckedItems(element, items));

    /// <summary>A set of the different ones of some elements, which all have the type given.</summary>
    public static HclValue Set(HclType element, IEnumerable<HclValue> items)
    {
        // The marks of an element of a set are the set's: an element that can be told apart would give itself away.
        var marks = ImmutableSortedSet<string>.Empty;
        var plain = new List<HclValue>();
        foreach (var item in items)
        {
            marks = marks.Union(item.AllMarks());
            plain.Add(item.Unmark());
        }
        plain.Sort(ValueOrder.Compare);
        var distinct = ImmutableArray.CreateBuilder<HclValue>(plain.Count);
        foreach (var item in plain)
        {
            if (distinct.Count == 0 || !item.IsWhollyKnown || !distinct[^1].Equals(item))
                distinct.Add(item);
        }
        return new HclValue(HclType.Set(element), CheckedItems(element, distinct)).WithMarks(marks);
    }

    /// <summary>A map whose elements all have the type given.</summary>
    public static HclValue Map(HclType element, IEnumerable<KeyValuePair<string, HclValue>> entries)
    {
        var map = Sorted(entries);
        CheckedItems(element, map.Values);
        return new(HclType.Map(element), map);
    }

    /// <summary>An object.</summary>
    public static HclValue Object(IEnumerable<KeyValuePair<string, HclValue>> attributes)
    {
        var map = Sorted(attributes);
        return map.IsEmpty
            ? EmptyObject
            : new(HclType.Object(map.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Type))), map);
    }

    /// <summary>The value of a JSON element: objects become objects, arrays tuples.</summary>
    /// <exception cref="HclException">A number in it is out of range.</exception>
    public static HclValue FromJson(System.Text.Json.JsonElement element) => JsonValues.FromJson(element);

    /// <summary>The text; an <see cref="InvalidOperationException"/> if it is none.</summary>
    public string AsString() => Payload<string>("string");

    /// <summary>The number; an <see cref="InvalidOperationException"/> if it is none.</summary>
    public HclNumber AsNumber() => Payload<HclNumber>("number");

    /// <summary>The truth value; an <see cref="InvalidOperationException"/> if it is none.</summary>
    public bool AsBool() => Payload<bool>("bool");

    /// <summary>The elements of a list, set or tuple; an <see cref="InvalidOperationException"/> otherwise.</summary>
    public ImmutableArray<HclValue> AsItems() => Payload<ImmutableArray<HclValue>>("list, set or tuple");

    /// <summary>The elements of a map or object by name, sorted; an <see cref="InvalidOperationException"/> otherwise.</summary>
    public ImmutableSortedDictionary<string, HclValue> AsEntries() =>
        Payload<ImmutableSortedDictionary<string, HclValue>>("map or object");

    /// <summary>Number of elements of a list, set, tuple, map or object.</summary>
    public int Length => _payload is ImmutableArray<HclValue> items ? items.Length : AsEntries().Count;

    /// <summary>The element of that name of a known map or object.</summary>
    public bool TryGetEntry(string name, [NotNullWhen(true)] out HclValue? value)
    {
        value = null;
        return _payload is ImmutableSortedDictionary<string, HclValue> entries && entries.TryGetValue(name, out value);
    }

    /// <summary>The same value with marks added.</summary>
    public HclValue WithMarks(ImmutableSortedSet<string> marks) =>
        marks.IsEmpty || marks.IsSubsetOf(Marks) ? this : new(Type, _payload, Marks.Union(marks));

    /// <summary>The same value, marked as sensitive.</summary>
    public HclValue AsSensitive() => WithMarks([Sensitive]);

    /// <summary>The marks on it and on everything in it.</summary>
    public ImmutableSortedSet<string> AllMarks()
    {
        if (!ContainsMarks)
            return [];
        var marks = Marks.ToBuilder();
        foreach (var child in Children())
            marks.UnionWith(child.AllMarks());
        return marks.ToImmutable();
    }

    /// <summary>The same value without any mark, on it or in it.</summary>
    public HclValue Unmark() => !ContainsMarks ? this : new(Type, _payload switch
    {
        ImmutableArray<HclValue> items => items.Select(item => item.Unmark()).ToImmutableArray(),
        ImmutableSortedDictionary<string, HclValue> entries => Sorted(
            entries.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Unmark()))),
        _ => _payload,
    });

    /// <summary>The same value without its own marks; what is in it keeps its own.</summary>
    internal HclValue UnmarkShallow() => Marks.IsEmpty ? this : new(Type, _payload);

    /// <inheritdoc/>
    public bool Equals(HclValue? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is null || Size != other.Size || Depth != other.Depth || !Marks.SetEquals(other.Marks) || Type != other.Type)
            return false;
        return (_payload, other._payload) switch
        {
            (string a, string b) => a == b,
            (HclNumber a, HclNumber b) => a == b,
            (bool a, bool b) => a == b,
            (ImmutableArray<HclValue> a, ImmutableArray<HclValue> b) => a.SequenceEqual(b),
            (ImmutableSortedDictionary<string, HclValue> a, ImmutableSortedDictionary<string, HclValue> b) =>
                a.SequenceEqual(b),
            var (a, b) => ReferenceEquals(a, b),
        };
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as HclValue);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Type, Size, _payload switch
    {
        string text => text.GetHashCode(StringComparison.Ordinal),
        HclNumber or bool => _payload.GetHashCode(),
        ImmutableArray<HclValue> { Length: > 0 } items => HashCode.Combine(items[0], items[^1]),
        _ => 0,
    });

    /// <summary>As HCL would write it; what is sensitive is written <c>(sensitive)</c>, what is unknown <c>(unknown)</c>.</summary>
    public override string ToString() => ValueText.Write(this);

    internal IEnumerable<HclValue> Children() => _payload switch
    {
        ImmutableArray<HclValue> items => items,
        ImmutableSortedDictionary<string, HclValue> entries => entries.Values,
        _ => [],
    };

    private static ImmutableSortedDictionary<string, HclValue> Sorted(
        IEnumerable<KeyValuePair<string, HclValue>> entries)
    {
        var map = ImmutableSortedDictionary.CreateBuilder<string, HclValue>(StringComparer.Ordinal);
        foreach (var (name, value) in entries)
            map[name] = value;
        return map.ToImmutable();
    }

    private static ImmutableArray<HclValue> CheckedItems(HclType element, IEnumerable<HclValue> items)
    {
        ImmutableArray<HclValue> array = [.. items];
        foreach (var item in array)
        {
            if (item.Type != element && element != HclType.Any)
                throw new InvalidOperationException($"an element of type {item.Type} in a collection of {element}");
        }
        return array;
    }

    private T Payload<T>(string wanted) => _payload is T value
        ? value
        : throw new InvalidOperationException(
            $"a {wanted} is required, but this is {(IsNull ? "null" : IsKnown ? Type.FriendlyName : "unknown")}");
}
