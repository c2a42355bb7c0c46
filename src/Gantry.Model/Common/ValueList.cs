using System.Collections;
using System.Runtime.CompilerServices;

namespace Gantry.Model;

/// <summary>
/// An immutable list whose equality is that of its elements, in order, so that records which hold one compare by value.
/// It shows <see cref="ICollection{T}"/> only so that source-generated JSON can fill it; <c>Add</c> works until the
/// list is first read, and never through its public surface.
/// </summary>
[CollectionBuilder(typeof(ValueList), nameof(ValueList.Create))]
public sealed class ValueList<T> : ICollection<T>, IReadOnlyList<T>, IEquatable<ValueList<T>>
{
    private readonly List<T> _items;

    public ValueList() => _items = [];

    internal ValueList(ReadOnlySpan<T> items) => _items = [.. items];

    public int Count => _items.Count;

    bool ICollection<T>.IsReadOnly => false;

    public T this[int index] => _items[index];

    public ValueList<T> With(T item) => [.. _items, item];

    public bool Equals(ValueList<T>? other) => other is not null && _items.SequenceEqual(other._items);

    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in _items)
            hash.Add(item);
        return hash.ToHashCode();
    }

    public IEnumerator<T> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Contains(T item) => _items.Contains(item);

    public void CopyTo(T[] array, int arrayIndex) => _items.CopyTo(array, arrayIndex);

    void ICollection<T>.Add(T item) => _items.Add(item);

    void ICollection<T>.Clear() => throw new InvalidOperationException("a value list does not change");

    bool ICollection<T>.Remove(T item) => throw new InvalidOperationException("a value list does not change");
}

/// <summary>Builds value lists, also from collection expressions.</summary>
public static class ValueList
{
    public static ValueList<T> Create<T>(ReadOnlySpan<T> items) => new(items);

    public static ValueList<T> ToValueList<T>(this IEnumerable<T> items) => [.. items];
}
