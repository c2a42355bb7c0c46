using Gantry.Engines.Fake;
using Gantry.Machines.Catalog;
using Gantry.Machines.Create;
using Gantry.Machines.Delete;
using Gantry.Machines.Images;
using Gantry.Machines.Run;
using Gantry.Machines.Snapshots;
using Gantry.Machines.Templates;
using Gantry.Machines.Tests.Snapshots;
using Gantry.Model;
using Gantry.Model.State;
using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;
using Gantry.Storage;
using Gantry.Storage.Images;
using Gantry.Storage.Processes;
using Gantry.Storage.Volumes;

namespace Gantry.Machines.Tests.Images;

/// <summary>A node with a real qemu-img and a fake engine, and a folder of images outside of it.</summary>
internal sealed class ImageWorld : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-images-").FullName;
    private readonly DiskFreezer _freezer;
    private readonly TemplateMaker _templateMaker;
    private readonly MachineHost _host;
    private readonly MachineRemover _remover;
    private readonly MachineMaker _maker;

    /// <param name="quiet">qemu-img tells no progress, of which it tells more or less as the host is busy: what is drilled
    /// has the same places each time.</param>
    public ImageWorld(bool quiet = false)
    {
        Tool = new QemuImg(quiet ? QuietTool() : "qemu-img");
        Folders = new DataFolders(Path.Combine(_folder, "home"), Path.Combine(_folder, "run"));
        Folders.Create();
        Directory.CreateDirectory(Outside);
        var hardware = new FakeHardware();
        Volumes = new VolumePool(Store, Folders, TimeProvider.System, SystemEntropy.Instance);
        Machines = new MachineCatalog(Store);
        Templates = new TemplateCatalog(Store);
        var merger = new ChainMerger(Volumes, Tool);
        _freezer = new DiskFreezer(Machines, Volumes, merger);
        _host = new MachineHost(
            Machines, Volumes, _freezer, merger, Engine, hardware, new MachineSeeds(Folders, Templates), TimeProvider.System);
        _maker = new MachineMaker(Store, Machines, Templates, Volumes, hardware, Tool, TimeProvider.System, SystemEntropy.Instance);
        _remover = new MachineRemover(Machines, Templates, Volumes, _host);
        _templateMaker = new TemplateMaker(
            Store, Machines, Templates, Volumes, Tool, Jobs, TimeProvider.System, SystemEntropy.Instance);
    }

    public InMemoryStateStore Store { get; } = new();

    public FakeEngine Engine { get; } = new();

    public QemuImg Tool { get; }

    public DataFolders Folders { get; }

    public VolumePool Volumes { get; }

    public MachineCatalog Machines { get; }

    public TemplateCatalog Templates { get; }

    public JobRunner Jobs { get; } = new(new MemoryJournalHome(), TimeProvider.System);

    public string Outside => Path.Combine(_folder, "outside");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public string this[string name] => Path.Combine(Outside, name);

    /// <summary>New services, as another process of the program has them.</summary>
    public ImageImporter Importer() => new(new ImportServices
    {
        Volumes = Volumes,
        Images = Tool,
        Machines = Machines,
        Templates = Templates,
        TemplateMaker = _templateMaker,
        Maker = _maker,
        Remover = _remover,
        Host = _host,
        Jobs = Jobs,
        Time = TimeProvider.System,
        Entropy = SystemEntropy.Instance,
    });

    public ImageExporter Exporter() => new(
        Machines, Templates, Volumes, Tool, _host, _freezer, new MachineTurns(_host), Jobs, TimeProvider.System, SystemEntropy.Instance);

    public async Task StartAsync(string machine)
    {
        var record = await Machines.GetAsync(machine, Token);
        await using var guest = await _host.StartAsync(record.Number, new StartOptions(), Model.NoProgress.Instance, Token);
    }

    public Task DeleteAsync(Model.Images.TemplateRecord template) => _templateMaker.DeleteAsync(template, Token);

    public ImportRequest Request(string file) => new() { Path = this[file], SourceName = file };

    public Task<ImportResult> ImportAsync(ImportRequest request) =>
        Importer().ImportAsync(request, Model.NoProgress.Instance, Token);

    public Task<ExportResult> ExportAsync(string source, string file, DiskImageFormat? format, int? disk = null) =>
        Exporter().ExportAsync(
            new ExportRequest
            {
                Source = source,
                Output = this[file],
                Format = format,
                Disk = disk,
            },
            Model.NoProgress.Instance,
            Token);

    /// <summary>A disk of 3 MiB with recognizable content in its middle, in the given format.</summary>
    public async Task DiskAsync(string file, string format, string? options = null)
    {
        var raw = this["content.raw"];
        var bytes = new byte[3 << 20];
        new Random(7).NextBytes(bytes.AsSpan(1 << 20, 300_000));
        await File.WriteAllBytesAsync(raw, bytes, Token);
        await QemuImgAsync(["convert", "-f", "raw", "-O", format, .. options is null ? Array.Empty<string>() : ["-o", options], raw, this[file]]);
    }

    /// <summary>Two images show a guest the same bytes, as many.</summary>
    public async Task AssertSameAsync(string first, string firstFormat, string second, string secondFormat)
    {
        await QemuImgAsync(["compare", "-f", firstFormat, "-F", secondFormat, first, second]);
        Assert.Equal(await SizeAsync(first, firstFormat), await SizeAsync(second, secondFormat));
    }

    private Task<long> SizeAsync(string path, string format) =>
        Tool.VirtualSizeAsync(path, DiskImageFormats.TryParse(format, out var found) ? found : default, Token);

    public async Task QemuImgAsync(string[] arguments)
    {
        var result = await HostProgram.RunAsync("qemu-img", arguments, "qemu-utils", Token);
        Assert.True(result.ExitCode == 0, $"qemu-img {string.Join(' ', arguments)}: {result.Output}{result.Error}");
    }

    /// <summary>No volume, no file in the pool, no template, no machine, and beside the images nothing new.</summary>
    public async Task AssertNothingAsync(params string[] outside)
    {
        Assert.Empty(await Volumes.ListAsync(Token));
        Assert.Empty(Directory.GetFileSystemEntries(Folders.Volumes));
        Assert.Empty(await Templates.ListAsync(Token));
        Assert.Empty(await Machines.ListAsync(Token));
        AssertOutside(outside);
    }

    public void AssertOutside(params string[] names) => Assert.Equal(
        names.Order(StringComparer.Ordinal), Directory.GetFileSystemEntries(Outside).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    /// <summary>Each volume has a file and users, each file a volume, and no user is a job.</summary>
    public async Task AssertConsistentAsync()
    {
        var volumes = await Volumes.ListAsync(Token);
        foreach (var volume in volumes)
        {
            var users = await Volumes.UsersAsync(volume.Id, Token);
            Assert.NotEmpty(users);
            Assert.DoesNotContain(users, user => user.StartsWith("import-", StringComparison.Ordinal) || user.StartsWith("export-", StringComparison.Ordinal));
        }

        Assert.Equal(
            volumes.Select(Volumes.PathOf).Order(StringComparer.Ordinal), Directory.GetFiles(Folders.Volumes).Order(StringComparer.Ordinal));
    }

    private string QuietTool()
    {
        const string Script = """
            #!/bin/sh
            for one; do shift; [ "$one" = -p ] || set -- "$@" "$one"; done
            exec qemu-img "$@"
            """;
        var path = Path.Combine(_folder, "quiet-qemu-img");
        File.WriteAllText(path, Script + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
