using Gantry.Hcl.Diagnostics;
using Gantry.Imaging.Template;

namespace Gantry.Imaging.Tests.Template;

public sealed class PackerBlockTests : IDisposable
{
    private readonly TemplateFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("1.16.0", true)]
    [InlineData("= 1.16", true)]
    [InlineData(">= 1.7.0", true)]
    [InlineData(">=1.7.0,<2.0.0", true)]
    [InlineData("~> 1.7", true)]
    [InlineData("~> 1", true)]
    [InlineData("~> 1.16.0", true)]
    [InlineData("~> 1.15.0", false)]
    [InlineData("> 1.16.0", false)]
    [InlineData("< 1.16.0", false)]
    [InlineData("<= 1.16", true)]
    [InlineData("!= 1.16.0", false)]
    [InlineData(">= 2.0.0", false)]
    public void RequiredVersion_IsAnsweredForTheVersionWhoseLanguageIsRead(string constraint, bool allowed)
    {
        Assert.Equal("1.16.0", TemplateLoader.LanguageVersion);
        var template = Load($"required_version = \"{constraint}\"");
        Assert.Equal(!allowed, template.Diagnostics.HasErrors);
        if (!allowed)
        {
            var error = Assert.Single(template.Diagnostics);
            Assert.Contains($"asks for Packer {constraint}. Gantry reads the language of Packer 1.16.0", error.Detail, StringComparison.Ordinal);
            Assert.Equal(2, error.Span!.Value.Start.Line);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("latest")]
    [InlineData(">= 1.2.3.4")]
    [InlineData("=> 1.0")]
    [InlineData("1.0,")]
    [InlineData("99999999999999999999")]
    public void RequiredVersion_ThatIsNoConstraint_IsAnError(string constraint) =>
        Assert.Equal("Invalid version constraint", Assert.Single(Load($"required_version = \"{constraint}\"").Diagnostics).Summary);

    [Fact]
    public void RequiredPlugins_OfWhatIsBuiltIn_AreTaken_AndOthersWarnedOf()
    {
        Assert.Empty(Load(Plugin("qemu", "github.com/hashicorp/qemu")).Diagnostics);
        var other = Assert.Single(Load(Plugin("amazon", "github.com/hashicorp/amazon")).Diagnostics);
        Assert.Equal(DiagnosticSeverity.Warning, other.Severity);
        Assert.Equal("Invalid plugin", Assert.Single(Load("required_plugins {\n    qemu = \"1.0\"\n  }").Diagnostics).Summary);
    }

    [Fact]
    public void UnknownArgument_IsAnError() =>
        Assert.Equal("Unsupported argument", Assert.Single(Load("requires = \"x\"").Diagnostics).Summary);

    private static string Plugin(string name, string source) =>
        $"required_plugins {{\n    {name} = {{\n      version = \">= 1.0\"\n      source  = \"{source}\"\n    }}\n  }}";

    private LoadedTemplate Load(string inner) => _folder.Load($"packer {{\n  {inner}\n}}\n" + Templates.Source(""));
}
