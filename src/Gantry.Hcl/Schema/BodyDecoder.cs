using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Schema;

/// <summary>Checks bodies against schemas and evaluates them.</summary>
public static class BodyDecoder
{
    /// <summary>
    /// Decodes a body: every mistake in it is a diagnostic, and what is right is decoded all the same.
    /// </summary>
    /// <param name="body">The body.</param>
    /// <param name="schema">What it may hold.</param>
    /// <param name="scope">What its expressions see.</param>
    /// <param name="diagnostics">Gets what is wrong.</param>
    public static DecodedBody Decode(Body body, BodySchema schema, EvaluationScope scope, DiagnosticBag diagnostics) =>
        new Decoding(scope.Limits, diagnostics).Decode(body, schema, scope, body.Span, "");

    private sealed class Decoding(HclLimits limits, DiagnosticBag diagnostics)
    {
        // Blocks made by all dynamic blocks together: nested ones would multiply.
        private int _made;

        public DecodedBody Decode(Body body, BodySchema schema, EvaluationScope scope, SourceSpan owner, string where)
        {
            var attributes = DecodeAttributes(body, schema, scope, where, out var moreAttributes);
            CheckRequired(body, schema, attributes, owner, where);
            var blocks = new List<DecodedBlock>();
            var moreBlocks = new List<Block>();
            foreach (var block in body.Blocks)
            {
                if (block.Type == "dynamic" && schema.AllowsDynamic && schema.Blocks.All(
                    known => known.Type != "dynamic"))
                    Expand(block, schema, scope, blocks, moreBlocks);
                else if (schema.Blocks.FirstOrDefault(known => known.Type == block.Type) is { } known)
                    DecodeBlock(block, known, scope, blocks);
                else if (schema.AllowsMore)
                    moreBlocks.Add(block);
                else
                    ReportUnknownBlock(block.TypeSpan, block.Type, schema);
            }
            CheckCounts(schema, blocks, owner, where);
            return new DecodedBody
            {
                Attributes = attributes,
                Blocks = [.. blocks],
                Rest = new Body(body.Span, [.. moreAttributes], [.. moreBlocks]),
                Source = body,
                Scope = scope,
            };
        }

        private ImmutableDictionary<string, AttributeValue> DecodeAttributes(
            Body body, BodySchema schema, EvaluationScope scope, string where, out List<AttributeDefinition> more)
        {
            var decoded = ImmutableDictionary.CreateBuilder<string, AttributeValue>(StringComparer.Ordinal);
            more = [];
            foreach (var definition in body.Attributes)
            {
                var known = schema.Attributes.FirstOrDefault(attribute => attribute.Name == definition.Name);
                if (known is not null)
                    decoded[definition.Name] = new AttributeValue(Evaluate(definition, known, scope), definition);
                else if (schema.AllowsMore)
                    more.Add(definition);
                else
                    ReportUnknownAttribute(definition, schema, where);
            }
            return decoded.ToImmutable();
        }

        private HclValue Evaluate(AttributeDefinition definition, AttributeSchema schema, EvaluationScope scope)
        {
            var value = Evaluator.Evaluate(definition.Expression, scope, diagnostics);
            if (HclConversion.TryConvert(value, schema.Type, out var converted, out var error))
                return converted;
            diagnostics.Error(
                definition.Expression.Span, "Incorrect attribute value type", $"Inappropriate value for attribute \"{definition.Name}\": {error}.");
            return HclValue.Unknown(schema.Type);
        }

        private void ReportUnknownAttribute(AttributeDefinition definition, BodySchema schema, string where)
        {
            if (schema.Blocks.Any(block => block.Type == definition.Name))
            {
                diagnostics.Error(
                    definition.NameSpan,
                    "Unsupported argument",
                    $"An argument named \"{definition.Name}\" is not expected here. Did you mean to define a block of type \"{definition.Name}\"? "
                    + "Then leave out the equals sign.");
                return;
            }
            var suggestion = Suggestion.Sentence(
                definition.Name, schema.Attributes.Select(attribute => attribute.Name));
            diagnostics.Error(
                definition.NameSpan,
                "Unsupported argument",
                $"An argument named \"{definition.Name}\" is not expected {Here(where)}.{suggestion}");
        }

        private void ReportUnknownBlock(SourceSpan span, string type, BodySchema schema)
        {
            if (schema.Attributes.Any(attribute => attribute.Name == type))
            {
                diagnostics.Error(
                    span,
                    "Unsupported block type",
                    $"Blocks of type \"{type}\" are not expected here. Did you mean to define argument \"{type}\"? "
                    + "If so, use the equals sign to assign it a value.");
                return;
            }
            var suggestion = Suggestion.Sentence(type, schema.Blocks.Select(block => block.Type));
            diagnostics.Error(
                span, "Unsupported block type", $"Blocks of type \"{type}\" are not expected here.{suggestion}");
        }

        private static string Here(string where) => where.Length == 0 ? "here" : $"in {where}";

        private void CheckRequired(
            Body body, BodySchema schema, ImmutableDictionary<string, AttributeValue> attributes, SourceSpan owner, string where)
        {
            foreach (var required in schema.Attributes.Where(attribute => attribute.IsRequired))
            {
                if (!attributes.TryGetValue(required.Name, out var given))
                {
                    // A mistyped name is reported already, and with a suggestion.
                    if (!body.Attributes.Any(
                        other =>
                            Suggestion.For(other.Name, [required.Name]) is not null && !attributes.ContainsKey(other.Name)))
                        diagnostics.Error(
                            owner,
                            "Missing required argument",
                            $"The argument \"{required.Name}\" is required {Here(where)}, but no definition was "
                                + "found.");
                }
                else if (given.Value.IsNull)
                {
                    diagnostics.Error(
                        given.Definition.Expression.Span,
                        "Missing required argument",
                        $"The argument \"{required.Name}\" is required, and must not be null.");
                }
            }
        }

        private void CheckCounts(BodySchema schema, List<DecodedBlock> blocks, SourceSpan owner, string where)
        {
            foreach (var known in schema.Blocks)
            {
                var found = blocks.Where(block => block.Type == known.Type).ToList();
                if (found.Count < known.Min && !found.Any(block => block.IsUnknown))
                {
                    var needed = known.Min == 1 ? $"At least one \"{known.Type}\" block is" : $"At least {known.Min} \"{known.Type}\" blocks are";
                    diagnostics.Error(
                        owner,
                        $"Missing {known.Type} block",
                        $"{needed} required {Here(where)}; {found.Count} found.");
                }
                if (found.Count > known.Max)
                {
                    var allowed = known.Max == 1 ? "one" : known.Max.ToString(
                        System.Globalization.CultureInfo.InvariantCulture);
                    var first = new RelatedLocation { Span = found[0].Source.HeaderSpan, Message = "the first one is here" };
                    diagnostics.Error(
                        found[known.Max].Source.HeaderSpan,
                        $"Too many {known.Type} blocks",
                        $"No more than {allowed} \"{known.Type}\" {(known.Max == 1 ? "block is" : "blocks are")} allowed {Here(where)}.",
                        first);
                }
            }
        }

        private void DecodeBlock(Block block, BlockSchema schema, EvaluationScope scope, List<DecodedBlock> into)
        {
            if (!CheckLabels(block, schema, block.Labels.Length, block.HeaderSpan))
                return;
            into.Add(new DecodedBlock
            {
                Type = block.Type,
                Labels = [.. block.Labels.Select(label => label.Text)],
                Body = Decode(block.Body, schema.Body, scope, block.HeaderSpan, $"a \"{block.Type}\" block"),
                Source = block,
            });
        }

        private bool CheckLabels(Block block, BlockSchema schema, int count, SourceSpan span)
        {
            if (count == schema.LabelNames.Length)
                return true;
            var names = string.Join(", ", schema.LabelNames);
            if (count < schema.LabelNames.Length)
            {
                diagnostics.Error(
                    span,
                    $"Missing {schema.LabelNames[count]} for {schema.Type}",
                    $"All {schema.Type} blocks must have {schema.LabelNames.Length} labels ({names}).");
            }
            else
            {
                var extra = schema.LabelNames.Length < block.Labels.Length ? block.Labels[schema.LabelNames.Length].Span : span;
                diagnostics.Error(
                    extra,
                    $"Extraneous label for {schema.Type}",
                    schema.LabelNames.IsEmpty
                        ? $"No labels are expected for {schema.Type} blocks."
                        : $"Only {schema.LabelNames.Length} labels ({names}) are expected for {schema.Type} blocks.");
            }
            return false;
        }

        // dynamic "type" { for_each, iterator, labels, content {} }: a block of that type for each element.
        private void Expand(
            Block block, BodySchema schema, EvaluationScope scope, List<DecodedBlock> into, List<Block> more)
        {
            if (block.Labels.Length != 1)
            {
                diagnostics.Error(
                    block.HeaderSpan,
                    "Invalid dynamic block",
                    "A dynamic block needs one label: the type of the blocks to make.");
                return;
            }
            var type = block.Labels[0].Text;
            if (schema.Blocks.FirstOrDefault(candidate => candidate.Type == type) is not { } known)
            {
                if (schema.AllowsMore)
                    more.Add(block);
                else
                    ReportUnknownBlock(block.Labels[0].Span, type, schema);
                return;
            }
            if (_made > limits.MaxDynamicBlocks || DynamicBlock.Read(block, type, diagnostics) is not { } dynamic)
                return;
            var collection = Evaluator.Evaluate(dynamic.ForEach, scope, diagnostics);
            if (dynamic.Pairs(collection, diagnostics) is not { } pairs)
                return;
            foreach (var (key, value) in pairs)
            {
                if (_made >= limits.MaxDynamicBlocks)
                {
                    if (_made++ == limits.MaxDynamicBlocks)
                        diagnostics.Error(
                            block.HeaderSpan,
                            "Too many blocks",
                            $"Dynamic blocks may make at most {limits.MaxDynamicBlocks} blocks in one body.");
                    return;
                }
                _made++;
                var inner = dynamic.ScopeOf(scope, key, value);
                if (dynamic.Labels(inner, diagnostics) is not { } labels || !CheckLabels(
                    block, known, labels.Length, block.HeaderSpan))
                    return;
                into.Add(new DecodedBlock
                {
                    Type = type,
                    Labels = labels,
                    Body = Decode(dynamic.Content, known.Body, inner, block.HeaderSpan, $"a \"{type}\" block"),
                    Source = block,
                    IsUnknown = !collection.IsKnown,
                });
            }
        }
    }
}
