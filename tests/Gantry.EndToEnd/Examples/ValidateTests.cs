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
}
