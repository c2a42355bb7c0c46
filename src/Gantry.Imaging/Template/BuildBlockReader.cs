using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Schema;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Template;

/// <summary>Reads <c>build</c> blocks: one build for each of the sources that the block names.</summary>
internal sealed class BuildBlockReader(
    IReadOnlyDictionary<string, Block> sources, EvaluationScope scope, string root, DiagnosticBag diagnostics, FrozenEntropy entropy)
{
    private static readonly BodySchema Schema = new()
    {
        Attributes = [new("name", HclType.String), new("description", HclType.String), new("sources", HclType.Any)],
        Blocks = [ArtifactReader.Block],
        AllowsMore = true,
    };

    private static readonly string[] Blocks =
        ["source", "provisioner", "error-cleanup-provisioner", "post-processor", "post-processors", "artifact", "dynamic", "hcp_packer_registry"];

    public IEnumerable<BuildDefinition> Read(Block block)
    {
        var decoded = BodyDecoder.Decode(block.Body, Schema, scope.CreateChild(SourceNames()), diagnostics);
        foreach (var unknown in decoded.Rest.Attributes)
            diagnostics.Error(unknown.NameSpan, "Unsupported argument", $"A build has no argument \"{unknown.Name}\".");
        foreach (var unknown in decoded.Rest.Blocks.Where(one => !Blocks.Contains(one.Type)))
            diagnostics.Error(unknown.TypeSpan, "Unknown block", $"A build has no block \"{unknown.Type}\".{Suggestion.Sentence(unknown.Type, Blocks)}".TrimEnd());
        foreach (var repeated in decoded.Rest.Blocks.Where(one => one.Type == "dynamic"))
            diagnostics.Error(repeated.HeaderSpan, "Not supported", "In a build only artifact blocks can be dynamic yet; write the blocks out.");
        var blockName = decoded.Text("name") ?? "";
        var artifacts = decoded.BlocksOf("artifact").ToImmutableArray();
        foreach (var (key, at, changes) in Named(block, decoded))
        {
            if (ReadOne(key, at, changes, block.Body, blockName, artifacts) is { } build)
                yield return build;
        }
    }

    /// <summary>So that <c>source.qemu.mini</c> may stand without quotes.</summary>
    private Dictionary<string, HclValue> SourceNames()
    {
        var byType = sources.Keys.Select(key => key.Split('.', 2)).GroupBy(parts => parts[0]);
        var value = HclValue.Object(byType.Select(group => KeyValuePair.Create(
            group.Key, HclValue.Object(group.Select(parts => KeyValuePair.Create(parts[1], HclValue.String($"source.{parts[0]}.{parts[1]}")))))));
        return new Dictionary<string, HclValue> { ["source"] = value, ["sources"] = value };
    }

    private IEnumerable<(string Key, SourceSpan At, Body? Changes)> Named(Block block, DecodedBody decoded)
    {
        if (decoded.Attributes.TryGetValue("sources", out var attribute) && attribute.Value.IsWhollyKnown)
        {
            if (!HclConversion.TryConvert(attribute.Value, HclType.List(HclType.String), out var list, out var error))
                diagnostics.Error(attribute.Definition.Expression.Span, "Invalid sources", $"Expected a list of sources: {error}.");
            else
                foreach (var item in list.AsItems())
                    yield return (Key(item.AsString()), attribute.Definition.Expression.Span, null);
        }

        foreach (var source in block.Body.BlocksOf("source"))
        {
            if (source.Labels.Length == 1)
                yield return (Key(source.Labels[0].Text), source.HeaderSpan, source.Body);
            else
                diagnostics.Error(source.HeaderSpan, "Invalid source block", "Within a build a source has one label: source \"qemu.NAME\" { ... }.");
        }
    }

    private static string Key(string text)
    {
        foreach (var prefix in new[] { "source.", "sources." })
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
                return text[prefix.Length..];
        }

        return text;
    }

    private BuildDefinition? ReadOne(
        string key, SourceSpan at, Body? changes, Body build, string blockName, ImmutableArray<DecodedBlock> artifacts)
    {
        if (!sources.TryGetValue(key, out var source))
        {
            diagnostics.Error(at, "Unknown source", $"There is no source \"{key}\".{Suggestion.Sentence(key, sources.Keys)}".TrimEnd());
            return null;
        }

        var (type, name) = (source.Labels[0].Text, source.Labels[1].Text);
        if (type != "qemu")
        {
            diagnostics.Error(source.Labels[0].Span, "Unknown builder", $"Gantry builds sources of type \"qemu\"; found \"{type}\".");
            return null;
        }

        var inner = scope.CreateChild(new Dictionary<string, HclValue>
        {
            ["source"] = HclValue.Object(new Dictionary<string, HclValue>
            {
                ["type"] = HclValue.String(type),
                ["name"] = HclValue.String(name),
            }),
        });
        var body = changes is null ? source.Body : Body.Merge([source.Body, changes]);
        entropy.Begin($"source {key}");
        var qemu = new QemuSourceReader(inner, root, diagnostics).Read(name, body, source.HeaderSpan, artifacts);
        var full = $"{type}.{name}";
        var provisioners = new ProvisionerReader(inner, root, diagnostics, entropy);
        return qemu is null ? null : new BuildDefinition
        {
            Name = blockName.Length > 0 ? $"{blockName}.{full}" : full,
            BlockName = blockName,
            Source = qemu,
            Provisioners = build.BlocksOf("provisioner")
                .Select((one, i) => provisioners.Read(one, full, i + 1)).OfType<ProvisionerDefinition>().ToValueList(),
            ErrorCleanup = build.BlocksOf("error-cleanup-provisioner").Select(one => provisioners.Read(one, full, 0)).FirstOrDefault(),
            PostProcessors = Chains(build, provisioners, full),
        };
    }

    private static ValueList<ValueList<PostProcessorDefinition>> Chains(Body build, ProvisionerReader reader, string name)
    {
        var chains = new List<ValueList<PostProcessorDefinition>>();
        foreach (var block in build.Blocks)
        {
            var chain = block.Type switch
            {
                "post-processor" => [block],
                "post-processors" => block.Body.BlocksOf("post-processor"),
                _ => Enumerable.Empty<Block>(),
            };
            var read = chain.Select(one => reader.ReadPost(one, name)).OfType<PostProcessorDefinition>().ToValueList();
            if (read.Count > 0)
                chains.Add(read);
        }

        return [.. chains];
    }
}
