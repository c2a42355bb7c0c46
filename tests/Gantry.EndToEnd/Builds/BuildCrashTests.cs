using System.Text.Json;
using Gantry.App.Hosting;
using Gantry.Model;

namespace Gantry.EndToEnd.Builds;

/// <summary>The build's process killed with SIGKILL, at each of its durable steps; the next start repairs.</summary>
[Collection(nameof(BuildCollection))]
public sealed class BuildCrashTests(BuildNode builds)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("build", "prepare")]
    [InlineData("build", "machine")]
    [InlineData("build", "install")]
    [InlineData("build", "provision")]
    [InlineData("build", "shut-down")]
    [InlineData("build", "artifacts")]
    [InlineData("template", "volumes")]
    [InlineData("template", "copy")]
    public async Task KilledAt_LeavesNothing(string job, string step)
    {
        var before = builds.VolumeFiles().ToList();
        await KillAtAsync("killed", job, step);
        await using var next = await GantryNode.OpenAsync(
            builds.Folders, TimeProvider.System, SystemEntropy.Instance, repair: true, Token);
        Assert.Null(await next.Templates.FindAsync("killed", Token));
        // A layer that was whole when the build died may stay: it is of use to the next one.
        foreach (var layer in (await next.Layers.ListAsync(Token)).Where(layer => layer.Build == "qemu.mini" && layer.Label == "shell 2"))
        {
            if (!before.Contains(layer.Spec.Disks[0].Volume + ".qcow2"))
                await next.Layers.RemoveAsync(layer.Key, Token);
        }

        await builds.AssertNothingLeftAsync(before);
    }

    [Theory]
    [InlineData("template", "replace")]
    [InlineData("build", "post-process")]
    [InlineData("build", "remove-machine")]
    public async Task KilledAt_AfterTheTemplateIsPublished_LeavesJustThat(string job, string step)
    {
        var name = $"kept-{step}";
        var before = builds.VolumeFiles().ToList();
        await KillAtAsync(name, job, step);
        await using var next = await GantryNode.OpenAsync(
            builds.Folders, TimeProvider.System, SystemEntropy.Instance, repair: true, Token);
        var template = await next.Templates.FindAsync(name, Token);
        Assert.NotNull(template);
        var layers = await next.Layers.ListAsync(Token);
        var known = layers.SelectMany(layer => layer.Spec.Disks).Concat(template.Spec.Disks).Select(disk => disk.Volume + ".qcow2");
        await builds.AssertNothingLeftAsync(before.Union(known).Order());
    }

    /// <summary>Starts a build, and kills it as soon as its journal says that it is in the step.</summary>
    private async Task KillAtAsync(string template, string job, string step)
    {
        // The same in every run, so that only the first one makes the layer of the last step.
        using var build = builds.Start("build", builds.Write(template, BuildNode.Shell("echo killed > /root/last")));
        while (!Journals().Any(journal => IsIn(journal, job, step)))
        {
            Assert.False(build.HasExited, $"it ended before {job}/{step}:\n{build.Said}");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Token);
        }

        build.Kill();
        await build.WaitAsync(Token);
    }

    private IEnumerable<string> Journals()
    {
        foreach (var folder in Directory.GetDirectories(builds.Folders.Jobs).Where(one => Path.GetFileName(one) != "finished"))
        {
            string text;
            try
            {
                text = string.Join('\n', Directory.GetFiles(folder, "*.jsonl").Select(File.ReadAllText));
            }
            catch (IOException)
            {
                continue; // it has just gone
            }

            yield return text;
        }
    }

    private static bool IsIn(string journal, string job, string step)
    {
        var index = -1;
        // The last line may be half written.
        foreach (var line in journal.Split('\n').SkipLast(1))
        {
            using var record = JsonDocument.Parse(line);
            var root = record.RootElement;
            switch (root.GetProperty("event").GetString())
            {
                case "begun" when root.GetProperty("kind").GetString() == job:
                    index = root.GetProperty("steps").EnumerateArray().Select(one => one.GetString()).ToList().IndexOf(step);
                    Assert.True(index >= 0, $"the job {job} has no step {step}");
                    break;
                case "doing" when root.GetProperty("step").GetInt32() == index:
                    return true;
            }
        }

        return false;
    }
}
