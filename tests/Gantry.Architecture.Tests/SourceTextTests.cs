using System.Text.RegularExpressions;

namespace Gantry.Architecture.Tests;

/// <summary>Rules about the text of files that no analyzer knows.</summary>
public sealed partial class SourceTextTests
{
    private const int LongestFile = 500;
    private const int LongestLine = 120;

    /// <summary>A file that says this in its first lines is a table: data in C#, which may be as long as it is.</summary>
    private const string TableMarker = "// table:";

    /// <summary>How many lines that are too long a project may have: these numbers only ever go down.</summary>
    private static readonly Dictionary<string, int> TooLongLines = new()
    {
        ["Gantry.App"] = 73,
        ["Gantry.Engines"] = 43,
        ["Gantry.Hcl"] = 79,
        ["Gantry.Imaging"] = 252,
        ["Gantry.Machines"] = 109,
        ["Gantry.Model"] = 12,
        ["Gantry.Steps"] = 20,
        ["Gantry.Storage"] = 15,
        ["Gantry.Store"] = 20,
    };

    private static IEnumerable<string> Sources => Repository.Files("src", "*.cs").Where(file => !IsTable(file));

    [Fact]
    public void SourceFiles_AreShortEnoughToRead() =>
        Repository.AssertNone(Sources.Select(file => (file, Lines: Repository.Read(file).Split('\n').Length - 1))
            .Where(found => found.Lines > LongestFile).Select(found => $"{found.file}: {found.Lines} lines"));

    [Fact]
    public void Lines_FitAScreen() =>
        Repository.AssertNone(
            from file in Sources
            from line in Repository.Read(file).Split('\n').Index()
            where line.Item.Length > LongestLine
            group $"{file}:{line.Index + 1}: {line.Item.Length} characters" by file.Split('/')[1] into project
            where project.Count() > TooLongLines.GetValueOrDefault(project.Key)
            from finding in project.Prepend(
                $"{project.Key} has {project.Count()} long lines, {TooLongLines.GetValueOrDefault(project.Key)} are let pass:")
            select finding);

    [Fact]
    public void NothingIsLeftForLater() =>
        Repository.AssertNone(
            from file in Repository.Files("src", "*").Concat(Repository.Files("scripts", "*")).Concat(["gantry", "test"])
            from line in Repository.Read(file).Split('\n').Index()
            where Later().IsMatch(line.Item)
            select $"{file}:{line.Index + 1}: {line.Item.Trim()}");

    [Fact]
    public void TableMarker_SaysWhatTheTableIs() =>
        Assert.All(Repository.Files("src", "*.cs").Where(IsTable), file =>
            Assert.Matches(@"// table: \w+.{10,}", Repository.Read(file)));

    [Theory]
    [InlineData("docs/architecture.md")]
    [InlineData("README.md")]
    [InlineData("CONTRIBUTING.md")]
    public void FilesThatDocumentsName_Exist(string document)
    {
        if (!File.Exists(Path.Combine(Repository.Root, document)))
            return;
        var missing = NamedFile().Matches(Repository.Read(document))
            .Select(match => match.Groups["path"].Value.TrimEnd('/'))
            .Distinct()
            .Where(path => !Exists(path));
        Repository.AssertNone(missing.Select(path => $"{document} names {path}, which does not exist"));
    }

    private static bool Exists(string path) =>
        File.Exists(Path.Combine(Repository.Root, path)) || Directory.Exists(Path.Combine(Repository.Root, path));

    private static bool IsTable(string file) =>
        Repository.Read(file).Split('\n').Take(10).Any(line => line.StartsWith(TableMarker, StringComparison.Ordinal));

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK)\b")]
    private static partial Regex Later();

    /// <summary>A path into the tree, in a code span or as a link's target; patterns and placeholders are no paths.</summary>
    [GeneratedRegex(@"(?:`|\]\()(?:\./)?(?<path>(?:src|tests|docs|examples|bench|scripts)/[^`)\s#*<>{}]*)(?:#[^)]*)?(?:`|\))")]
    private static partial Regex NamedFile();
}
