using Gantry.Imaging.BootCommand;

namespace Gantry.Imaging.Tests.BootCommand;

public sealed class GoTemplateTests
{
    private static readonly TemplateScope Scope = new()
    {
        Fields = new Dictionary<string, string> { ["Name"] = "Web-1", ["Vars"] = "A='b'", ["A.B"] = "nested" },
        UserVariables = new Dictionary<string, string> { ["disk size"] = "10G" },
        Build = new Dictionary<string, string> { ["ID"] = "42" },
        Started = new DateTimeOffset(2026, 3, 4, 15, 6, 7, TimeSpan.FromHours(2)),
        BuildName = "deb",
        BuildType = "qemu",
        TemplateFolder = "/t",
    };

    [Theory]
    [InlineData("plain } } { text", "plain } } { text")]
    [InlineData("{{ .Name }}", "Web-1")]
    [InlineData("{{.Name}}/{{.Vars}}", "Web-1/A='b'")]
    [InlineData("{{ .A.B }}", "nested")]
    [InlineData("{{ .Name | lower }}", "web-1")]
    [InlineData("{{ .Name | lower | upper }}", "WEB-1")]
    [InlineData("{{ lower .Name }}", "web-1")]
    [InlineData("{{ lower (upper .Name) }}", "web-1")]
    [InlineData("{{user `disk size`}}", "10G")]
    [InlineData("{{ user \"disk size\" }}", "10G")]
    [InlineData("{{ build `ID` }}", "42")]
    [InlineData("{{ build_name }}-{{ build_type }}", "deb-qemu")]
    [InlineData("{{ template_dir }}/x", "/t/x")]
    [InlineData("{{ timestamp }}", "1772629567")]
    [InlineData("{{ isotime }}", "2026-03-04T13:06:07Z")]
    [InlineData("{{ isotime \"2006-01-02 15:04:05\" }}", "2026-03-04 13:06:07")]
    [InlineData("{{ isotime \"Mon Jan 2, 06 3:04PM -0700 MST\" }}", "Wed Mar 4, 26 1:06PM +0000 UTC")]
    [InlineData("{{ split .Name \"-\" 1 }}", "1")]
    [InlineData("{{ replace_all \"-\" \"_\" \"a-b-c\" }}", "a_b_c")]
    [InlineData("{{ replace \"-\" \"_\" 1 \"a-b-c\" }}", "a_b-c")]
    [InlineData("{{ clean_resource_name \"a b/c\" }}", "a-b-c")]
    [InlineData("{{ printf \"%s=%q%%\" .Name \"x\" }}", "Web-1=\"x\"%")]
    [InlineData("a {{- .Name -}} b", "aWeb-1b")]
    [InlineData("a{{/* nothing */}}b", "ab")]
    [InlineData("{{ \"}}\" }}", "}}")]
    [InlineData("{{ \"a\\tb\\\"\" }}", "a\tb\"")]
    [InlineData("{{ `{{ raw }}` }}", "{{ raw }}")]
    [InlineData("{{ 12 }}", "12")]
    public void Render_Template_GivesText(string template, string expected) =>
        Assert.Equal(expected, GoTemplate.Render(template, Scope).Text);

    [Theory]
    [InlineData("ab{{ .Nam }}", 5, "there is no field '.Nam' here; there are .A.B, .Name, .Vars")]
    [InlineData("{{ user `x` }}", 3, "there is no user variable 'x'; there are disk size")]
    [InlineData("{{ frob 1 }}", 3, "there is no function 'frob'; there are build, build_name")]
    [InlineData("{{ lower }}", 3, "'lower' takes 1 arguments, found 0")]
    [InlineData("{{ .Name ", 0, "this '{{' has no closing '}}'")]
    [InlineData("{{ .Name | ", 0, "this '{{' has no closing '}}'")]
    [InlineData("{{", 0, "this '{{' has no closing '}}'")]
    [InlineData("{{ }}", 0, "expected something")]
    [InlineData("{{ \"abc }}", 3, "has no closing")]
    [InlineData("{{ (lower .Name }}", 3, "this '(' has no closing ')'")]
    [InlineData("{{ if .Name }}x{{ end }}", 3, "'if' of Go's templates is not supported")]
    [InlineData("{{ $x }}", 3, "are not supported")]
    [InlineData("{{ .Name .Vars }}", 9, "cannot be called")]
    [InlineData("{{ .Name | .Vars }}", 11, "expected a function after '|'")]
    [InlineData("{{ split \"a\" \"-\" 1 }}", 3, "has 1 parts")]
    [InlineData("{{ env `X` }}", 3, "variables' defaults only")]
    [InlineData("{{/* x", 0, "no closing '*/'")]
    public void Render_Mistake_SaysWhatAndWhere(string template, int offset, string message)
    {
        var e = Assert.Throws<GoTemplateException>(() => GoTemplate.Render(template, Scope));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Equal(offset, e.Offset);
    }

    [Fact]
    public void Render_ManyParentheses_IsRefused() =>
        Assert.Throws<GoTemplateException>(() => GoTemplate.Render("{{ " + new string('(', 5000), Scope));

    [Fact]
    public void SourceOffset_TextBehindAValue_PointsIntoTheTemplate()
    {
        var rendered = GoTemplate.Render("ab{{ .Name }}cd", Scope);
        Assert.Equal([0, 1, 2, 2, 2, 2, 2, 13, 14], Enumerable.Range(0, 9).Select(rendered.SourceOffset));
    }
}
