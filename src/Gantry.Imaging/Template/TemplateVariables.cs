using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Functions;
using Gantry.Hcl.Schema;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Imaging.Template;

/// <summary>
/// The input variables of a template with their values: default, then <c>PKR_VAR_</c>, then the automatic files, then
/// the command line, each over the one before.
/// </summary>
internal sealed class TemplateVariables(LoadRequest request, FunctionRegistry functions, DiagnosticBag diagnostics)
{
    private const string EnvironmentPrefix = "PKR_VAR_";

    private static readonly BodySchema Schema = new()
    {
        Attributes =
        [
            new("type", HclType.Any), new("default", HclType.Any), new("description", HclType.String), new("sensitive", HclType.Bool),
        ],
        Blocks =
        [
            new BlockSchema
            {
                Type = "validation",
                Body = new() { Attributes = [new("condition", HclType.Bool, true), new("error_message", HclType.String, true)] },
            },
        ],
        AllowsMore = true,
    };

    private readonly Dictionary<string, Declared> _declared = new(StringComparer.Ordinal);

    private sealed record Declared(Block? Block, HclType Type, bool Sensitive, SourceSpan Span)
    {
        public HclValue? Value { get; set; }
    }

    /// <summary>Values that must not be shown.</summary>
    public ImmutableArray<string> Secrets =>
        [.. _declared.Values.Where(one => one is { Sensitive: true, Value: not null }).SelectMany(one => Secrecy.TextsOf(one.Value!))];

    /// <summary>For showing.</summary>
    public IEnumerable<TemplateValue> Values =>
        _declared.Where(one => one.Value.Value is not null).Select(one => Secrecy.Show(one.Key, one.Value.Value!, one.Value.Sensitive));

    /// <summary>The object <c>var</c>.</summary>
    public HclValue Load(ImmutableArray<Body> bodies, string root)
    {
        foreach (var block in bodies.SelectMany(body => body.BlocksOf("variable")))
            Declare(block);
        foreach (var attribute in bodies.SelectMany(body => body.BlocksOf("variables")).SelectMany(block => block.Body.Attributes))
            DeclareLegacy(attribute);
        TakeEnvironment();
        foreach (var file in TemplateFiles.AutoVariables(root))
            TakeFile(file, strict: false);
        foreach (var argument in request.Variables)
        {
            if (argument is VariableArgument.Value value)
                TakeArgument(value);
            else if (argument is VariableArgument.File file)
                TakeFile(file.Path, strict: true);
        }

        foreach (var (name, declared) in _declared)
            Finish(name, declared);
        return HclValue.Object(_declared.Select(pair => KeyValuePair.Create(pair.Key, Marked(pair.Value))));
    }

    private static HclValue Marked(Declared declared) =>
        declared.Sensitive ? declared.Value!.AsSensitive() : declared.Value!;

    private void Declare(Block block)
    {
        if (block.Labels.Length != 1)
        {
            diagnostics.Error(block.HeaderSpan, "Invalid variable block", "A variable has one label, its name: variable \"name\" { ... }.");
            return;
        }

        var name = block.Labels[0].Text;
        // Defaults may use no variables; of functions they see env besides the usual ones.
        var scope = new EvaluationScope(functions: functions.With(StandardFunctions.Env(request.Environment)));
        var typeAttribute = block.Body.Attribute("type");
        var type = typeAttribute is null ? HclType.Any : HclTypeExpression.Read(typeAttribute.Expression, diagnostics);
        var declared = new Declared(block, type, IsSensitive(block, scope), block.HeaderSpan);
        if (!_declared.TryAdd(name, declared))
        {
            diagnostics.Error(block.HeaderSpan, "Duplicate variable", $"The variable \"{name}\" is declared more than once.");
            return;
        }

        foreach (var attribute in block.Body.Attributes.Where(one => one.Name is not ("type" or "default" or "description" or "sensitive")))
            diagnostics.Error(attribute.NameSpan, "Unsupported argument", $"A variable has no argument \"{attribute.Name}\".");
        if (block.Body.Attribute("default") is { } given)
            declared.Value = Evaluator.EvaluateAs(given.Expression, type, scope, diagnostics);
    }

    private bool IsSensitive(Block block, EvaluationScope scope) =>
        block.Body.Attribute("sensitive") is { } attribute
        && Evaluator.EvaluateAs(attribute.Expression, HclType.Bool, scope, diagnostics) is { IsKnown: true, IsNull: false } value
        && value.AsBool();

    private void DeclareLegacy(AttributeDefinition attribute)
    {
        var scope = new EvaluationScope(functions: functions.With(StandardFunctions.Env(request.Environment)));
        var value = Evaluator.Evaluate(attribute.Expression, scope, diagnostics);
        if (!_declared.TryAdd(attribute.Name, new Declared(null, value.Type, Sensitive: false, attribute.NameSpan) { Value = value }))
            diagnostics.Error(attribute.NameSpan, "Duplicate variable", $"The variable \"{attribute.Name}\" is declared more than once.");
    }

    private void TakeEnvironment()
    {
        foreach (var name in request.EnvironmentNames.Where(name => name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal)))
        {
            if (_declared.TryGetValue(name[EnvironmentPrefix.Length..], out var declared))
                declared.Value = VariableInput.Parse(name, request.Environment(name) ?? "", declared.Type, diagnostics);
        }
    }

    private void TakeArgument(VariableArgument.Value value)
    {
        if (_declared.TryGetValue(value.Name, out var declared))
        {
            declared.Value = VariableInput.Parse($"-var {value.Name}", value.Text, declared.Type, diagnostics);
            return;
        }

        diagnostics.Error(
            null, "Undefined variable",
            $"-var {value.Name}: the template declares no such variable.{Suggestion.Sentence(value.Name, _declared.Keys)}".TrimEnd());
    }

    private void TakeFile(string path, bool strict)
    {
        if (path.EndsWith(".json", StringComparison.Ordinal))
        {
            var file = new SourceFile(TemplateFiles.Shown(path), System.Text.Encoding.UTF8.GetString(TemplateFiles.ReadBytes(path)));
            foreach (var (name, value) in VariableInput.ParseJsonFile(file, diagnostics))
                Take(name, value, file.Span(0, 0), strict);
            return;
        }

        if (TemplateFiles.Parse(path, diagnostics) is not { } body)
            return;
        foreach (var attribute in body.Attributes)
            Take(attribute.Name, Evaluator.Evaluate(attribute.Expression, EvaluationScope.Empty, diagnostics), attribute.NameSpan, strict);
        foreach (var block in body.Blocks)
            diagnostics.Error(block.HeaderSpan, "Unexpected block", "A file of variables holds only names and values.");
    }

    private void Take(string name, HclValue value, SourceSpan span, bool strict)
    {
        if (!_declared.TryGetValue(name, out var declared))
        {
            if (strict)
                diagnostics.Warning(span, "Undefined variable", $"The template declares no variable \"{name}\"; its value is not used.");
            return;
        }

        if (HclConversion.TryConvert(value, declared.Type, out var converted, out var error))
            declared.Value = converted;
        else
            diagnostics.Error(span, "Invalid value for variable", $"The value of \"{name}\" is not suitable: {error}.");
    }

    private void Finish(string name, Declared declared)
    {
        if (declared.Value is null)
        {
            diagnostics.Error(
                declared.Span, "Unset variable",
                $"The variable \"{name}\" has no default and was given no value: use -var {name}=..., a -var-file, or PKR_VAR_{name}.");
            declared.Value = HclValue.Unknown(declared.Type);
            return;
        }

        if (declared.Block is null || !declared.Value.IsWhollyKnown)
            return;
        var scope = new EvaluationScope(
            new Dictionary<string, HclValue> { ["var"] = HclValue.Object([KeyValuePair.Create(name, declared.Value)]) }, functions);
        foreach (var block in BodyDecoder.Decode(declared.Block.Body, ValidationSchema, scope, diagnostics).BlocksOf("validation"))
        {
            if (block.Body.Bool("condition") == false)
                diagnostics.Error(block.Source.HeaderSpan, "Invalid value for variable", block.Body.Text("error_message") ?? $"The value of \"{name}\" is refused.");
        }
    }

    private static readonly BodySchema ValidationSchema = Schema with { Attributes = [] };
}
