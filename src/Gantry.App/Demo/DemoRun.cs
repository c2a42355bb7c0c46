using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Gantry.App.Client;
using Gantry.App.Commands;
using Gantry.App.Hosting;
using Gantry.App.Prerequisites;
using Gantry.Imaging.Builds;
using Gantry.Imaging.Template;
using Gantry.Machines.Create;
using Gantry.Machines.Guest;
using Gantry.Machines.Run;
using Gantry.Model;
using Gantry.Model.Images;
using Gantry.Model.Machines;
using Gantry.Storage.Processes;

namespace Gantry.App.Demo;

/// <summary>
/// The main job, on whatever host this is: packages, an installer ISO, a template built from it with nobody at the
/// keyboard, and a machine of that template whose page really answers. What is there already is used.
/// </summary>
internal sealed class DemoRun(CommandContext context)
{
    private const string MachineName = "rezowifix";
    private const string TemplateName = "mini";
    private const int FirstPort = 8080;
    private const int LastPort = 8180;
    private static readonly TimeSpan PageDeadline = TimeSpan.FromMinutes(3);

    /// <summary>An emulated guest on a busy host may take seconds for a page.</summary>
    private static readonly TimeSpan PageLimit = TimeSpan.FromSeconds(10);

    private const int MostLooks = 20;

    private readonly List<(string Part, TimeSpan Time)> _parts = [];

    /// <summary>Runs the demo; prints the times, the page's address, and what to try next.</summary>
    public async Task RunAsync(bool once, CancellationToken cancellationToken)
    {
        var start = context.Time.GetTimestamp();
        string address;
        await using var node = await OpenAsync(cancellationToken);
        using (var view = context.StartProgress())
        {
            await TimeAsync("packages", () => InstallAsync(view, cancellationToken));
            var template = await node.Templates.FindAsync(TemplateName, cancellationToken) ?? await BuildAsync(node, view, cancellationToken);
            var machine = await TimeAsync("starting the machine", () => LaunchAsync(node, template, view, cancellationToken));
            address = AddressOf(node, machine);
            await TimeAsync("until the page answers", () => WaitForPageAsync(node, machine, address, view, cancellationToken));
            view.Complete();
        }

        Report(address, context.Time.GetElapsedTime(start));
        if (once)
            await StopAsync(cancellationToken);
    }

    /// <summary>Deletes the machine, the template, its build's cached steps and the ISO.</summary>
    public async Task ResetAsync(CancellationToken cancellationToken)
    {
        await using var node = await OpenAsync(cancellationToken);
        if (await node.Machines.FindAsync(MachineName, cancellationToken) is { } machine)
            await node.Remover.DeleteAsync(machine, stop: true, cancellationToken);
        if (await node.Templates.FindAsync(TemplateName, cancellationToken) is { } template)
        {
            await node.TemplateMaker.DeleteAsync(template, cancellationToken);
            await ForgetStepsAsync(node, template, cancellationToken);
        }

        if (Directory.Exists(Folder(node)))
            Directory.Delete(Folder(node), recursive: true);
        context.Terminal.Out.Write($"The machine {MachineName}, the template {TemplateName} and the demo's ISO are gone\n");
    }

    /// <summary>Takes away the cached steps that began with the template's ISO.</summary>
    private static async Task ForgetStepsAsync(
        GantryNode node, TemplateRecord template, CancellationToken cancellationToken)
    {
        if (template.Provenance.Chain.FirstOrDefault(link => link.Kind == "iso") is not { Digest: var iso })
            return;
        foreach (var layer in await node.Layers.ListAsync(cancellationToken))
        {
            if (layer.Provenance.Chain.Any(link => link.Kind == "iso" && link.Digest == iso))
                await node.Layers.RemoveAsync(layer.Key, cancellationToken);
        }
    }

    private static string Folder(GantryNode node) => Path.Combine(node.Folders.Home, "demo");

    private Task<GantryNode> OpenAsync(CancellationToken cancellationToken) => context.OpenNodeAsync(repair: true, cancellationToken);

    private Task InstallAsync(IProgressSink view, CancellationToken cancellationToken)
    {
        var machine = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64";
        return new PrerequisiteInstaller(new HostSoftware(context.Environment)).EnsureAsync("the demo", HostPackages.For("demo", machine), view, cancellationToken);
    }

    private async Task<TemplateRecord> BuildAsync(GantryNode node, IProgressSink view, CancellationToken cancellationToken)
    {
        var example = ExampleFolder();
        var iso = Path.Combine(Folder(node), "mini.iso");
        await TimeAsync("making the installer ISO", () => MakeIsoAsync(example, iso, view, cancellationToken));
        var template = TemplateLoader.Load(new LoadRequest
        {
            Path = example,
            Variables = [new VariableArgument.Value("iso", iso), .. Arch()],
            Environment = context.Environment,
            EnvironmentNames = [],
            Time = context.Time,
            Entropy = context.Entropy,
        });
        if (template.Diagnostics.HasErrors)
            throw TemplateProblem.Of(template.Diagnostics);
        var result = await TimeAsync("building the template", () =>
            node.Builder.RunAsync(template.Builds[0], new BuildOptions(), template.Secrets, view, cancellationToken));
        return result.Template!;
    }

    private static IEnumerable<VariableArgument> Arch() =>
        RuntimeInformation.OSArchitecture == Architecture.Arm64 ? [new VariableArgument.Value("arch", "arm64")] : [];

    private static async Task MakeIsoAsync(string example, string iso, IProgressSink view, CancellationToken cancellationToken)
    {
        view.Activity("Making an installer ISO from Debian's packages");
        Directory.CreateDirectory(Path.GetDirectoryName(iso)!);
        var arch = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
        // The script writes the images with this program.
        var environment = new Dictionary<string, string>();
        if (Environment.ProcessPath is { } program)
            environment["GANTRY"] = program;
        var result = await HostProgram.RunAsync(
            Path.Combine(example, "make-iso"), ["--arch", arch, iso], "the examples of Gantry", cancellationToken,
            workingFolder: example,
            onError: text => view.GuestLine(text.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? ""),
            environment: environment);
        if (result.ExitCode != 0)
        {
            throw new ProblemException(
                ProblemKind.Failed, "the installer ISO could not be made", "check that the package mirror can be reached (apt-get update)",
                detail: (result.Output + result.Error).Trim());
        }
    }

    /// <summary>
    /// The examples lie beside the sources; an installed program brings them along in its own folder.
    /// </summary>
    private static string ExampleFolder()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var example = Path.Combine(folder, "examples", "mini");
            if (File.Exists(Path.Combine(example, "make-iso")))
                return example;
        }

        throw new ProblemException(
            ProblemKind.NotFound, "the folder examples/mini is not beside the program", "run ./gantry demo in a clone of Gantry");
    }

    private async Task<MachineRecord> LaunchAsync(GantryNode node, TemplateRecord template, IProgressSink view, CancellationToken cancellationToken)
    {
        var machine = await node.Machines.FindAsync(MachineName, cancellationToken);
        if (machine is not null && node.Host.IsAlive(machine.Number))
            return machine;
        if (machine is null)
        {
            var key = await NodeKey.GetAsync(node.Folders, cancellationToken);
            machine = await node.Launcher.FromTemplateAsync(
                template,
                new MachineWishes
                {
                    Name = MachineName,
                    Publish = [new PublishedPort { HostPort = HostPorts.Choose("127.0.0.1", FirstPort, LastPort, new HashSet<int>()), GuestPort = 80 }],
                    CloudInit = new CloudInit { User = template.LoginUser, SshKeys = [key.PublicKey] },
                    Notes = "made by gantry demo",
                },
                cancellationToken);
        }

        view.Activity($"Starting {MachineName}");
        using var client = await NodeStarter.ConnectAsync(context, cancellationToken);
        await PowerClient.AskAsync(client, MachineName, "start", timeout: null, cancellationToken);
        return machine;
    }

    private static string AddressOf(GantryNode node, MachineRecord machine)
    {
        var port = node.Host.Runtime(machine.Number)?.Ports.FirstOrDefault(one => one.GuestPort == 80)
            ?? throw new UnreachableException("the demo's machine publishes no page");
        return string.Create(CultureInfo.InvariantCulture, $"http://{port.Address}:{port.HostPort}/");
    }

    private async Task WaitForPageAsync(
        GantryNode node, MachineRecord machine, string address, IProgressSink view, CancellationToken cancellationToken)
    {
        view.Activity($"Waiting for {address}");
        await using var serial = new SerialFollower(node.Host.PathsOf(machine.Number).SerialLog, view.GuestLine, context.Time);
        using var client = new HttpClient { Timeout = PageLimit };
        using var limit = new CancellationTokenSource(PageDeadline, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var looks = new RepeatedLook(TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(500), MostLooks, context.Time);
        try
        {
            await looks.RunAsync(token => LookAtPageAsync(client, address, token), _ => { }, both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(
                ProblemKind.TimedOut, $"{address} did not answer within {PageDeadline.TotalMinutes:0} minutes",
                $"look what the machine says: gantry logs {MachineName}");
        }
    }

    /// <summary>Null when the page is the machine's own; otherwise what stood in the way.</summary>
    private static async Task<string?> LookAtPageAsync(
        HttpClient client, string address, CancellationToken cancellationToken)
    {
        try
        {
            var page = await client.GetStringAsync(address, cancellationToken);
            return page.Contains(MachineName, StringComparison.Ordinal) ? null : "the page is not the machine's";
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            return e.Message;
        }
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        using var client = await NodeStarter.ConnectAsync(context, cancellationToken);
        await PowerClient.AskAsync(client, MachineName, "shutdown", timeout: null, cancellationToken);
        context.Terminal.Out.Write($"{MachineName} is shut down again: gantry start {MachineName}\n");
    }

    private void Report(string address, TimeSpan total)
    {
        var output = context.Terminal.Out;
        output.Write("\n");
        foreach (var (part, time) in _parts.Where(part => part.Time >= TimeSpan.FromMilliseconds(50)))
            output.Write($"  {part,-26}{time.TotalSeconds,7:0.0} s\n");
        output.Write($"  {"all",-26}{total.TotalSeconds,7:0.0} s\n\n");
        output.Write($"{MachineName} serves its page at {address}\n\nTry next:\n");
        output.Write($"  ./gantry show {MachineName}       where it came from and how its instructions are run\n");
        output.Write($"  ./gantry console {MachineName}    its serial console (leave with Ctrl-])\n");
        output.Write($"  ./gantry ssh {MachineName}        a shell in it\n");
    }

    private async Task TimeAsync(string part, Func<Task> work)
    {
        var start = context.Time.GetTimestamp();
        await work();
        _parts.Add((part, context.Time.GetElapsedTime(start)));
    }

    private async Task<T> TimeAsync<T>(string part, Func<Task<T>> work)
    {
        var start = context.Time.GetTimestamp();
        var result = await work();
        _parts.Add((part, context.Time.GetElapsedTime(start)));
        return result;
    }
}
