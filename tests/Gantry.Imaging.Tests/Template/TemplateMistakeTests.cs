using Gantry.Hcl.Diagnostics;

namespace Gantry.Imaging.Tests.Template;

/// <summary>What a person sees of a template's mistakes, against golden files beside the templates.</summary>
public sealed class TemplateMistakeTests : IDisposable
{
    private readonly TemplateFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("mistakes")]
    [InlineData("syntax")]
    public void Mistakes_AreShownAllAtOnce_WithPlaceAndCaret(string name)
    {
        var mistakes = Path.Combine(TemplateFolder.Repository(), "tests/Gantry.Imaging.Tests/Template/Mistakes", name);
        var template = _folder.LoadPath(mistakes + ".pkr.hcl");
        var shown = _folder.Render(template);
        // Kept beside the expected one, so that an intended change can be looked at and taken over.
        var golden = mistakes + ".golden";
        if (!File.Exists(golden) || File.ReadAllText(golden) != shown)
            File.WriteAllText(golden + ".actual", shown);
        Assert.Empty(template.Builds);
        Assert.All(template.Diagnostics.Where(one => one.Severity == DiagnosticSeverity.Error), one => Assert.NotNull(one.Span));
        Assert.All(shown.Split("\n\n"), one => Assert.Matches(@"^[a-z]+\.pkr\.hcl:\d+:\d+.*: error: .*\n.*\n.*\^", one));
        Assert.Equal(File.ReadAllText(golden), shown);
        File.Delete(golden + ".actual");
    }

    [Theory]
    [InlineData("winrm_username", "\"me\"")]
    [InlineData("winrm_port", "5985")]
    [InlineData("ssh_bastion_host", "\"jump\"")]
    [InlineData("boot_steps", "[[\"a\", \"b\"]]")]
    public void Refused_Argument_IsNamed(string argument, string value)
    {
        var template = _folder.Load(Templates.Source($"{argument} = {value}"));
        var error = Assert.Single(template.Diagnostics);
        Assert.Contains(argument, error.Summary, StringComparison.Ordinal);
        Assert.Contains(argument, _folder.Render(template), StringComparison.Ordinal);
        Assert.Equal(5, error.Span!.Value.Start.Line);
    }

    [Theory]
    [InlineData("disk_size = \"99999999999999999999999999T\"")]
    [InlineData("disk_size = \"-1\"")]
    [InlineData("disk_size = \"0\"")]
    [InlineData("cpus = -1")]
    [InlineData("cpus = 1.5")]
    [InlineData("memory = 1e30")]
    [InlineData("qemuargs = [[\"-device\", null]]")]
    [InlineData("qemuargs = [null]")]
    [InlineData("cd_content = { \"/a\" = null }")]
    [InlineData("isa = \"sparc\"")]
    [InlineData("communicator = \"winrm\"")]
    [InlineData("shutdown_timeout = \"5\"")]
    [InlineData("base = \"mini\"")]
    [InlineData("template = \"not/a name\"")]
    [InlineData("host_port_min = 4000\n  host_port_max = 3000")]
    public void Value_ThatCannotBe_IsAnErrorAtItsPlace(string line)
    {
        var template = _folder.Load(Templates.Source(line));
        Assert.True(template.Diagnostics.HasErrors);
        Assert.Contains(template.Diagnostics, one => one.Span is { } span && span.Start.Line is 5 or 6);
    }

    [Fact]
    public void VariableFile_ThatIsMissing_IsAProblem()
    {
        foreach (var name in new[] { "absent.pkrvars.hcl", "absent.pkrvars.json" })
        {
            var problem = Assert.Throws<Gantry.Model.ProblemException>(
                () => _folder.Load(Templates.Source(""), new Imaging.Template.VariableArgument.File(Path.Combine(_folder.Path, name))));
            Assert.Contains(name, problem.Problem.Summary, StringComparison.Ordinal);
        }
    }
}
