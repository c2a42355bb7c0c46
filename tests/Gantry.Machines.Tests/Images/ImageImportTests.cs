using Gantry.Machines.Images;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Steps.Drill;
using Gantry.Storage.Images;

namespace Gantry.Machines.Tests.Images;

/// <summary>Imports and exports with a real qemu-img: what comes out is what went in, and nothing is left of what failed.</summary>
public sealed class ImageImportTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("qcow2", null)]
    [InlineData("raw", null)]
    [InlineData("vmdk", null)]
    [InlineData("vmdk", "subformat=streamOptimized")]
    [InlineData("vmdk", "subformat=twoGbMaxExtentSparse")]
    [InlineData("vmdk", "subformat=monolithicFlat")]
    [InlineData("vdi", null)]
    [InlineData("vhdx", null)]
    [InlineData("vpc", "force_size=on")]
    public async Task DiskImage_BecomesATemplate_AndAFileAgain_WithTheSameContent(string format, string? options)
    {
        await using var world = new ImageWorld();
        await world.DiskAsync($"Web Server,1.{format}", format, options);
        var result = await world.ImportAsync(world.Request($"Web Server,1.{format}") with { MemoryMiB = 256, Bus = DiskBus.Sata });
        var template = result.Template!;
        Assert.Equal(("web-server-1", 256), (template.Name, template.Spec.MemoryMiB));
        Assert.Equal(DiskBus.Sata, Assert.Single(template.Spec.Disks).Bus);
        Assert.Equal(["image", "template"], template.Provenance.Chain.Select(link => link.Kind));
        await world.AssertConsistentAsync();

        Assert.True(DiskImageFormats.TryParse(format == "vpc" ? "qcow2" : format, out var back));
        await world.ExportAsync("web-server-1", "back", back);
        await world.AssertSameAsync(world["content.raw"], "raw", world["back"], back.QemuName());
        await world.DeleteAsync(template);
        Assert.Empty(await world.Volumes.ListAsync(Token));
        Assert.Empty(Directory.GetFiles(world.Folders.Volumes));
    }

    [Theory]
    [InlineData(DiskBus.Ide)]
    [InlineData(DiskBus.Sata)]
    [InlineData(DiskBus.Virtio)]
    public async Task Ova_OfOurs_BecomesTheSameMachine_WithAllItsDisks(DiskBus bus)
    {
        await using var world = new ImageWorld();
        await world.DiskAsync("web.qcow2", "qcow2");
        var first = await world.ImportAsync(world.Request("web.qcow2") with { Cpus = 2, MemoryMiB = 300, Bus = bus });
        var result = await world.ExportAsync("web", "web.ova", format: null);
        Assert.Equal("ova", result.Format);

        var second = await world.ImportAsync(world.Request("web.ova") with { Name = "copy", AsMachine = true });
        var machine = second.Machine!;
        Assert.Equal((2, 300, bus == DiskBus.Virtio ? DiskBus.Scsi : bus), (machine.Spec.Cpu.Count, machine.Spec.MemoryMiB, machine.Spec.Disks[0].Bus));
        Assert.DoesNotContain(second.Remarks, remark => remark.Item == "manifest");
        await world.AssertConsistentAsync();
        await world.ExportAsync("copy", "copy.raw", DiskImageFormat.Raw);
        await world.AssertSameAsync(world["content.raw"], "raw", world["copy.raw"], "raw");
        world.AssertOutside("content.raw", "web.qcow2", "web.ova", "copy.raw");
        Assert.Equal(first.Template!.Spec.Cpu, machine.Spec.Cpu);
    }

    [Fact]
    public async Task Ova_WhoseDiskIsNotWhatItsManifestSays_LeavesNothing()
    {
        await using var world = new ImageWorld();
        await world.DiskAsync("web.qcow2", "qcow2");
        var template = (await world.ImportAsync(world.Request("web.qcow2"))).Template!;
        await world.ExportAsync("web", "web.ova", format: null);
        await world.DeleteAsync(template);
        var bytes = await File.ReadAllBytesAsync(world["web.ova"], Token);
        var digit = bytes.AsSpan().IndexOf("disk1.vmdk)= "u8) + "disk1.vmdk)= ".Length;
        bytes[digit] = bytes[digit] == (byte)'0' ? (byte)'1' : (byte)'0';
        await File.WriteAllBytesAsync(world["web.ova"], bytes, Token);
        var problem = await Assert.ThrowsAsync<ProblemException>(() => world.ImportAsync(world.Request("web.ova")));
        Assert.Contains("web-disk1.vmdk is not what its package's manifest says", problem.Problem.Summary, StringComparison.Ordinal);
        await world.AssertNothingAsync("content.raw", "web.qcow2", "web.ova");
    }

    [Fact]
    public async Task NameThatIsTaken_IsRefused_UnlessItIsToBeReplaced()
    {
        await using var world = new ImageWorld();
        await world.DiskAsync("web.vdi", "vdi");
        var first = await world.ImportAsync(world.Request("web.vdi"));
        var problem = await Assert.ThrowsAsync<ProblemException>(() => world.ImportAsync(world.Request("web.vdi")));
        Assert.Equal(ProblemKind.Conflict, problem.Problem.Kind);
        var second = await world.ImportAsync(world.Request("web.vdi") with { Replace = true });
        Assert.Equal(second.Template, Assert.Single(await world.Templates.ListAsync(Token)));
        // The same content on the same hardware, whoever imports it and when.
        Assert.Equal(first.Template!.Digest, second.Template!.Digest);
        await world.AssertConsistentAsync();
    }

    /// <summary>A download lies among other downloads, which its descriptor may not reach.</summary>
    [Theory]
    [InlineData("a.vmdk", "refers to other files")]
    [InlineData("a.ovf", "names its disks in other files")]
    public async Task FileWithADigest_MayNotReachWhatLiesBesideIt(string name, string said)
    {
        await using var world = new ImageWorld();
        await world.DiskAsync("a.vmdk", "vmdk", "subformat=monolithicFlat");
        await File.WriteAllTextAsync(world["a.ovf"], "<Envelope/>", Token);
        var request = world.Request(name) with { Digest = new string('a', 64) };
        var problem = await Assert.ThrowsAsync<ProblemException>(() => world.ImportAsync(request));
        Assert.Contains(said, problem.Problem.Summary, StringComparison.Ordinal);
        await world.AssertNothingAsync("content.raw", "a.vmdk", "a-flat.vmdk", "a.ovf");
    }

    [Fact]
    public async Task RunningMachine_IsNotExported()
    {
        await using var world = new ImageWorld();
        await world.DiskAsync("web.vdi", "vdi");
        await world.ImportAsync(world.Request("web.vdi") with { AsMachine = true });
        await world.StartAsync("web");
        var problem = await Assert.ThrowsAsync<ProblemException>(() => world.ExportAsync("web", "web.raw", DiskImageFormat.Raw));
        Assert.Contains("is running", problem.Problem.Summary, StringComparison.Ordinal);
        world.AssertOutside("content.raw", "web.vdi");
    }

    [Fact]
    public async Task FileThatIsThere_IsNotReplaced_AndStaysWhenTheExportFails()
    {
        await using var world = new ImageWorld();
        await world.DiskAsync("web.vdi", "vdi");
        await world.ImportAsync(world.Request("web.vdi"));
        var problem = await Assert.ThrowsAsync<ProblemException>(() => world.ExportAsync("web", "web.vdi", DiskImageFormat.Vdi));
        Assert.Equal(ProblemKind.Conflict, problem.Problem.Kind);
        using var cancelled = new CancellationTokenSource();
        var request = new ExportRequest { Source = "web", Output = world["web.vdi"], Format = DiskImageFormat.Vdi, Replace = true };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => world.Exporter().ExportAsync(request, new CancelAtFirstAmount(cancelled), cancelled.Token));
        world.AssertOutside("content.raw", "web.vdi");
        await world.AssertSameAsync(world["content.raw"], "raw", world["web.vdi"], "vdi");
        await world.AssertConsistentAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Import_CutOffAnywhere_IsWholeOrGone(bool asMachine)
    {
        var scenarios = await new StepDrill<ImageImportJob>(async () =>
        {
            var world = new ImageWorld(quiet: true);
            await world.DiskAsync("web.vdi", "vdi");
            return new DrillWorld<ImageImportJob>
            {
                NewKind = () => world.Importer().Kind,
                Context = (await world.Importer().PlanAsync(world.Request("web.vdi") with { AsMachine = asMachine }, Token)).Job,
                AssertDone = async () =>
                {
                    await world.AssertConsistentAsync();
                    Assert.Equal(asMachine ? 0 : 1, (await world.Templates.ListAsync(Token)).Length);
                    Assert.Equal(asMachine, await world.Machines.FindAsync("web", Token) is not null);
                },
                AssertUndone = async () => await world.AssertNothingAsync("content.raw", "web.vdi"),
                CleanUp = world.DisposeAsync,
            };
        }).RunAsync(Token);
        Assert.True(scenarios.Length > 40, $"{scenarios.Length} scenarios");
    }

    [Fact]
    public async Task ReplacingImport_CutOffAnywhere_LeavesTheOneOrTheOther()
    {
        await new StepDrill<ImageImportJob>(async () =>
        {
            var world = new ImageWorld(quiet: true);
            await world.DiskAsync("web.vdi", "vdi");
            var before = (await world.ImportAsync(world.Request("web.vdi"))).Template!;
            return new DrillWorld<ImageImportJob>
            {
                NewKind = () => world.Importer().Kind,
                Context = (await world.Importer().PlanAsync(world.Request("web.vdi") with { Replace = true }, Token)).Job,
                AssertDone = async () =>
                {
                    await world.AssertConsistentAsync();
                    Assert.NotEqual(before.Id, Assert.Single(await world.Templates.ListAsync(Token)).Id);
                },
                AssertUndone = async () =>
                {
                    await world.AssertConsistentAsync();
                    Assert.Equal(before, Assert.Single(await world.Templates.ListAsync(Token)));
                    Assert.Equal(before, await world.Templates.FindAsync("web", Token));
                },
                CleanUp = world.DisposeAsync,
            };
        }).RunAsync(Token);
    }

    [Theory]
    [InlineData("vhdx")]
    [InlineData("ova")]
    public async Task Export_CutOffAnywhere_IsWholeOrGone(string format)
    {
        await new StepDrill<ImageExportJob>(async () =>
        {
            var world = new ImageWorld(quiet: true);
            await world.DiskAsync("web.vdi", "vdi");
            var template = (await world.ImportAsync(world.Request("web.vdi"))).Template!;
            var request = new ExportRequest
            {
                Source = "web",
                Output = world["out"],
                Format = DiskImageFormats.TryParse(format, out var found) ? found : null,
            };
            return new DrillWorld<ImageExportJob>
            {
                NewKind = () => world.Exporter().Kind,
                Context = world.Exporter().Plan(request, template.Spec),
                AssertDone = async () =>
                {
                    await world.AssertConsistentAsync();
                    world.AssertOutside("content.raw", "web.vdi", "out");
                },
                AssertUndone = async () =>
                {
                    await world.AssertConsistentAsync();
                    // Cut off between the last rename and the journal's line the file has its name, and is whole.
                    if (File.Exists(world["out"]))
                        File.Delete(world["out"]);
                    world.AssertOutside("content.raw", "web.vdi");
                },
                CleanUp = world.DisposeAsync,
            };
        }).RunAsync(Token);
    }

    private sealed class CancelAtFirstAmount(CancellationTokenSource cancel) : IProgressSink
    {
        public void Activity(string what)
        {
        }

        public void Amount(long done, long? total, string unit) => cancel.Cancel();

        public void GuestLine(string line)
        {
        }

        public void Note(string line)
        {
        }
    }
}
