using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Functions;

/// <summary>A parameter of a function.</summary>
/// <param name="Name">How messages call it.</param>
/// <param name="Type">What its argument is converted to.</param>
public sealed record FunctionParameter(string Name, HclType Type)
{
    /// <summary>Whether null may be given.</summary>
    public bool AllowsNull { get; init; }

    /// <summary>Whether the function wants to see arguments that are known, but hold something unknown.</summary>
    public bool AllowsUnknownInside { get; init; }

    /// <summary>Whether the function wants to see wholly unknown arguments.</summary>
    public bool AllowsUnknown { get; init; }
}

/// <summary>One call of a function, its arguments already counted, converted and without marks.</summary>
public sealed class FunctionCall
{
    private readonly EvaluationRun _run;

    internal FunctionCall(EvaluationRun run, ImmutableArray<HclValue> arguments, EvaluationScope scope) =>
        (_run, Arguments, Scope) = (run, arguments, scope);

    /// <summary>The arguments.</summary>
    public ImmutableArray<HclValue> Arguments { get; }

    /// <summary>The scope of the expression that calls.</summary>
    public EvaluationScope Scope { get; }

    /// <summary>The argument at an index.</summary>
    public HclValue this[int index] => Arguments[index];

    /// <summary>The argument at an index as text.</summary>
    public string Text(int index) => Arguments[index].AsString();

    /// <summary>The argument at an index as a whole number.</summary>
    /// <exception cref="HclException">It has a fraction, or is out of range.</exception>
    public int Integer(int index) =>
        Arguments[index].AsNumber().TryToInt64(out var value) && value is >= int.MinValue and <= int.MaxValue
            ? (int)value
            : throw new HclException(index, $"a whole number between {int.MinValue} and {int.MaxValue} is required");

    /// <summary>Evaluates an expression, such as a template, within the bounds of the calling evaluation.</summary>
    public HclValue Evaluate(Expression expression, EvaluationScope scope, DiagnosticBag diagnostics) =>
        _run.Attempt(expression, scope, diagnostics).Value;
}

/// <summary>One call of a special function, which gets its arguments as expressions.</summary>
public sealed class SpecialCall
{
    private readonly EvaluationRun _run;

    internal SpecialCall(
        EvaluationRun run, ImmutableArray<Expression> arguments, EvaluationScope scope, DiagnosticBag diagnostics) =>
        (_run, Arguments, Scope, Diagnostics) = (run, arguments, scope, diagnostics);

    /// <summary>The arguments.</summary>
    public ImmutableArray<Expression> Arguments { get; }

    /// <summary>The scope of the expression that calls.</summary>
    public EvaluationScope Scope { get; }

    /// <summary>The diagnostics of the calling evaluation.</summary>
    public DiagnosticBag Diagnostics { get; }

    /// <summary>Evaluates an argument; what is wrong with it goes to the diagnostics of the call.</summary>
    public HclValue Evaluate(int index) => _run.Evaluate(Arguments[index], Scope);

    /// <summary>Evaluates an argument; what is wrong with it goes to the bag given.</summary>
    public bool TryEvaluate(int index, DiagnosticBag diagnostics, out HclValue value)
    {
        (value, var failed) = _run.Attempt(Arguments[index], Scope, diagnostics);
        return !failed;
    }
}

/// <summary>A function that expressions can call.</summary>
public sealed class HclFunction
{
    private readonly ImmutableArray<FunctionParameter> _parameters;
    private readonly FunctionParameter? _variadic;

    /// <summary>Makes an ordinary function.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="body">What it does. It may throw <see cref="HclException"/>, and nothing else.</param>
    /// <param name="returnType">Type of its results; <see cref="HclType.Any"/> where that depends on the arguments.</param>
    /// <param name="variadic">The parameter of any further arguments; null where there may be none.</param>
    public HclFunction(
        string name,
        IEnumerable<FunctionParameter> parameters,
        HclType returnType,
        Func<FunctionCall, HclValue> body,
        FunctionParameter? variadic = null)
    {
        Name = name;
        _parameters = [.. parameters];
        ReturnType = returnType;
        Body = body;
        _variadic = variadic;
        MinArguments = _parameters.Length;
        MaxArguments = variadic is null ? _parameters.Length : int.MaxValue;
    }

    private HclFunction(string name, int minimum, int maximum, HclType returnType, Func<SpecialCall, HclValue> special)
    {
        Name = name;
        _parameters = [];
        _variadic = new FunctionParameter("expression", HclType.Any);
        ReturnType = returnType;
        Special = special;
        MinArguments = minimum;
        MaxArguments = maximum;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Type of its results.</summary>
    public HclType ReturnType { get; }

    /// <summary>Fewest arguments.</summary>
    public int MinArguments { get; }

    /// <summary>Most arguments.</summary>
    public int MaxArguments { get; }

    internal Func<FunctionCall, HclValue>? Body { get; }

    internal Func<SpecialCall, HclValue>? Special { get; }

    internal bool IsSpecial => Special is not null;

    /// <summary>Makes a function that gets its arguments as expressions, like <c>try</c>.</summary>
    public static HclFunction CreateSpecial(
        string name, int minimum, int maximum, HclType returnType, Func<SpecialCall, HclValue> body) =>
        new(name, minimum, maximum, returnType, body);

    internal FunctionParameter ParameterAt(int index) => index < _parameters.Length
        ? _parameters[index]
        : _variadic ?? throw new InvalidOperationException($"function {Name} has no parameter {index}");
}
