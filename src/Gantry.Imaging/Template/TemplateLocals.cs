using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Imaging.Template;

/// <summary>The local values of a template, each evaluated after those that it uses.</summary>
internal sealed class TemplateLocals(DiagnosticBag diagnostics, FrozenEntropy entropy)
{
    private readonly Dictionary<string, (Expression Expression, SourceSpan Span, bool Sensitive)> _declared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HclValue> _values = new(StringComparer.Ordinal);

    /// <summary>Texts that must not be shown.</summary>
    public IEnumerable<string> Secrets =>
        _values.Where(pair => _declared[pair.Key].Sensitive).SelectMany(pair => Secrecy.TextsOf(pair.Value));

    /// <summary>For showing.</summary>
    public IEnumerable<TemplateValue> Values => _declared.Keys.Select(name => Secrecy.Show(name, _values[name], _declared[name].Sensitive));

    /// <summary>The object <c>local</c>.</summary>
    public HclValue Load(ImmutableArray<Body> bodies, EvaluationScope scope)
    {
        foreach (var attribute in bodies.SelectMany(body => body.BlocksOf("locals")).SelectMany(block => block.Body.Attributes))
            Declare(attribute.Name, attribute.Expression, attribute.NameSpan, sensitive: false);
        foreach (var block in bodies.SelectMany(body => body.BlocksOf("local")))
            DeclareBlock(block, scope);
        foreach (var name in _declared.Keys)
            Evaluate(name, scope, []);
        return HclValue.Object(_values);
    }

    private void DeclareBlock(Block block, EvaluationScope scope)
    {
        if (block.Labels.Length != 1 || block.Body.Attribute("expression") is not { } expression)
        {
            diagnostics.Error(block.HeaderSpan, "Invalid local block", "Write local \"name\" { expression = ... }.");
            return;
        }

        var sensitive = block.Body.Attribute("sensitive") is { } attribute
            && Evaluator.EvaluateAs(attribute.Expression, HclType.Bool, scope, diagnostics) is { IsKnown: true, IsNull: false } value
            && value.AsBool();
        Declare(block.Labels[0].Text, expression.Expression, block.HeaderSpan, sensitive);
    }

    private void Declare(string name, Expression expression, SourceSpan span, bool sensitive)
    {
        if (!_declared.TryAdd(name, (expression, span, sensitive)))
            diagnostics.Error(span, "Duplicate local value", $"The local value \"{name}\" is declared more than once.");
    }

    private void Evaluate(string name, EvaluationScope scope, ImmutableList<string> path)
    {
        if (_values.ContainsKey(name) || !_declared.TryGetValue(name, out var declared))
            return;
        if (path.Contains(name))
        {
            diagnostics.Error(
                declared.Span, "Local values in a circle", $"\"{name}\" needs itself: {string.Join(" → ", path.Add(name))}.");
            _values[name] = HclValue.UnknownOfAnyType;
            return;
        }

        foreach (var used in References.Of(declared.Expression).Where(one => one.Root is "local"))
        {
            if (used.NameAt(0) is { } other)
                Evaluate(other, scope, path.Add(name));
        }

        if (_values.ContainsKey(name))
            return; // found to be in a circle
        var inner = scope.CreateChild(new Dictionary<string, HclValue> { ["local"] = HclValue.Object(_values) });
        entropy.Begin($"local {name}");
        var result = Evaluator.Evaluate(declared.Expression, inner, diagnostics);
        _values[name] = declared.Sensitive ? result.AsSensitive() : result;
    }
}
