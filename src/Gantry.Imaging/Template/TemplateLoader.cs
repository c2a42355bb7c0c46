using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Functions;
using Gantry.Hcl.Schema;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Template;

/// <summary>
/// Reads a template in Packer's HCL2 into builds. Everything that can be known to be wrong is said at once.
/// </summary>
public sealed class TemplateLoader
{
    /// <summary>
    /// The version of Packer whose language this is: what <c>required_version</c> and <c>packer.version</c> mean.
    /// </summary>
    public const string LanguageVersion = "1.16.0";

    private static readonly string[] RootBlocks =
        ["packer", "variable", "variables", "locals", "local", "source", "build", "data", "communicator"];

    private readonly LoadRequest _request;
    private readonly DiagnosticBag _diagnostics = new();
    private readonly string _root;
    private readonly FrozenValues _frozen;
    private readonly FrozenEntropy _entropy;

    private TemplateLoader(LoadRequest request)
    {
        _request = request;
        _frozen = request.Frozen ?? new FrozenValues(request.Time.GetUtcNow(), request.Entropy.NewHex(32));
        _entropy = new FrozenEntropy(_frozen.Seed);
        _root = TemplateFiles.RootOf(request.Path);
    }

    /// <exception cref="ProblemException">There is no such template. What is wrong in it is in the result.</exception>
    public static LoadedTemplate Load(LoadRequest request) => new TemplateLoader(request).Load();

    private LoadedTemplate Load()
    {
        var bodies = TemplateFiles.Read(_request.Path, _diagnostics);
        CheckRoot(bodies);
        new PackerBlock(_diagnostics).Check(bodies);
        var functions = StandardFunctions.Create(new FunctionServices
        {
            Files = new LocalFileAccess(_root),
            Clock = new FrozenClock(_frozen.Timestamp),
            Entropy = _entropy.Fill,
        });
        var variables = new TemplateVariables(_request, functions, _diagnostics);
        var scope = new EvaluationScope(
            new Dictionary<string, HclValue>
            {
                ["path"] = HclValue.Object(new Dictionary<string, HclValue>
                {
                    ["cwd"] = HclValue.String(Environment.CurrentDirectory),
                    ["root"] = HclValue.String(RelativeRoot()),
                }),
                ["packer"] = HclValue.Object(new Dictionary<string, HclValue> { ["version"] = HclValue.String(LanguageVersion) }),
                ["template"] = HclValue.UnknownOfAnyType,
                ["build"] = ProvisionerReader.BuildObject(BuildVariables.Placeholders),
            },
            functions);
        scope = scope.CreateChild(new Dictionary<string, HclValue> { ["var"] = variables.Load(bodies, _root) });
        var locals = new TemplateLocals(_diagnostics, _entropy);
        scope = scope.CreateChild(new Dictionary<string, HclValue> { ["local"] = locals.Load(bodies, scope) });
        var builds = ReadBuilds(bodies, scope);
        return new LoadedTemplate
        {
            Builds = _diagnostics.HasErrors ? [] : builds,
            Diagnostics = _diagnostics,
            Secrets = [.. variables.Secrets.Concat(locals.Secrets).Distinct()],
            Variables = [.. variables.Values],
            Locals = [.. locals.Values],
        };
    }

    /// <summary><c>path.root</c> as Packer gives it: as the user wrote the folder.</summary>
    private string RelativeRoot()
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, _root);
        return relative.StartsWith("..", StringComparison.Ordinal) ? _root : relative;
    }

    private void CheckRoot(ImmutableArray<Body> bodies)
    {
        foreach (var body in bodies)
        {
            foreach (var attribute in body.Attributes)
                _diagnostics.Error(attribute.NameSpan, "Unexpected argument", "At the top of a template stand only blocks, such as source and build.");
            foreach (var block in body.Blocks)
            {
                if (!RootBlocks.Contains(block.Type))
                {
                    _diagnostics.Error(
                        block.TypeSpan, "Unknown block",
                        $"A template has no block \"{block.Type}\".{Suggestion.Sentence(block.Type, RootBlocks)}".TrimEnd());
                }
                else if (block.Type is "data" or "communicator")
                {
                    _diagnostics.Error(block.HeaderSpan, "Not supported", $"Gantry does not carry out \"{block.Type}\" blocks yet.");
                }
            }
        }
    }

    private ImmutableArray<BuildDefinition> ReadBuilds(ImmutableArray<Body> bodies, EvaluationScope scope)
    {
        var sources = new Dictionary<string, Block>(StringComparer.Ordinal);
        foreach (var block in bodies.SelectMany(body => body.BlocksOf("source")))
        {
            if (block.Labels.Length != 2)
                _diagnostics.Error(block.HeaderSpan, "Invalid source block", "A source has two labels: source \"qemu\" \"NAME\" { ... }.");
            else if (!sources.TryAdd($"{block.Labels[0].Text}.{block.Labels[1].Text}", block))
                _diagnostics.Error(block.HeaderSpan, "Duplicate source", $"The source {block.Labels[0].Text}.{block.Labels[1].Text} is declared more than once.");
        }

        var blocks = bodies.SelectMany(body => body.BlocksOf("build")).ToList();
        if (blocks.Count == 0 && !_diagnostics.HasErrors)
            _diagnostics.Error(null, "Nothing to build", "The template has no build block.");
        var reader = new BuildBlockReader(sources, scope, _root, _diagnostics, _entropy);
        var builds = blocks.SelectMany(reader.Read).Where(IsWanted).Select(Complete).ToImmutableArray();
        if (builds.IsEmpty && !_diagnostics.HasErrors)
            _diagnostics.Error(null, "Nothing to build", "-only and -except leave no build.");
        return builds;
    }

    private BuildDefinition Complete(BuildDefinition build, int index) => build with
    {
        Folder = _root,
        Frozen = _frozen,
        Reload = values => Load(_request with { Frozen = values }).Builds.ElementAtOrDefault(index) is { } again
            && again.Name == build.Name && again.Provisioners.Count == build.Provisioners.Count ? again : null,
    };

    private bool IsWanted(BuildDefinition build) =>
        (_request.Only.IsEmpty || _request.Only.Any(pattern => Matches(pattern, build.Name)))
        && !_request.Except.Any(pattern => Matches(pattern, build.Name));

    private static bool Matches(string pattern, string name) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    private sealed class FrozenClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
