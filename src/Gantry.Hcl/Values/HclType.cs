using System.Collections.Immutable;

namespace Gantry.Hcl.Values;

/// <summary>The kinds of type.</summary>
public enum HclTypeKind
{
    /// <summary>Any type; also the type of a value whose type is not known yet.</summary>
    Any,
    /// <summary>Text.</summary>
    String,
    /// <summary>A number.</summary>
    Number,
    /// <summary>True or false.</summary>
    Bool,
    /// <summary>Elements of one type, in order.</summary>
    List,
    /// <summary>Different elements of one type, without order.</summary>
    Set,
    /// <summary>Elements of one type by name.</summary>
    Map,
    /// <summary>A fixed number of elements, each with its own type.</summary>
    Tuple,
    /// <summary>Named attributes, each with its own type.</summary>
    Object,
}

/// <summary>One attribute of an object type.</summary>
/// <param name="Type">Its type.</param>
/// <param name="IsOptional">Whether a value converted to the type may lack it (or have null there).</param>
/// <param name="Default">What an optional one gets where it lacks; null means a null value.</param>
public sealed record ObjectField(HclType Type, bool IsOptional = false, HclValue? Default = null);

/// <summary>A type of values, or a constraint on them where it holds <see cref="Any"/>. Immutable; equal by structure.</summary>
public sealed class HclType : IEquatable<HclType>
{
    private readonly int _hash;

    private HclType(
        HclTypeKind kind,
        HclType? element = null,
        ImmutableArray<HclType> elements = default,
        ImmutableSortedDictionary<string, ObjectField>? attributes = null)
    {
        Kind = kind;
        ElementType = element!;
        ElementTypes = elements.IsDefault ? [] : elements;
        Attributes = attributes ?? ImmutableSortedDictionary<string, ObjectField>.Empty;
        HasAny = kind == HclTypeKind.Any;
        var hash = new HashCode();
        hash.Add(kind);
        foreach (var (name, child) in Children())
        {
            Depth = Math.Max(Depth, child.Depth);
            HasAny |= child.HasAny;
            hash.Add(name);
            hash.Add(child._hash);
        }
        HasOptional = Attributes.Values.Any(attribute => attribute.IsOptional) || Children().Any(
            child => child.Type.HasOptional);
        Depth++;
        if (Depth > HclValue.MaxDepth)
            throw new HclException($"types may be nested at most {HclValue.MaxDepth} deep");
        _hash = hash.ToHashCode();
    }

    /// <summary>Any type.</summary>
    public static HclType Any { get; } = new(HclTypeKind.Any);

    /// <summary>Text.</summary>
    public static HclType String { get; } = new(HclTypeKind.String);

    /// <summary>A number.</summary>
    public static HclType Number { get; } = new(HclTypeKind.Number);

    /// <summary>True or false.</summary>
    public static HclType Bool { get; } = new(HclTypeKind.Bool);

    /// <summary>A tuple without elements.</summary>
    public static HclType EmptyTuple { get; } = new(HclTypeKind.Tuple);

    /// <summary>An object without attributes.</summary>
    public static HclType EmptyObject { get; } = new(HclTypeKind.Object);

    /// <summary>What kind of type it is.</summary>
    public HclTypeKind Kind { get; }

    /// <summary>Type of the elements of a list, set or map; of no meaning otherwise.</summary>
    public HclType ElementType { get; }

    /// <summary>Types of a tuple's elements; empty otherwise.</summary>
    public ImmutableArray<HclType> ElementTypes { get; }

    /// <summary>Attributes of an object type by name; empty otherwise.</summary>
    public ImmutableSortedDictionary<string, ObjectField> Attributes { get; }

    /// <summary>Whether it is a string, number or bool.</summary>
    public bool IsPrimitive => Kind is HclTypeKind.String or HclTypeKind.Number or HclTypeKind.Bool;

    /// <summary>Whether it is a list, set or map.</summary>
    public bool IsCollection => Kind is HclTypeKind.List or HclTypeKind.Set or HclTypeKind.Map;

    /// <summary>Whether its values are sequences: list, set or tuple.</summary>
    public bool IsSequence => Kind is HclTypeKind.List or HclTypeKind.Set or HclTypeKind.Tuple;

    /// <summary>Whether its values have named elements: map or object.</summary>
    public bool IsKeyed => Kind is HclTypeKind.Map or HclTypeKind.Object;

    /// <summary>Whether <see cref="Any"/> is in it somewhere.</summary>
    internal bool HasAny { get; }

    /// <summary>Whether an optional attribute is in it somewhere.</summary>
    internal bool HasOptional { get; }

    internal int Depth { get; }

    /// <summary>A list type.</summary>
    public static HclType List(HclType element) => new(HclTypeKind.List, element);

    /// <summary>A set type.</summary>
    public static HclType Set(HclType element) => new(HclTypeKind.Set, element);

    /// <summary>A map type.</summary>
    public static HclType Map(HclType element) => new(HclTypeKind.Map, element);

    /// <summary>A tuple type.</summary>
    public static HclType Tuple(IEnumerable<HclType> elements) => new(HclTypeKind.Tuple, elements: [.. elements]);

    /// <summary>An object type.</summary>
    public static HclType Object(IEnumerable<KeyValuePair<string, ObjectField>> attributes) =>
        new(HclTypeKind.Object, attributes: attributes.ToImmutableSortedDictionary(StringComparer.Ordinal));

    /// <summary>An object type without optional attributes.</summary>
    public static HclType Object(IEnumerable<KeyValuePair<string, HclType>> attributes) =>
        Object(attributes.Select(pair => KeyValuePair.Create(pair.Key, new ObjectField(pair.Value))));

    /// <summary>The type that values of this constraint have: optional attributes become ordinary ones.</summary>
    public HclType WithoutOptional() => !HasOptional ? this : Kind switch
    {
        HclTypeKind.List or HclTypeKind.Set or HclTypeKind.Map => new(Kind, ElementType.WithoutOptional()),
        HclTypeKind.Tuple => Tuple(ElementTypes.Select(element => element.WithoutOptional())),
        _ => Object(Attributes.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Type.WithoutOptional()))),
    };

    /// <inheritdoc/>
    public bool Equals(HclType? other)
    {
        if (ReferenceEquals(this, other))
            return true;
        if (other is null || Kind != other.Kind || _hash != other._hash)
            return false;
        return Kind switch
        {
            HclTypeKind.List or HclTypeKind.Set or HclTypeKind.Map => ElementType.Equals(other.ElementType),
            HclTypeKind.Tuple => ElementTypes.SequenceEqual(other.ElementTypes),
            HclTypeKind.Object => Attributes.SequenceEqual(other.Attributes),
            _ => true,
        };
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as HclType);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <summary>Equality by structure.</summary>
    public static bool operator ==(HclType? a, HclType? b) => a is null ? b is null : a.Equals(b);

    /// <summary>Inequality by structure.</summary>
    public static bool operator !=(HclType? a, HclType? b) => !(a == b);

    /// <summary>As it is written in a type expression, such as <c>map(list(string))</c>.</summary>
    public override string ToString() => Kind switch
    {
        HclTypeKind.List or HclTypeKind.Set or HclTypeKind.Map => $"{Word}({ElementType})",
        HclTypeKind.Tuple => $"tuple([{string.Join(", ", ElementTypes)}])",
        HclTypeKind.Object => $"object({{{string.Join(", ", Attributes.Select(Written))}}})",
        _ => Word,
    };

    /// <summary>As a message calls it, such as <c>list of string</c>.</summary>
    public string FriendlyName => Kind switch
    {
        HclTypeKind.List or HclTypeKind.Set or HclTypeKind.Map => $"{Word} of {ElementType.FriendlyName}",
        HclTypeKind.Any => "any type",
        _ => Word,
    };

    private string Word => Kind switch
    {
        HclTypeKind.Any => "any",
        HclTypeKind.String => "string",
        HclTypeKind.Number => "number",
        HclTypeKind.Bool => "bool",
        HclTypeKind.List => "list",
        HclTypeKind.Set => "set",
        HclTypeKind.Map => "map",
        HclTypeKind.Tuple => "tuple",
        HclTypeKind.Object => "object",
        _ => throw new InvalidOperationException($"type kind {Kind}"),
    };

    private static string Written(KeyValuePair<string, ObjectField> pair)
    {
        var (name, attribute) = pair;
        var type = attribute.Type.ToString();
        if (attribute is { IsOptional: true, Default: null })
            type = $"optional({type})";
        else if (attribute.IsOptional)
            type = $"optional({type}, {attribute.Default})";
        return $"{name} = {type}";
    }

    private IEnumerable<(string Name, HclType Type)> Children()
    {
        if (ElementType is not null)
            yield return ("", ElementType);
        foreach (var element in ElementTypes)
            yield return ("", element);
        foreach (var (name, attribute) in Attributes)
            yield return (name, attribute.Type);
    }
}
