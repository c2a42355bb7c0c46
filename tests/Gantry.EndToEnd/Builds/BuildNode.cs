using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Gantry.App.Hosting;
using Gantry.Imaging.Builds;
using Gantry.Imaging.Definitions;
using Gantry.Imaging.Template;
using Gantry.Model;
using Gantry.Storage;

namespace Gantry.EndToEnd.Builds;

/// <summary>A node with the mini installer's ISO and one installation from it, whose layers all tests go on from.</summary>
public sealed class BuildNode : IAsyncLifetime
{
    private readonly string _home = Directory.CreateTempSubdirectory("gantry-e2e-build-").FullName;
    private readonly int _port = FreePort();
    private DataFolders? _folders;

    internal DataFolders Folders => _folders!;

    internal GantryNode Node { get; private set; } = null!;

    internal BuildResult First { get; private set; } = null!;

    internal string Iso { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Iso = await MakeIsoAsync();
        // The folders that a child process finds by this variable.
        var before = Environment.GetEnvironmentVariable("GANTRY_HOME");
        Environment.SetEnvironmentVariable("GANTRY_HOME", _home);
        _folders = DataFolders.FromEnvironment();
        Environment.SetEnvironmentVariable("GANTRY_HOME", before);
        Node = await GantryNode.OpenAsync(Folders, TimeProvider.System, SystemEntropy.Instance, repair: true, CancellationToken.None);
        try
        {
            First = await BuildAsync("first", Shell("echo one > /root/last"), new Lines());
        }
        catch (ProblemException e)
        {
            // The screen and the last lines of the serial console are in the problem, not in its message.
            throw new InvalidOperationException(e.Problem.ToString(), e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Node is not null)
        {
            foreach (var machine in await Node.Machines.ListAsync(CancellationToken.None))
                await Node.Remover.DeleteAsync(machine, stop: true, CancellationToken.None);
            await Node.DisposeAsync();
        }

        Directory.Delete(_home, recursive: true);
        if (_folders is not null && Directory.Exists(_folders.Run))
            Directory.Delete(_folders.Run, recursive: true);
    }

    internal static string Shell(string line) => $"provisioner \"shell\" {{\n    inline = [\"{line.Replace("\"", "\\\"", StringComparison.Ordinal)}\"]\n  }}";

    internal Task<BuildResult> BuildAsync(string template, string last, Lines lines, OnError onError = OnError.Cleanup) =>
        BuildAsync(template, last, lines, new BuildOptions { OnError = onError });

    /// <param name="template">The template that is made.</param>
    /// <param name="last">What the build block has after the first provisioner.</param>
    /// <param name="lines">What is said.</param>
    /// <param name="options">How it is run.</param>
    /// <param name="change">Changes the template's text.</param>
    internal Task<BuildResult> BuildAsync(
        string template, string last, Lines lines, BuildOptions options, Func<string, string>? change = null) =>
        Node.Builder.RunAsync(Definition(template, last, change), options, [], lines, TestContext.Current.CancellationToken);

    /// <summary>Nothing runs, and nothing is there that was not there before.</summary>
    internal async Task AssertNothingLeftAsync(IEnumerable<string> volumesBefore)
    {
        Assert.Empty(await Node.Machines.ListAsync(CancellationToken.None));
        Assert.Empty(Emulators());
        Assert.Empty(Directory.GetDirectories(Folders.Machines));
        Assert.Equal(volumesBefore, VolumeFiles());
        Assert.Empty(Directory.GetFiles(Folders.Builds));
        Assert.Empty(Directory.GetFiles(Folders.Layers));
        var layers = (await Node.Layers.ListAsync(CancellationToken.None)).Select(layer => layer.Key).Order();
        Assert.Equal(layers, Directory.GetDirectories(Folders.Layers).Select(one => Path.GetFileName(one)).Order());
        Assert.All(Directory.GetDirectories(Folders.Jobs), one => Assert.Equal("finished", Path.GetFileName(one)));
    }

    /// <summary>A running <c>gantry</c> with this node's folders.</summary>
    internal ChildProcess Start(params string[] arguments) => Start(Folders.Home, arguments);

    internal static ChildProcess Start(string home, params string[] arguments) =>
        new(Path.Combine(AppContext.BaseDirectory, "gantry"), arguments, new Dictionary<string, string> { ["GANTRY_HOME"] = home });

    /// <summary>Writes the template file of a build with one more provisioner at its end; gives its path.</summary>
    internal string Write(string template, string last, Func<string, string>? change = null)
    {
        var path = Path.Combine(_home, template + ".pkr.hcl");
        var text = $$"""
            source "qemu" "mini" {
              iso_url          = "{{Iso}}"
              iso_checksum     = "file:{{Path.GetDirectoryName(Iso)}}/SHA256SUMS"
              isa              = "x86_64"
              accelerator      = "tcg"
              machine_type     = "pc"
              memory           = 256
              disk_size        = "1G"
              disk_interface   = "virtio"
              net_device       = "virtio-net"
              kernel           = "iso:/install/vmlinuz"
              initrd           = "iso:/install/initrd.gz"
              kernel_arguments = "console=tty0 console=ttyS0,115200 quiet answers=http://10.0.2.2:{{_port}}/answers"
              http_port_min    = {{_port}}
              http_port_max    = {{_port}}
              http_content = {
                "/answers" = "hostname=mini\nuser=root\npassword=gantry-test\nafter=reboot\n"
              }
              ssh_username     = "root"
              ssh_password     = "gantry-test"
              ssh_timeout      = "5m"
              shutdown_command = "/usr/sbin/poweroff"
              shutdown_timeout = "1m"
              template         = "{{template}}"
            }

            build {
              sources = ["source.qemu.mini"]
              provisioner "shell" {
                inline = ["echo built > /root/built"]
              }
              {{last}}
            }
            """;
        File.WriteAllText(path, change is null ? text : change(text));
        return path;
    }

    internal BuildDefinition Definition(string template, string last, Func<string, string>? change = null)
    {
        var loaded = TemplateLoader.Load(new LoadRequest
        {
            Path = Write(template, last, change),
            Environment = Environment.GetEnvironmentVariable,
            EnvironmentNames = [],
            Time = TimeProvider.System,
            Entropy = SystemEntropy.Instance,
        });
        return loaded.Diagnostics.HasErrors ? throw TemplateProblem.Of(loaded.Diagnostics) : loaded.Builds.Single();
    }

    /// <summary>QEMU processes of this node, which name its folders on their command line.</summary>
    internal IEnumerable<int> Emulators()
    {
        foreach (var folder in Directory.GetDirectories("/proc").Where(one => int.TryParse(Path.GetFileName(one), out _)))
        {
            string command;
            try
            {
                command = File.ReadAllText(Path.Combine(folder, "cmdline"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue; // it has ended
            }

            if (command.Split('\0')[0].Contains("qemu-system", StringComparison.Ordinal)
                && (command.Contains(_home, StringComparison.Ordinal) || command.Contains(Folders.Run, StringComparison.Ordinal)))
                yield return int.Parse(Path.GetFileName(folder), System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    internal IEnumerable<string> VolumeFiles() => Directory.GetFiles(Folders.Volumes).Select(one => Path.GetFileName(one)).Order();

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<string> MakeIsoAsync([CallerFilePath] string file = "")
    {
        var script = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../../examples/mini/make-iso"));
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given
            ? given : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        var iso = Path.Combine(cache, "gantry/e2e/mini.iso");
        Directory.CreateDirectory(Path.GetDirectoryName(iso)!);
        // The script itself only copies when nothing has changed.
        using var process = Process.Start(new ProcessStartInfo(script, ["--arch", "amd64", iso])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["GANTRY"] = Path.Combine(AppContext.BaseDirectory, "gantry") },
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"make-iso failed:\n{await output}{error}");
        return iso;
    }
}

/// <summary>What a build said, each line with the moment at which it was said.</summary>
internal sealed class Lines : IProgressSink
{
    public ConcurrentQueue<(DateTimeOffset At, string Text)> All { get; } = new();

    public void Activity(string what) => Add(what);

    public void Amount(long done, long? total, string unit)
    {
    }

    public void GuestLine(string line) => Add(line);

    public void Note(string line) => Add(line);

    public (DateTimeOffset At, string Text) After(string prefix)
    {
        var (at, text) = All.Single(line => line.Text.StartsWith(prefix, StringComparison.Ordinal));
        return (at, text[prefix.Length..].Trim());
    }

    /// <summary>Called with each line before the build goes on.</summary>
    public Action<string>? Heard { get; init; }

    private void Add(string text)
    {
        All.Enqueue((TimeProvider.System.GetUtcNow(), text));
        Heard?.Invoke(text);
    }
}

[CollectionDefinition(nameof(BuildCollection))]
public sealed class BuildCollection : ICollectionFixture<BuildNode>;
