using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Gantry.Hcl.Functions;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Evaluation;

/// <summary>The variables and functions that expressions see. Immutable; a child hides its parent's names.</summary>
public sealed class EvaluationScope
{
    private readonly EvaluationScope? _parent;
    private readonly IReadOnlyDictionary<string, HclValue> _variables;
    private readonly FunctionRegistry _functions;

    /// <summary>A scope of its own.</summary>
    /// <param name="variables">Root names and their values; null for none.</param>
    /// <param name="functions">The functions; null for none.</param>
    /// <param name="limits">Bounds on evaluations in it; null for the usual ones.</param>
    public EvaluationScope(
        IReadOnlyDictionary<string, HclValue>? variables = null,
        FunctionRegistry? functions = null,
        HclLimits? limits = null)
    {
        _variables = variables ?? ImmutableDictionary<string, HclValue>.Empty;
        _functions = functions ?? FunctionRegistry.Empty;
        Limits = limits ?? HclLimits.Default;
    }

    private EvaluationScope(EvaluationScope parent, IReadOnlyDictionary<string, HclValue> variables)
        : this(variables, parent._functions, parent.Limits) => _parent = parent;

    /// <summary>Neither variables nor functions: for constants.</summary>
    public static EvaluationScope Empty { get; } = new();

    /// <summary>Bounds on evaluations in this scope.</summary>
    public HclLimits Limits { get; }

    /// <summary>The functions of this scope.</summary>
    public FunctionRegistry Functions => _functions;

    /// <summary>Names of all variables seen here, without order.</summary>
    public IEnumerable<string> VariableNames =>
        _parent is null ? _variables.Keys : _variables.Keys.Concat(_parent.VariableNames).Distinct();

    /// <summary>A scope that sees these variables and, behind them, all that this one sees.</summary>
    public EvaluationScope CreateChild(IReadOnlyDictionary<string, HclValue> variables) => new(this, variables);

    /// <summary>The variable of that name, from the nearest scope that has it.</summary>
    public bool TryGetVariable(string name, [NotNullWhen(true)] out HclValue? value)
    {
        for (var scope = this; scope is not null; scope = scope._parent)
        {
            if (scope._variables.TryGetValue(name, out value))
                return true;
        }
        value = null;
        return false;
    }
}
