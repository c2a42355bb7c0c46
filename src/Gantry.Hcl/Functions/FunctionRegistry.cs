using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Gantry.Hcl.Functions;

/// <summary>Functions by name. Immutable.</summary>
public sealed class FunctionRegistry
{
    private readonly ImmutableDictionary<string, HclFunction> _functions;

    private FunctionRegistry(ImmutableDictionary<string, HclFunction> functions) => _functions = functions;

    /// <summary>No functions.</summary>
    public static FunctionRegistry Empty { get; } = new(
        ImmutableDictionary.Create<string, HclFunction>(StringComparer.Ordinal));

    /// <summary>All names, sorted.</summary>
    public IEnumerable<string> Names => _functions.Keys.Order(StringComparer.Ordinal);

    /// <summary>The same functions and more; one of the same name takes the other's place.</summary>
    public FunctionRegistry With(params IEnumerable<HclFunction> functions) =>
        new(_functions.SetItems(functions.Select(function => KeyValuePair.Create(function.Name, function))));

    /// <summary>The same functions without some.</summary>
    public FunctionRegistry Without(params IEnumerable<string> names) => new(_functions.RemoveRange(names));

    /// <summary>The function of that name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out HclFunction? function) =>
        _functions.TryGetValue(name, out function);
}
