using System.Diagnostics;
using System.Globalization;
using Gantry.Imaging.Definitions;
using Gantry.Imaging.PostProcessors;
using Gantry.Machines.Guest;
using Gantry.Model;

namespace Gantry.Imaging.Tests.PostProcessors;

public sealed class PostProcessorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-post-").FullName;
    private readonly List<string> _lines = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private BuildArtifact Artifact => new() { BuildName = "web", BuilderType = "qemu", Files = [$"{_folder}/a.txt"] };

    public PostProcessorTests() => File.WriteAllText($"{_folder}/a.txt", "hello");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Checksum_WritesOneFileEach_AsPackerDoes()
    {
        var options = new PostProcessorOptions.Checksum
        {
            Types = ["md5", "sha256"],
            Output = "out/{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.txt",
        };
        for (var run = 0; run < 2; run++)
        {
            var result = await ChecksumPostProcessor.RunAsync(options, Artifact, _folder, NoProgress.Instance, Token);
            Assert.Equal([$"{_folder}/a.txt", $"{_folder}/out/web_qemu_md5.txt", $"{_folder}/out/web_qemu_sha256.txt"], result.Files);
            // Packer 1.6.6 wrote this line for the same file.
            Assert.Equal("5d41402abc4b2a76b9719d911017c592\ta.txt\n", await File.ReadAllTextAsync(result.Files[1], Token));
            Assert.Equal(
                "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\ta.txt\n",
                await File.ReadAllTextAsync(result.Files[2], Token));
        }
    }

    [Fact]
    public async Task Checksum_UnknownType_OrTemplate_WritesNothing()
    {
        var type = new PostProcessorOptions.Checksum { Types = ["md5", "crc7"], Output = "x_{{.ChecksumType}}" };
        var template = new PostProcessorOptions.Checksum { Output = "x_{{.Nothing}}" };
        foreach (var options in new[] { type, template })
        {
            var e = await Assert.ThrowsAsync<ProblemException>(() =>
                ChecksumPostProcessor.RunAsync(options, Artifact, _folder, NoProgress.Instance, Token));
            Assert.Equal(ProblemKind.InvalidInput, e.Problem.Kind);
        }

        Assert.Single(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task Manifest_IsWhatPackerWrites_AndGrows()
    {
        var options = new PostProcessorOptions.Manifest { StripPath = true, CustomData = [new("k", "v")] };
        var time = new FixedTime(DateTimeOffset.FromUnixTimeSeconds(1795382628));
        await ManifestPostProcessor.RunAsync(options, Artifact, _folder, "e7d01dfb-5ce0-a21c-eeec-524e3a4499fd", false, time, Token);
        // Packer 1.6.6 wrote this for the same artifact, but for the builder's type.
        Assert.Equal(
            """
            {
              "builds": [
                {
                  "name": "web",
                  "builder_type": "qemu",
                  "build_time": 1795382628,
                  "files": [
                    {
                      "name": "a.txt",
                      "size": 5
                    }
                  ],
                  "artifact_id": "",
                  "packer_run_uuid": "e7d01dfb-5ce0-a21c-eeec-524e3a4499fd",
                  "custom_data": {
                    "k": "v"
                  }
                }
              ],
              "last_run_uuid": "e7d01dfb-5ce0-a21c-eeec-524e3a4499fd"
            }
            """,
            await File.ReadAllTextAsync($"{_folder}/packer-manifest.json", Token));
        await ManifestPostProcessor.RunAsync(new() { StripTime = true }, Artifact with { Files = [] }, _folder, "2", false, time, Token);
        var grown = await File.ReadAllTextAsync($"{_folder}/packer-manifest.json", Token);
        Assert.Contains("\"files\": null", grown, StringComparison.Ordinal);
        Assert.Contains("\"custom_data\": null", grown, StringComparison.Ordinal);
        Assert.Equal(2, grown.Split("\"builder_type\"").Length - 1);
        Assert.EndsWith("\"last_run_uuid\": \"2\"\n}", grown, StringComparison.Ordinal);
        await ManifestPostProcessor.RunAsync(options, Artifact, _folder, "3", true, time, Token);
        Assert.Equal(2, (await File.ReadAllTextAsync($"{_folder}/packer-manifest.json", Token)).Split("\"builder_type\"").Length);
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    [Fact]
    public async Task Manifest_ManyAtOnce_LoseNone()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => ManifestPostProcessor.RunAsync(
            new(), Artifact with { BuildName = $"b{i}" }, _folder, "r", false, TimeProvider.System, Token))));
        var text = await File.ReadAllTextAsync($"{_folder}/packer-manifest.json", Token);
        Assert.All(Enumerable.Range(0, 8), i => Assert.Contains($"\"b{i}\"", text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Manifest_OverAnotherFile_LeavesItAlone()
    {
        await File.WriteAllTextAsync($"{_folder}/packer-manifest.json", "my notes", Token);
        var e = await Assert.ThrowsAsync<ProblemException>(() => ManifestPostProcessor.RunAsync(
            new(), Artifact, _folder, "r", false, TimeProvider.System, Token));
        Assert.Contains("is no manifest", e.Problem.Summary, StringComparison.Ordinal);
        Assert.Equal("my notes", await File.ReadAllTextAsync($"{_folder}/packer-manifest.json", Token));
    }

    [Fact]
    public async Task ShellLocal_Inline_RunsAsPackerRunsIt()
    {
        await RunAsync(new()
        {
            Inline = ["head -1 $0", "echo \"$A|$B\"", "echo $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE", "pwd", "echo $0 >&2", "stat -c %a $0"],
            Environment = [new("A", "it's $x \"q\""), new("B", "")],
        });
        Assert.Equal(["#!/bin/sh -e", "it's $x \"q\"|", "web qemu", _folder], _lines.Where(l => !l.StartsWith('/') || l == _folder).Take(4));
        Assert.Contains("700", _lines);
        Assert.False(File.Exists(_lines.Single(l => l.EndsWith("/script", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task ShellLocal_ErrorInTheMiddle_EndsTheScript()
    {
        var e = await Assert.ThrowsAsync<ProblemException>(() => RunAsync(new() { Inline = ["echo one", "false", "echo two"] }));
        Assert.Contains("the inline script of shell-local ended with exit code 1, expected 0", e.Problem.Summary, StringComparison.Ordinal);
        Assert.Equal(["one"], _lines);
    }

    [Fact]
    public async Task ShellLocal_ValidExitCodes_AreTaken() =>
        await RunAsync(new() { Inline = ["exit 3"], ValidExitCodes = [0, 3] });

    [Fact]
    public async Task ShellLocal_Scripts_RunInTurn_WithTheGivenCommand()
    {
        await File.WriteAllTextAsync($"{_folder}/one.sh", "echo one $1 $V", Token);
        await File.WriteAllTextAsync($"{_folder}/two.sh", "echo two $1 $V", Token);
        await RunAsync(new()
        {
            Scripts = ["one.sh", "two.sh"],
            ExecuteCommand = ["/bin/sh", "{{.Script}}", "argument with space"],
            Environment = [new("V", "value")],
        });
        Assert.Equal(["one argument with space value", "two argument with space value"], _lines);
        var missing = await Assert.ThrowsAsync<ProblemException>(() => RunAsync(new() { Scripts = ["three.sh"] }));
        Assert.Contains("there is no script", missing.Problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ShellLocal_KilledBySignal_HasItsCode()
    {
        var e = await Assert.ThrowsAsync<ProblemException>(() => RunAsync(new() { Inline = ["kill -9 $$"] }));
        Assert.Contains("exit code 137", e.Problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ShellLocal_Cancelled_EndsAllThatItStarted()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = new ShellLocalRunner(TimeProvider.System).RunAsync(
            new() { Inline = ["sleep 600 & echo $!", "trap '' TERM", "sleep 601"] }, "web", "qemu", _folder, [],
            line =>
            {
                _lines.Add(line.Text);
                cancel.Cancel();
            },
            cancel.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.False(IsRunning(int.Parse(_lines.Single(), CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task ShellLocal_LeavesADaemon_DoesNotWaitForIt()
    {
        var start = Stopwatch.GetTimestamp();
        await RunAsync(new() { Inline = ["sleep 30 & echo $!"] });
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20));
        Process.GetProcessById(int.Parse(_lines.Single(), CultureInfo.InvariantCulture)).Kill();
    }

    private static bool IsRunning(int pid)
    {
        var status = $"/proc/{pid}/status";
        return File.Exists(status) && !File.ReadAllText(status).Contains("State:\tZ", StringComparison.Ordinal);
    }

    private Task RunAsync(ProvisionerOptions.ShellLocal options) => new ShellLocalRunner(TimeProvider.System).RunAsync(
        options, "web", "qemu", _folder, [], line => _lines.Add(line.Text), Token);

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
