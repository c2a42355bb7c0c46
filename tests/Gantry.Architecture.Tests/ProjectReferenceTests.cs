using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Gantry.Architecture.Tests;

/// <summary>Which project may know which: the table that docs/architecture.md explains.</summary>
public sealed partial class ProjectReferenceTests
{
    private const string Base = "";

    /// <summary>Direct references; what they reference may be used too, as the compiler has it.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["Gantry.Model"] = Base,
        ["Gantry.Steps"] = Base,
        ["Gantry.Hcl"] = Base,
        ["Gantry.Scheduler"] = "Model",
        ["Gantry.Store"] = "Model",
        ["Gantry.Storage"] = "Model",
        ["Gantry.Engines"] = "Model Storage",
        ["Gantry.Machines"] = "Model Engines Storage Steps",
        ["Gantry.Imaging"] = "Model Hcl Machines Storage Steps",
        ["Gantry.Agent"] = "Model Machines Imaging Store Steps",
        ["Gantry.Control"] = "Model Scheduler Store Steps",
        ["Gantry.App"] = "Model Steps Hcl Scheduler Store Storage Engines Machines Imaging Agent Control",
    };

    [Fact]
    public void Projects_ReferenceOnlyWhatTheirLayerMayKnow()
    {
        var wrong =
            from project in SourceProjects()
            let name = Path.GetFileNameWithoutExtension(project)
            from reference in References(project)
            where !Allowed.TryGetValue(name, out var allowed)
                || !allowed.Split(' ').Contains(reference["Gantry.".Length..])
            select $"{name} may not reference {reference}";
        Repository.AssertNone(wrong);
    }

    [Fact]
    public void Sources_UseOnlyTheProjectsThatTheirOwnMayKnow() =>
        Repository.AssertNone(
            from file in Repository.Files("src", "*.cs")
            let project = file.Split('/')[1]
            where Allowed.ContainsKey(project)
            let own = project["Gantry.".Length..]
            let known = Reached(own).Append(own)
            from used in UsedProject().Matches(Repository.Read(file)).Select(match => match.Groups["name"].Value).Distinct()
            where Allowed.ContainsKey("Gantry." + used) && !known.Contains(used)
            select $"{file} uses Gantry.{used}, which {project} may not know");

    [Fact]
    public void Projects_StandInTheTable_TheSolutionAndUnderTheirOwnName()
    {
        var solution = Repository.Read("Gantry.slnx");
        Assert.All(Repository.Files("src", "*.csproj").Concat(Repository.Files("tests", "*.csproj")), project =>
        {
            Assert.Contains($"\"{project}\"", solution, StringComparison.Ordinal);
            Assert.Equal(Path.GetFileNameWithoutExtension(project), project.Split('/')[1]);
        });
        Assert.All(SourceProjects(), project => Assert.Contains(Path.GetFileNameWithoutExtension(project), Allowed.Keys));
    }

    [Fact]
    public void Table_HasNoCycle_AndNeverLetsTheHalvesKnowEachOther()
    {
        Assert.All(
            Allowed.Keys.Select(project => project["Gantry.".Length..]),
            project => Assert.DoesNotContain(project, Reached(project)));
        Assert.Empty(Reached("Control").Intersect(["Agent", "Machines", "Engines", "Imaging"]));
        Assert.Empty(Reached("Agent").Intersect(["Control", "Scheduler"]));
        Assert.Equal(["Model"], Reached("Scheduler"));
    }

    [Fact]
    public void Packages_HaveTheirVersionsInOnePlace() =>
        Assert.All(Repository.Files("src", "*.csproj").Concat(Repository.Files("tests", "*.csproj")), project =>
            Assert.All(XDocument.Parse(Repository.Read(project)).Descendants("PackageReference"), package =>
                Assert.Null(package.Attribute("Version"))));

    /// <summary>What a project may know, directly or through others.</summary>
    private static HashSet<string> Reached(string project)
    {
        HashSet<string> seen = [];
        var open = new Queue<string>([project]);
        while (open.TryDequeue(out var next))
        {
            foreach (var name in Allowed["Gantry." + next].Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (seen.Add(name))
                    open.Enqueue(name);
            }
        }

        return seen;
    }

    private static IReadOnlyList<string> SourceProjects() => Repository.Files("src", "*.csproj");

    private static IEnumerable<string> References(string project) =>
        XDocument.Parse(Repository.Read(project)).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

    [GeneratedRegex(@"(?:using (?:static )?|\bglobal::|[(\s<])Gantry\.(?<name>[A-Z]\w*)\b")]
    private static partial Regex UsedProject();
}
