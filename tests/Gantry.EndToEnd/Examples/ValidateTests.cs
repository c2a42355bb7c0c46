namespace Gantry.EndToEnd.Examples;

/// <summary>Every example's template is one that Gantry accepts.</summary>
[Collection("examples")]
public sealed class ValidateTests(ExampleHome home) : IClassFixture<ExampleHome>
{
    [Theory]
    [InlineData("mini")]
    [InlineData("mini-derived")]
    [InlineData("mini-iso")]
    [InlineData("debian")]
    [InlineData("debian-netinst")]
    public Task Template_OfExample_IsValid(string example) => home.GantryAsync("validate", ExampleScript.PathOf(example));

    [Theory]
    [InlineData("-var", "firmware=uefi")]
    [InlineData("-var", "arch=arm64")]
    public Task Mini_WithUefi_IsValid(params string[] options) =>
        home.GantryAsync(["validate", .. options, ExampleScript.PathOf("mini")]);

    [Fact]
    public async Task WindowsTemplate_OfTheDocuments_IsValid()
    {
        var page = await File.ReadAllTextAsync(
            ExampleScript.PathOf("../docs/windows.md"), TestContext.Current.CancellationToken);
        var start = page.IndexOf("```hcl\n", StringComparison.Ordinal) + 7;
        var file = Path.Combine(home.Folder, "windows.pkr.hcl");
        await File.WriteAllTextAsync(
            file, page[start..page.IndexOf("```", start, StringComparison.Ordinal)], TestContext.Current.CancellationToken);
        await home.GantryAsync("validate", file);
    }
}
