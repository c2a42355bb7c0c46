using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Evaluation;

/// <summary>One evaluation: its budget, its diagnostics, and the way through the kinds of expression.</summary>
internal sealed partial class EvaluationRun
{
    private readonly HclLimits _limits;
    private readonly StepBudget _budget;
    private readonly DiagnosticBag _diagnostics;
    private readonly Dictionary<SplatElementExpression, HclValue> _splatElements = [];

    public EvaluationRun(HclLimits limits, DiagnosticBag diagnostics, StepBudget? budget = null)
    {
        _limits = limits;
        _diagnostics = diagnostics;
        _budget = budget ?? new StepBudget(limits.MaxSteps);
    }

    /// <summary>Steps left to one evaluation, shared with the templates and attempts inside it.</summary>
    internal sealed class StepBudget(long steps)
    {
        private long _left = steps;

        public bool IsSpent => _left < 0;

        public bool TryTake() => _left-- > 0;
    }

    public StepBudget Budget => _budget;

    public HclValue Evaluate(Expression expression, EvaluationScope scope)
    {
        if (!_budget.TryTake())
        {
            return Fail(
                expression.Span,
                "Evaluation takes too long",
                $"More than {_limits.MaxSteps} steps were needed; a loop goes through too many elements.");
        }
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            return Fail(expression.Span, "Nesting too deep", "This expression is nested too deep to be evaluated.");
        try
        {
            return EvaluateKind(expression, scope);
        }
        catch (HclException exception)
        {
            return Fail(expression.Span, "Invalid operation", Sentence(exception.Message));
        }
    }

    private HclValue EvaluateKind(Expression expression, EvaluationScope scope) => expression switch
    {
        LiteralExpression literal => literal.Value,
        TemplateExpression template => Template(template, scope),
        TemplateWrapExpression wrap => Evaluate(wrap.Inner, scope),
        TemplateIfExpression directive => TemplateIf(directive, scope),
        TemplateForExpression directive => TemplateFor(directive, scope),
        VariableExpression variable => Variable(variable, scope),
        AttributeExpression attribute => Access.Attribute(this, Evaluate(attribute.Target, scope), attribute),
        IndexExpression index => Access.Index(this, Evaluate(index.Target, scope), Evaluate(index.Key, scope), index),
        SplatExpression splat => Splat(splat, scope),
        SplatElementExpression element => _splatElements[element],
        CallExpression call => Call(call, scope),
        UnaryExpression unary => Operators.Unary(this, unary, Evaluate(unary.Operand, scope)),
        BinaryExpression binary => Binary(binary, scope),
        ConditionalExpression conditional => Conditional(conditional, scope),
        ParenthesesExpression parentheses => Evaluate(parentheses.Inner, scope),
        TupleExpression tuple => HclValue.Tuple(tuple.Items.Select(item => Evaluate(item, scope)).ToList()),
        ObjectExpression constructor => Object(constructor, scope),
        ForExpression loop => For(loop, scope),
        ErrorExpression => HclValue.UnknownOfAnyType,
        _ => throw new InvalidOperationException($"expression kind {expression.GetType().Name}"),
    };

    internal HclValue Fail(SourceSpan span, string summary, string detail)
    {
        // Once the budget is spent every further node fails too; saying so once is enough.
        if (!_budget.IsSpent || !_diagnostics.HasErrors)
            _diagnostics.Error(span, summary, detail);
        return HclValue.UnknownOfAnyType;
    }

    internal static string Sentence(string message) =>
        message.Length == 0 ? "" : char.ToUpperInvariant(message[0]) + message[1..] + (
            message[^1] is '.' or '?' ? "" : ".");

    private HclValue Variable(VariableExpression variable, EvaluationScope scope)
    {
        if (scope.TryGetVariable(variable.Name, out var value))
            return value;
        var names = scope.VariableNames.ToList();
        return Fail(
            variable.Span,
            names.Count == 0 ? "Variables not allowed" : "Unknown variable",
            names.Count == 0
                ? "Variables may not be used here."
                : $"There is no variable named \"{variable.Name}\".{Suggestion.Sentence(variable.Name, names)}");
    }

    private HclValue Binary(BinaryExpression binary, EvaluationScope scope)
    {
        var left = Evaluate(binary.Left, scope);
        if (binary.Operator is BinaryOperator.And or BinaryOperator.Or
            && Operators.Decides(binary.Operator, left) is { } decided)
        {
            return decided;
        }
        return Operators.Binary(this, binary, left, Evaluate(binary.Right, scope));
    }

    private HclValue Conditional(ConditionalExpression conditional, EvaluationScope scope)
    {
        var condition = Condition(conditional.Condition, scope, "conditional");
        if (condition is null)
            return HclValue.UnknownOfAnyType;
        // The branch not taken decides on the type too, but what is wrong in it does not matter.
        var chosen = condition.IsKnown ? (condition.AsBool() ? conditional.WhenTrue : conditional.WhenFalse) : null;
        var whenTrue = Branch(conditional.WhenTrue, chosen, scope);
        var whenFalse = Branch(conditional.WhenFalse, chosen, scope);
        var type = CommonType(whenTrue, whenFalse);
        if (type is null)
        {
            return Fail(
                conditional.Span,
                "Inconsistent conditional result types",
                $"Both results must convert to one type, but the first is {whenTrue.Type} and the second {whenFalse.Type}.");
        }
        if (chosen is null)
            return HclValue.Unknown(type).WithMarks(
                condition.Marks.Union(whenTrue.AllMarks()).Union(whenFalse.AllMarks()));
        var result = chosen == conditional.WhenTrue ? whenTrue : whenFalse;
        return HclConversion.Convert(result, type).WithMarks(condition.Marks);
    }

    private HclValue Branch(Expression branch, Expression? chosen, EvaluationScope scope)
    {
        if (chosen is null || chosen == branch)
            return Evaluate(branch, scope);
        var (value, failed) = Attempt(branch, scope);
        return failed ? HclValue.UnknownOfAnyType : value;
    }

    private static HclType? CommonType(HclValue a, HclValue b)
    {
        if (a.Type == b.Type)
            return a.Type;
        if (a.IsNull && a.Type == HclType.Any)
            return b.Type;
        if (b.IsNull && b.Type == HclType.Any)
            return a.Type;
        return HclConversion.Unify([a.Type, b.Type]);
    }

    /// <summary>Evaluates with diagnostics of its own, which are dropped; for what may fail.</summary>
    internal (HclValue Value, bool Failed) Attempt(Expression expression, EvaluationScope scope) =>
        Attempt(expression, scope, new DiagnosticBag());

    internal (HclValue Value, bool Failed) Attempt(
        Expression expression, EvaluationScope scope, DiagnosticBag diagnostics)
    {
        var run = new EvaluationRun(_limits, diagnostics, _budget);
        foreach (var (element, value) in _splatElements)
            run._splatElements[element] = value;
        var result = run.Evaluate(expression, scope);
        // Running out of steps is never to be caught: the whole evaluation ends.
        if (_budget.IsSpent)
            _diagnostics.AddRange(diagnostics);
        return (result, diagnostics.HasErrors);
    }

    // A condition as a bool that may be unknown; null after an error.
    private HclValue? Condition(Expression expression, EvaluationScope scope, string where)
    {
        var value = Evaluate(expression, scope);
        if (value.IsNull)
        {
            Fail(expression.Span, "Null condition", $"The condition of a {where} is null; it must be true or false.");
            return null;
        }
        if (HclConversion.TryConvert(value, HclType.Bool, out var condition, out var error))
            return condition;
        Fail(expression.Span, "Incorrect condition type", $"The condition of a {where} must be of type bool: {error}.");
        return null;
    }

    private HclValue Object(ObjectExpression constructor, EvaluationScope scope)
    {
        var entries = ImmutableSortedDictionary.CreateBuilder<string, HclValue>(StringComparer.Ordinal);
        var marks = ImmutableSortedSet<string>.Empty;
        var isKnown = true;
        foreach (var item in constructor.Items)
        {
            var key = Key(item.Key, scope, "object constructor");
            var value = Evaluate(item.Value, scope);
            if (key is null || !key.IsKnown)
            {
                isKnown = false;
                continue;
            }
            marks = marks.Union(key.Marks);
            entries[key.AsString()] = value;
        }
        return (isKnown ? HclValue.Object(entries) : HclValue.UnknownOfAnyType).WithMarks(marks);
    }

    // A key as a text that may be unknown; null after an error.
    private HclValue? Key(Expression expression, EvaluationScope scope, string where)
    {
        var value = Evaluate(expression, scope);
        if (value.IsNull)
        {
            Fail(expression.Span, "Null value as key", $"Can't use a null value as a key in an {where}.");
            return null;
        }
        if (HclConversion.TryConvert(value, HclType.String, out var key, out var error))
            return key;
        Fail(expression.Span, "Incorrect key type", $"Can't use this value as a key: {error}.");
        return null;
    }
}
