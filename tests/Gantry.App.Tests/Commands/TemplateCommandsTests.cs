using Gantry.App.CommandLine;
using Gantry.App.Commands;
using Gantry.App.Hosting;
using Gantry.App.Progress;
using Gantry.App.Tests.Fakes;
using Gantry.Imaging.Builds;
using Gantry.Model;

namespace Gantry.App.Tests.Commands;

/// <summary>What commands about templates say, without a node.</summary>
public sealed class TemplateCommandsTests : IDisposable
{
    private const string Right = """
        packer {
          required_version = ">= 1.7.0"
        }

        variable "pin" {
          default   = "4711-0815"
          sensitive = true
        }

        locals {
          sizes = { small = 1 }
        }

        source "qemu" "mini" {
          iso_url      = "mini.iso"
          iso_checksum = "none"
          template     = "mini"
        }

        build {
          sources = ["source.qemu.mini"]
          provisioner "shell" {
            inline = ["echo ${var.pin}"]
          }
        }

        """;

    private readonly FakeTerminal _terminal = new();
    private readonly Interruption _interruption = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-app-").FullName;

    public void Dispose()
    {
        _interruption.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Validate_OfARightTemplate_NamesItsBuilds()
    {
        Assert.Equal(ExitCodes.Ok, await RunAsync("validate", Write(Right)));
        Assert.EndsWith("is right: qemu.mini\n", _terminal.OutText.ToString(), StringComparison.Ordinal);
        Assert.Equal("", _terminal.ErrorText.ToString());
    }

    [Fact]
    public async Task Validate_OfMistakes_ShowsEachWithItsPlaceLineAndCaret()
    {
        var path = Write(Right
            .Replace("iso_checksum = \"none\"", "iso_cheksum  = \"none\"", StringComparison.Ordinal)
            .Replace(">= 1.7.0", ">= 2.0.0", StringComparison.Ordinal));
        Assert.Equal(ExitCodes.Failed, await RunAsync("validate", path));
        var said = _terminal.ErrorText.ToString();
        Assert.Contains("test.pkr.hcl:2:22", said, StringComparison.Ordinal);
        Assert.Contains("required_version = \">= 2.0.0\"", said, StringComparison.Ordinal);
        Assert.Contains("^~~~", said, StringComparison.Ordinal);
        Assert.Contains("test.pkr.hcl:16:3", said, StringComparison.Ordinal);
        Assert.Contains("iso_cheksum", said, StringComparison.Ordinal);
        Assert.Equal("", _terminal.OutText.ToString());
    }

    [Fact]
    public async Task Validate_OfAWrongBootCommand_SaysSo()
    {
        var path = Write(Right.Replace(
            "template     = \"mini\"", "template     = \"mini\"\n  boot_command = [\"<waitFor 'x\"]", StringComparison.Ordinal));
        Assert.Equal(ExitCodes.Failed, await RunAsync("validate", path));
        Assert.Contains("boot command of mini", _terminal.ErrorText.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_ShowsValuesAndSteps_ButNoSecret()
    {
        Assert.Equal(ExitCodes.Ok, await RunAsync("inspect", Write(Right)));
        var said = _terminal.OutText.ToString();
        Assert.Contains("<sensitive>", said, StringComparison.Ordinal);
        Assert.DoesNotContain("4711", said, StringComparison.Ordinal);
        Assert.Contains("small", said, StringComparison.Ordinal);
        Assert.Contains("provision: shell 1", said, StringComparison.Ordinal);
        Assert.Contains("artifact: template mini", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x\nr\n", true, FailureAnswer.Retry)]
    [InlineData("r\na\n", false, FailureAnswer.Abort)]
    [InlineData("C\n", true, FailureAnswer.Cleanup)]
    [InlineData("", true, FailureAnswer.Cleanup)]
    public async Task FailurePrompt_TakesAnAnswerThatItOffers(string typed, bool canRetry, FailureAnswer expected)
    {
        var terminal = new FakeTerminal { In = new StringReader(typed), InIsTerminal = true };
        using var view = new PlainProgressView(terminal.Error, new ManualTime());
        var problem = new Problem { Kind = ProblemKind.Failed, Summary = "the script failed" };
        var answer = await FailurePrompt.AskAsync(
            terminal, view, new FailureQuestion(problem, canRetry), TestContext.Current.CancellationToken);
        Assert.Equal(expected, answer);
        var said = terminal.ErrorText.ToString();
        Assert.Contains("the script failed", said, StringComparison.Ordinal);
        Assert.Equal(canRetry, said.Contains("[r]", StringComparison.Ordinal));
    }

    private string Write(string text)
    {
        var path = Path.Combine(_folder, "test.pkr.hcl");
        File.WriteAllText(path, text);
        return path;
    }

    private Task<int> RunAsync(params string[] words) =>
        new CommandRunner(Contexts.With(_terminal), CommandTable.All, _interruption).RunAsync(words);
}
