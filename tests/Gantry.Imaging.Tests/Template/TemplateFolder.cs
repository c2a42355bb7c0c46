using System.Runtime.CompilerServices;
using Gantry.Imaging.Template;
using Gantry.Model;

namespace Gantry.Imaging.Tests.Template;

/// <summary>A template's folder, and how it is read with an environment of the test's own.</summary>
public sealed class TemplateFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("gantry-template-").FullName;

    public Dictionary<string, string> Environment { get; } = [];

    public static string Repository([CallerFilePath] string file = "") =>
        System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(file)!, "../../.."));

    public string Write(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    public LoadedTemplate Load(string text, params VariableArgument[] variables)
    {
        Write("test.pkr.hcl", text);
        return LoadPath(Path, variables);
    }

    public LoadedTemplate LoadPath(string path, params VariableArgument[] variables) => TemplateLoader.Load(new LoadRequest
    {
        Path = path,
        Variables = [.. variables],
        Environment = Environment.GetValueOrDefault,
        EnvironmentNames = Environment.Keys,
        Time = TimeProvider.System,
        Entropy = SystemEntropy.Instance,
    });

    /// <summary>The errors as a person sees them, without this test's own folders.</summary>
    public string Render(LoadedTemplate template) =>
        (TemplateProblem.Of(template.Diagnostics).Problem.Detail ?? "")
            .Replace(Path + "/", "", StringComparison.Ordinal)
            .Replace(Repository() + "/tests/Gantry.Imaging.Tests/Template/Mistakes/", "", StringComparison.Ordinal)
            .Replace(System.IO.Path.GetRelativePath(System.Environment.CurrentDirectory, Repository()) + "/tests/Gantry.Imaging.Tests/Template/Mistakes/", "", StringComparison.Ordinal)
            .Replace("tests/Gantry.Imaging.Tests/Template/Mistakes/", "", StringComparison.Ordinal)
            .Replace(System.Environment.CurrentDirectory + "/", "", StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
