using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Imaging.Template;

/// <summary>
/// The block <c>packer</c>. Gantry answers a constraint on Packer's version as the Packer whose language it reads,
/// <see cref="TemplateLoader.LanguageVersion"/>; plugins it needs none, so those that it stands in for are taken, and
/// of others it says that it has none.
/// </summary>
internal sealed class PackerBlock(DiagnosticBag diagnostics)
{
    /// <summary>What Gantry does itself; what makes it so is the source's end, whoever publishes the plugin.</summary>
    private static readonly string[] BuiltIn = ["qemu"];

    public void Check(ImmutableArray<Body> bodies)
    {
        foreach (var block in bodies.SelectMany(body => body.BlocksOf("packer")))
        {
            foreach (var attribute in block.Body.Attributes)
                CheckAttribute(attribute);
            foreach (var inner in block.Body.Blocks)
            {
                if (inner.Type == "required_plugins")
                    CheckPlugins(inner);
                else
                    diagnostics.Error(inner.TypeSpan, "Unknown block", $"The packer block has no block \"{inner.Type}\"; it may hold required_plugins.");
            }
        }
    }

    private void CheckAttribute(AttributeDefinition attribute)
    {
        if (attribute.Name != "required_version")
        {
            diagnostics.Error(attribute.NameSpan, "Unsupported argument", $"The packer block has no argument \"{attribute.Name}\"; it may hold required_version.");
            return;
        }

        if (Evaluator.EvaluateAs(attribute.Expression, HclType.String, EvaluationScope.Empty, diagnostics) is not { IsKnown: true, IsNull: false } value)
            return;
        var text = value.AsString();
        if (VersionConstraint.Parse(text) is not { } constraint)
        {
            diagnostics.Error(
                attribute.Expression.Span, "Invalid version constraint",
                $"Expected conditions such as \">= 1.7.0, < 2.0.0\" or \"~> 1.9\", found \"{text}\".");
        }
        else if (!constraint.Allows(Version.Parse(TemplateLoader.LanguageVersion)))
        {
            diagnostics.Error(
                attribute.Expression.Span, "Another version of Packer is required",
                $"The template asks for Packer {text}. Gantry reads the language of Packer {TemplateLoader.LanguageVersion}, and answers "
                    + "for that version; if the template keeps to that language, change the constraint.");
        }
    }

    private void CheckPlugins(Block block)
    {
        foreach (var attribute in block.Body.Attributes)
        {
            if (Evaluator.Evaluate(attribute.Expression, EvaluationScope.Empty, diagnostics) is not { IsWhollyKnown: true, IsNull: false } value)
                continue;
            var source = value.Type.IsKeyed && value.AsEntries().TryGetValue("source", out var named) && named.Type == HclType.String
                ? named.AsString() : "";
            if (source.Length == 0)
            {
                diagnostics.Error(
                    attribute.Expression.Span, "Invalid plugin",
                    $"Expected {attribute.Name} = {{ version = \"...\", source = \"github.com/...\" }}.");
            }
            else if (!BuiltIn.Contains(source.Split('/')[^1]))
            {
                diagnostics.Warning(
                    attribute.NameSpan, "Plugin not needed",
                    $"Gantry loads no plugins; of {source} it offers only what is built in, and says where the template uses more.");
            }
        }
    }
}
