using Gantry.Imaging.Builds;
using Gantry.Model;

namespace Gantry.Imaging.Tests.Builds;

public sealed class KernelCommandLineTests
{
    private static readonly Dictionary<string, string> Fields = new()
    {
        ["HTTPIP"] = "10.0.2.2",
        ["HTTPPort"] = "8123",
        ["SSHPublicKey"] = "ssh-ed25519 AAAA build",
    };

    [Fact]
    public void Arguments_WithFields_AreRendered() => Assert.Equal(
        "console=ttyS0 answers=http://10.0.2.2:8123/a key=\"ssh-ed25519 AAAA build\"",
        KernelCommandLine.Render("console=ttyS0 answers=http://{{ .HTTPIP }}:{{.HTTPPort}}/a key=\"{{ .SSHPublicKey }}\"", Fields));

    [Theory]
    [InlineData("{{ .Nothing }}")]
    [InlineData("{{ .HTTPIP")]
    public void Arguments_WithAnError_AreRefused(string arguments) =>
        Assert.Equal(ProblemKind.InvalidInput, Assert.Throws<ProblemException>(() => KernelCommandLine.Render(arguments, Fields)).Problem.Kind);

    [Fact]
    public void Arguments_LongerThanLinuxTakes_AreRefused() =>
        Assert.Throws<ProblemException>(() => KernelCommandLine.Render(new string('x', 2048), Fields));
}
