using System.Collections.Immutable;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Syntax;
using Gantry.Model;

namespace Gantry.Imaging.Template;

/// <summary>Finds and parses the files of a template.</summary>
internal static class TemplateFiles
{
    private const string TemplateEnding = ".pkr.hcl";
    private const string AutoVariablesEnding = ".auto.pkrvars.hcl";
    private const string AutoJsonEnding = ".auto.pkrvars.json";

    /// <summary>The folder that <c>path.root</c> names, absolute.</summary>
    public static string RootOf(string path) =>
        System.IO.Path.GetFullPath(Directory.Exists(path) ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);

    /// <exception cref="ProblemException">There is nothing to read.</exception>
    public static ImmutableArray<Body> Read(string path, DiagnosticBag diagnostics)
    {
        var files = Directory.Exists(path)
            ? [.. Directory.GetFiles(path, "*" + TemplateEnding).Order(StringComparer.Ordinal)]
            : File.Exists(path) ? new[] { path } : [];
        if (files.Length == 0)
        {
            throw new ProblemException(
                ProblemKind.NotFound,
                Directory.Exists(path) ? $"the folder {path} holds no template" : $"there is no template {path}",
                "give a *.pkr.hcl file, or a folder that holds some; gantry demo shows one at work");
        }

        return [.. files.Select(file => Parse(file, diagnostics)).OfType<Body>()];
    }

    /// <summary>The variable files that are taken by themselves, in Packer's order.</summary>
    public static IEnumerable<string> AutoVariables(string root) =>
        Directory.GetFiles(root, "*" + AutoVariablesEnding).Order(StringComparer.Ordinal)
            .Concat(Directory.GetFiles(root, "*" + AutoJsonEnding).Order(StringComparer.Ordinal));

    public static Body? Parse(string path, DiagnosticBag diagnostics)
    {
        var result = HclParser.ParseFile(Shown(path), ReadBytes(path));
        diagnostics.AddRange(result.Diagnostics);
        return result.Body;
    }

    /// <exception cref="ProblemException">The file can't be read.</exception>
    public static byte[] ReadBytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(ProblemKind.NotFound, $"{path} can't be read: {e.Message}", inner: e);
        }
    }

    /// <summary>A path as people expect it in a message: relative where that is shorter.</summary>
    public static string Shown(string path)
    {
        var relative = System.IO.Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }
}
