using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Schema;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Template;

/// <summary>
/// Reads provisioner and post-processor blocks. Their meta-arguments are read at once; the rest is read once with
/// placeholders, which finds the errors before anything starts, and again when it is the block's turn.
/// </summary>
internal sealed class ProvisionerReader(
    EvaluationScope scope, string root, DiagnosticBag diagnostics, FrozenEntropy entropy)
{
    private static readonly HclType Strings = HclType.List(HclType.String);
    private static readonly HclType Map = HclType.Map(HclType.String);

    private static readonly AttributeSchema[] Meta =
    [
        new("name", HclType.String), new("pause_before", HclType.String), new("max_retries", HclType.Number),
        new("timeout", HclType.String), new("only", Strings), new("except", Strings), new("continue_on_error", HclType.Bool),
        new("keep_input_artifact", HclType.Bool),
    ];

    private static readonly Dictionary<string, BodySchema> Schemas = new(StringComparer.Ordinal)
    {
        ["shell"] = Schema(
            [
                "inline_shebang", "script", "execute_command", "remote_folder", "remote_file", "remote_path", "start_retry_timeout", "pause_after",
            ],
            ["skip_clean", "expect_disconnect", "binary", "use_env_var_file", "uses_network"],
            new("inline", Strings), new("scripts", Strings), new("environment_vars", Strings), new("env", Map),
            new("valid_exit_codes", HclType.List(HclType.Number))),
        ["file"] = Schema(["source", "content", "destination", "direction"], ["generated"], new AttributeSchema("sources", Strings)),
        ["shell-local"] = ShellLocalSchema,
        ["sleep"] = Schema(["duration"], []),
        ["breakpoint"] = Schema(["note"], ["disable"]),
    };

    private static readonly Dictionary<string, BodySchema> PostSchemas = new(StringComparer.Ordinal)
    {
        ["manifest"] = Schema(["output"], ["strip_path", "strip_time"], new AttributeSchema("custom_data", Map)),
        ["checksum"] = Schema(["output"], [], new AttributeSchema("checksum_types", Strings)),
        ["shell-local"] = ShellLocalSchema,
    };

    private static BodySchema ShellLocalSchema => Schema(
        ["command", "inline_shebang", "script", "tempfile_extension"],
        ["use_linux_pathing"],
        new("inline", Strings), new("scripts", Strings), new("environment_vars", Strings), new("env", Map),
        new("execute_command", Strings), new("only_on", Strings), new("valid_exit_codes", HclType.List(HclType.Number)), new("inputs", Strings));

    /// <summary>The provisioner for one build; null when it is not for that build, or can't be read.</summary>
    public ProvisionerDefinition? Read(Block block, string buildName, int number)
    {
        if (!TryKind(block, Schemas, "provisioner", out var type, out var schema))
            return null;
        var place = $"{buildName} provisioner {number}";
        entropy.Begin(place);
        var decoded = Decode(block.Body, schema, BuildVariables.Placeholders, diagnostics);
        var given = new Attributes(decoded, root, diagnostics);
        if (!IsFor(given, buildName))
            return null;
        OptionsOf(type, decoded, diagnostics, block.HeaderSpan);
        return new ProvisionerDefinition
        {
            Type = type,
            Label = given.Text("name") ?? (number == 0 ? $"{type} (error cleanup)" : $"{type} {number}"),
            PauseBefore = given.Duration("pause_before") ?? TimeSpan.Zero,
            MaxRetries = given.Number("max_retries", 0, 0, 1000),
            Timeout = given.Duration("timeout"),
            ContinueOnError = given.Flag("continue_on_error"),
            Options = variables =>
            {
                entropy.Begin(place);
                var late = new DiagnosticBag();
                var options = OptionsOf(type, Decode(block.Body, schema, variables, late), late, block.HeaderSpan);
                return late.HasErrors || options is null ? throw TemplateProblem.Of(late) : options;
            },
        };
    }

    /// <summary>The post-processor for one build; null when it is not for that build, or can't be read.</summary>
    public PostProcessorDefinition? ReadPost(Block block, string buildName)
    {
        if (!TryKind(block, PostSchemas, "post-processor", out var type, out var schema))
            return null;
        var place = $"{buildName} post-processor at {block.HeaderSpan}";
        entropy.Begin(place);
        var decoded = Decode(block.Body, schema, BuildVariables.Placeholders, diagnostics);
        var given = new Attributes(decoded, root, diagnostics);
        if (!IsFor(given, buildName))
            return null;
        PostOptionsOf(type, decoded, diagnostics, block.HeaderSpan);
        return new PostProcessorDefinition
        {
            Type = type,
            Label = given.Text("name") ?? type,
            KeepInputArtifact = given.MaybeFlag("keep_input_artifact"),
            Options = variables =>
            {
                entropy.Begin(place);
                var late = new DiagnosticBag();
                var options = PostOptionsOf(type, Decode(block.Body, schema, variables, late), late, block.HeaderSpan);
                return late.HasErrors || options is null ? throw TemplateProblem.Of(late) : options;
            },
        };
    }

    /// <summary>The object <c>build</c> as templates see it.</summary>
    public static HclValue BuildObject(BuildVariables variables) => HclValue.Object(new Dictionary<string, HclValue>
    {
        ["ID"] = HclValue.String(variables.Id),
        ["Host"] = HclValue.String(variables.Host),
        ["Port"] = HclValue.String(variables.Port),
        ["User"] = HclValue.String(variables.User),
        ["Password"] = HclValue.String(variables.Password),
        ["ConnType"] = HclValue.String(variables.ConnType),
        ["SSHPublicKey"] = HclValue.String(variables.SshPublicKey),
        ["SSHPrivateKey"] = HclValue.String(variables.SshPrivateKey),
        ["PackerRunUUID"] = HclValue.String(variables.RunUuid),
        ["PackerHTTPAddr"] = HclValue.String(variables.HttpAddress),
        ["PackerHTTPIP"] = HclValue.String(variables.HttpIp),
        ["PackerHTTPPort"] = HclValue.String(variables.HttpPort),
    });

    private static BodySchema Schema(string[] texts, string[] flags, params AttributeSchema[] more) => new()
    {
        Attributes =
        [
            .. Meta,
            .. texts.Select(name => new AttributeSchema(name, HclType.String)),
            .. flags.Select(name => new AttributeSchema(name, HclType.Bool)),
            .. more,
        ],
    };

    private DecodedBody Decode(Body body, BodySchema schema, BuildVariables variables, DiagnosticBag bag) =>
        BodyDecoder.Decode(body, schema, scope.CreateChild(new Dictionary<string, HclValue> { ["build"] = BuildObject(variables) }), bag);

    private bool TryKind(
        Block block, Dictionary<string, BodySchema> known, string what, out string type, out BodySchema schema)
    {
        type = block.Labels.Length == 1 ? block.Labels[0].Text : "";
        schema = new BodySchema();
        if (block.Labels.Length != 1)
        {
            diagnostics.Error(block.HeaderSpan, $"Invalid {what} block", $"Write {what} \"TYPE\" {{ ... }}.");
            return false;
        }

        if (known.TryGetValue(type, out var found))
        {
            schema = found;
            return true;
        }

        diagnostics.Error(
            block.Labels[0].Span, $"Unknown {what}",
            $"There is no {what} \"{type}\" here; there are {string.Join(", ", known.Keys.Order(StringComparer.Ordinal))}."
                + Suggestion.Sentence(type, known.Keys));
        return false;
    }

    private static bool IsFor(Attributes given, string buildName)
    {
        // Packer matches against TYPE.NAME, with a block's name before it or not.
        bool Matches(string word) => word == buildName || buildName.EndsWith("." + word, StringComparison.Ordinal);
        var only = given.Texts("only");
        return (only.Count == 0 || only.Any(Matches)) && !given.Texts("except").Any(Matches);
    }

    private ProvisionerOptions? OptionsOf(string type, DecodedBody body, DiagnosticBag bag, SourceSpan at)
    {
        var given = new Attributes(body, root, bag);
        switch (type)
        {
            case "shell":
                return Shell(given, at, bag);
            case "file":
                return CopiedFile(given, at, bag);
            case "shell-local":
                return ShellLocal(given, at, bag);
            case "sleep":
                return new ProvisionerOptions.Sleep(given.Duration("duration") ?? TimeSpan.Zero);
            case "breakpoint":
                return new ProvisionerOptions.Breakpoint(given.TextOr("note", ""), given.Flag("disable"));
            default:
                throw new InvalidOperationException($"no reader for {type}");
        }
    }

    private static ProvisionerOptions.Shell Shell(Attributes given, SourceSpan at, DiagnosticBag bag)
    {
        var scripts = given.Text("script") is { } one ? new ValueList<string>().With(given.Absolute(one)) : given.FilePaths("scripts");
        var inline = given.Texts("inline");
        if ((inline.Count > 0 ? 1 : 0) + (scripts.Count > 0 ? 1 : 0) != 1)
            bag.Error(at, "What should the shell run?", "Give exactly one of inline, script and scripts.");
        CheckExist(scripts, given.IsSet("script") ? "script" : "scripts", given);
        var defaults = new ProvisionerOptions.Shell();
        return defaults with
        {
            Inline = inline,
            InlineShebang = given.TextOr("inline_shebang", defaults.InlineShebang),
            Scripts = scripts,
            Environment = Variables(given),
            ExecuteCommand = given.TextOr("execute_command", defaults.ExecuteCommand),
            RemoteFolder = given.TextOr("remote_folder", defaults.RemoteFolder),
            RemotePath = given.Text("remote_path"),
            SkipClean = given.Flag("skip_clean"),
            ExpectDisconnect = given.Flag("expect_disconnect"),
            StartRetryTimeout = given.Duration("start_retry_timeout") ?? defaults.StartRetryTimeout,
            PauseAfter = given.Duration("pause_after") ?? TimeSpan.Zero,
            ValidExitCodes = ExitCodes(given, defaults.ValidExitCodes),
            Binary = given.Flag("binary"),
            UsesNetwork = given.Flag("uses_network"),
        };
    }

    private static ProvisionerOptions.File CopiedFile(Attributes given, SourceSpan at, DiagnosticBag bag)
    {
        var download = given.Choice("direction", false, ("upload", false), ("download", true));
        var sources = given.Text("source") is { } one ? new ValueList<string>().With(one) : given.Texts("sources");
        var content = given.Text("content");
        if (sources.Count == 0 == content is null)
            bag.Error(at, "What should be copied?", "Give one of source, sources and content.");
        if (given.Text("destination") is null)
            bag.Error(at, "Missing \"destination\"", "Say where the file goes.");
        // A trailing slash has a meaning of its own, and making a path absolute would take it away.
        string Local(string path) => given.Absolute(path) + (path.EndsWith('/') ? "/" : "");
        var options = new ProvisionerOptions.File
        {
            Sources = download ? sources : sources.Select(Local).ToValueList(),
            Content = content,
            Destination = given.Text("destination") is { } destination && download ? Local(destination) : given.TextOr("destination", "/"),
            Download = download,
            Generated = given.Flag("generated"),
        };
        if (!download && !options.Generated)
            CheckExist(options.Sources, given.IsSet("source") ? "source" : "sources", given);
        return options;
    }

    private static ProvisionerOptions.ShellLocal ShellLocal(Attributes given, SourceSpan at, DiagnosticBag bag)
    {
        var inline = given.Text("command") is { } command ? new ValueList<string>().With(command) : given.Texts("inline");
        var scripts = given.Text("script") is { } one ? new ValueList<string>().With(given.Absolute(one)) : given.FilePaths("scripts");
        if ((inline.Count > 0 ? 1 : 0) + (scripts.Count > 0 ? 1 : 0) != 1)
            bag.Error(at, "What should the shell run?", "Give exactly one of inline, command, script and scripts.");
        CheckExist(scripts, given.IsSet("script") ? "script" : "scripts", given);
        var defaults = new ProvisionerOptions.ShellLocal();
        return defaults with
        {
            Inline = inline,
            InlineShebang = given.TextOr("inline_shebang", defaults.InlineShebang),
            Scripts = scripts,
            Environment = Variables(given),
            ExecuteCommand = given.Texts("execute_command"),
            ValidExitCodes = ExitCodes(given, defaults.ValidExitCodes),
            Inputs = given.IsSet("inputs") ? given.FilePaths("inputs") : null,
        };
    }

    private PostProcessorOptions? PostOptionsOf(string type, DecodedBody body, DiagnosticBag bag, SourceSpan at)
    {
        var given = new Attributes(body, root, bag);
        switch (type)
        {
            case "manifest":
                return new PostProcessorOptions.Manifest
                {
                    Output = given.Absolute(given.TextOr("output", "packer-manifest.json")),
                    StripPath = given.Flag("strip_path"),
                    StripTime = given.Flag("strip_time"),
                    CustomData = given.Entries("custom_data").Select(pair => new EnvironmentVariable(pair.Key, pair.Value)).ToValueList(),
                };
            case "checksum":
                var defaults = new PostProcessorOptions.Checksum();
                return defaults with
                {
                    Types = given.IsSet("checksum_types") ? given.Texts("checksum_types") : defaults.Types,
                    Output = given.Absolute(given.TextOr("output", defaults.Output)),
                };
            case "shell-local":
                return new PostProcessorOptions.ShellLocal(ShellLocal(given, at, bag));
            default:
                throw new InvalidOperationException($"no reader for {type}");
        }
    }

    private static void CheckExist(IEnumerable<string> paths, string name, Attributes given)
    {
        foreach (var path in paths.Where(path => !System.IO.Path.Exists(path)))
            given.Error(name, $"There is no file or folder {path}.");
    }

    private static ValueList<int> ExitCodes(Attributes given, ValueList<int> otherwise) =>
        given.IsSet("valid_exit_codes") ? given.Integers("valid_exit_codes") : otherwise;

    private static ValueList<EnvironmentVariable> Variables(Attributes given)
    {
        var variables = new List<EnvironmentVariable>();
        foreach (var assignment in given.Texts("environment_vars"))
        {
            var equals = assignment.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                variables.Add(new EnvironmentVariable(assignment[..equals], assignment[(equals + 1)..]));
            else
                given.Error("environment_vars", $"Expected NAME=VALUE, found \"{assignment}\".");
        }

        variables.AddRange(given.Entries("env").Select(pair => new EnvironmentVariable(pair.Key, pair.Value)));
        return [.. variables];
    }
}
