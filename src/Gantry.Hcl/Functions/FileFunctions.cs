using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>Files and paths. Relative paths are the template's.</summary>
internal sealed class FileFunctions
{
    private readonly FunctionServices _services;

    private FileFunctions(FunctionServices services) => _services = services;

    public static IEnumerable<HclFunction> All(FunctionServices services)
    {
        var files = new FileFunctions(services);
        return
        [
            Map("abspath", path => Path.GetFullPath(path, services.Files.CurrentDirectory)),
            Map("basename", BaseName),
            Map("dirname", DirectoryName),
            Map("pathexpand", files.ExpandHome),
            Map("file", files.Read),
            Map("filebase64", path => System.Convert.ToBase64String(files.ReadBytes(path))),
            Function(
                "fileexists",
                Bool,
                call => HclValue.Bool(services.Files.FileExists(files.Resolve(call.Text(0)))),
                Of("path", Text)),
            Function("fileset", HclType.Set(Text), files.List, Of("path", Text), Of("pattern", Text)),
            Function("templatefile", Any, files.Template, Of("path", Text), Open("vars")),
        ];
    }

    private static HclFunction Map(string name, Func<string, string> body) =>
        Function(name, Text, call => body(call.Text(0)).ToValue(), Of("path", Text));

    private static string BaseName(string path)
    {
        var trimmed = path.TrimEnd('/');
        if (trimmed.Length == 0)
            return path.Length == 0 ? "." : "/";
        return trimmed[(trimmed.LastIndexOf('/') + 1)..];
    }

    private static string DirectoryName(string path)
    {
        var slash = path.LastIndexOf('/');
        if (slash < 0)
            return ".";
        var parts = new List<string>();
        foreach (var part in path[..slash].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0 && parts[^1] != "..")
                parts.RemoveAt(parts.Count - 1);
            else if (part != "." && !(part == ".." && path[0] == '/'))
                parts.Add(part);
        }
        var joined = string.Join('/', parts);
        return path[0] == '/' ? "/" + joined : joined.Length == 0 ? "." : joined;
    }

    private string ExpandHome(string path) =>
        path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? _services.Files.HomeDirectory + path[1..] : path;

    private string Resolve(string path)
    {
        if (path.Contains('\0'))
            throw new HclException(0, "a path must not contain a null character");
        return Path.GetFullPath(ExpandHome(path), _services.Files.BaseDirectory);
    }

    private byte[] ReadBytes(string path) => _services.Files.ReadAllBytes(Resolve(path), _services.MaxFileSize);

    private string Read(string path)
    {
        try
        {
            return EncodingFunctions.FromUtf8(ReadBytes(path));
        }
        catch (HclException exception) when (exception.Message == "the content is not valid UTF-8")
        {
            throw new HclException(
                0,
                $"contents of {path} are not valid UTF-8; use the filebase64 function to obtain the Base64 "
                    + "encoded contents");
        }
    }

    private HclValue List(FunctionCall call)
    {
        var pattern = Glob.Compile(call.Text(1), 1);
        var limit = call.Scope.Limits.MaxElements;
        var matches = _services.Files.ListFiles(Resolve(call.Text(0)), limit).Where(path => pattern.IsMatch(path));
        return HclValue.Set(Text, matches.Select(HclValue.String));
    }

    private HclValue Template(FunctionCall call)
    {
        if (!call[1].Type.IsKeyed)
            throw new HclException(1, "vars must be a map or an object");
        var variables = call[1].AsEntries();
        foreach (var name in variables.Keys)
        {
            if (!Identifiers.IsValid(name))
                throw new HclException(
                    1,
                    $"invalid template variable name {ValueText.Quote(name)}: must start with a letter, followed "
                        + "by zero or more letters, digits, and underscores");
        }
        var parsed = HclParser.ParseTemplate(new SourceFile(call.Text(0), Read(call.Text(0))), call.Scope.Limits);
        Refuse(parsed.Diagnostics);
        foreach (var reference in References.Of(parsed.Expression))
        {
            if (!variables.ContainsKey(reference.Root))
                throw new HclException(
                    1, $"{reference.Root} is used at {reference.Span}, and is not among the vars");
        }
        // A template must not include itself for ever.
        var recursive = Function(
            "templatefile",
            Any,
            _ => throw new HclException("a template may not read another one by templatefile"),
            Of("path", Text),
            Of("vars", Any));
        var scope = new EvaluationScope(variables, call.Scope.Functions.With(recursive), call.Scope.Limits);
        var diagnostics = new DiagnosticBag();
        var value = call.Evaluate(parsed.Expression, scope, diagnostics);
        Refuse(diagnostics);
        return value;
    }

    private static void Refuse(DiagnosticBag diagnostics)
    {
        if (diagnostics.FirstOrDefault(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error) is { } first)
            throw new HclException(first.ToString());
    }
}
