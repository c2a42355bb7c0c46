using System.CommandLine;
using System.Text.RegularExpressions;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.Machines.Images;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage.Images;

namespace Gantry.App.Commands;

/// <summary><c>gantry image import</c>: a template, or a machine, of a disk image or an OVF package.</summary>
internal static partial class ImageImportCommand
{
    public static Command Build(CommandContext context)
    {
        var source = new Argument<string>("source")
        {
            HelpName = "FILE_OR_URL",
            Description = "A qcow2, raw, vmdk, vdi, vhd or vhdx image, an .ova or an .ovf; a path or an http(s) URL",
        };
        var name = Text(
            "--name", "NAME", "The template's or machine's name; the file's or package's own when none is given", "-n");
        var checksum = Text(
            "--checksum", "CHECKSUM", "sha256:HEX, the URL or path of a list such as SHA256SUMS, or none");
        var format = Text(
            "--format", "FORMAT", "What the file is: qcow2, raw, vmdk, vdi, vhdx or vhd; its name's ending otherwise");
        var machine = new Option<bool>("--machine") { Description = "Make a stopped machine instead of a template" };
        var force = new Option<bool>("--force", "-f") { Description = "Replace a template of that name" };
        var isa = Text("--isa", "ISA", "The guest's instruction set: x86_64 (usual), i386, aarch64, ppc64le, ...");
        var firmware = Text("--firmware", "KIND", "bios or uefi; what the package says, or the ISA's usual one");
        var cpus = new Option<int?>("--cpus") { Description = "Virtual CPUs; what the package says, or 1" };
        var memory = Text("--memory", "SIZE", "Memory: 512M, 2G; what the package says, or 1G", "-m");
        var bus = Text("--bus", "BUS", "How disks are attached: virtio, scsi, sata, ide or nvme");
        var user = Text("--user", "NAME", "The user that gantry ssh logs in as");
        var command = new Command("import", "Make a template or a machine of a disk image or an OVA")
        {
            source, name, checksum, format, machine, force, isa, firmware, cpus, memory, bus, user,
        };
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var request = new ImportRequest
            {
                Path = "",
                SourceName = "",
                Name = parse.GetValue(name),
                AsMachine = parse.GetValue(machine),
                Replace = parse.GetValue(force),
                Format = parse.GetValue(format) is { } text ? ParseFormat(text) : null,
                Isa = parse.GetValue(isa) is { } isaText ? ParseIsa(isaText) : null,
                Firmware = parse.GetValue(firmware) is { } kind ? ParseFirmware(kind) : null,
                Cpus = parse.GetValue(cpus),
                MemoryMiB = parse.GetValue(memory) is { } size
                    ? (int)(MachineOptions.Size("--memory", size, 1L << 20) >> 20) : null,
                Bus = parse.GetValue(bus) is { } busText ? ParseBus(busText) : null,
                LoginUser = parse.GetValue(user),
            };
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            ImportResult result;
            using (var view = context.StartProgress())
            {
                request = await LocateAsync(
                    node, parse.GetValue(source)!, parse.GetValue(checksum), request, view, cancellationToken);
                result = await node.Importer.ImportAsync(request, view, cancellationToken);
                view.Complete();
            }

            Write(context, ImportView.Of(result), output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Brings a file from elsewhere to this host, and holds one that is here against its checksum.</summary>
    private static async Task<ImportRequest> LocateAsync(
        GantryNode node, string source, string? checksum, ImportRequest request, IProgressSink progress,
        CancellationToken cancellationToken)
    {
        var url = source.Contains("://", StringComparison.Ordinal)
            && Uri.TryCreate(source, UriKind.Absolute, out var parsed) ? parsed : null;
        if (url is null && checksum is null)
        {
            var path = Path.GetFullPath(source);
            return request with { Path = path, SourceName = Path.GetFileName(path) };
        }

        if (checksum is null && url is { Scheme: "http" })
        {
            throw new ProblemException(
                ProblemKind.InvalidInput, $"nothing protects {source} on its way here",
                "give its checksum (--checksum sha256:...), use https, or accept whatever comes: --checksum none");
        }

        var fetched = await node.Fetcher.FetchAsync([source], ChecksumOf(checksum), progress, cancellationToken);
        var name = url is { Scheme: "http" or "https" }
            ? Uri.UnescapeDataString(url.Segments[^1].TrimEnd('/')) is { Length: > 0 } last ? last : url.Host
            : Path.GetFileName(fetched.Path);
        return request with { Path = fetched.Path, SourceName = name, Digest = fetched.Sha256 };
    }

    /// <summary>In the form that the fetcher knows: a list may be named without its <c>file:</c>.</summary>
    private static string ChecksumOf(string? text) =>
        text is null ? "none"
        : text is "none" || text.StartsWith("file:", StringComparison.OrdinalIgnoreCase) || Digest().IsMatch(text)
            ? text
        : text.Contains('/', StringComparison.Ordinal) || File.Exists(text) ? $"file:{text}"
        : text;

    private static void Write(CommandContext context, ImportView view, OutputFormat format)
    {
        if (format != OutputFormat.Table)
        {
            context.Output.WriteData(view, ImageViewJson.Default.ImportView, format);
            return;
        }

        var outWriter = context.Terminal.Out;
        outWriter.Write(view.Number is { } number
            ? $"{view.Name} ({number}) is made: gantry start {view.Name}\n"
            : $"template {view.Name} is made: gantry launch {view.Name}\n");
        if (view.Remarks.Count == 0)
            return;
        outWriter.Write("Not as in the package:\n");
        foreach (var remark in view.Remarks)
            outWriter.Write($"  {DisplayText.Clean(remark.Item)}: {DisplayText.Clean(remark.Reason)}\n");
    }

    private static Option<string> Text(string name, string help, string description, params string[] aliases) =>
        new(name, aliases)
        {
            HelpName = help,
            Description = description,
        };

    private static DiskImageFormat ParseFormat(string text) =>
        DiskImageFormats.TryParse(text, out var format)
            ? format
            : throw Unknown("--format", text, "qcow2, raw, vmdk, vdi, vhdx or vhd");

    private static Isa ParseIsa(string text) =>
        IsaNames.TryParse(text, out var isa)
            ? isa
            : throw Unknown("--isa", text, string.Join(", ", Enum.GetValues<Isa>().Select(one => one.Name())));

    private static FirmwareKind ParseFirmware(string text) => text.ToLowerInvariant() switch
    {
        "bios" => FirmwareKind.Bios,
        "uefi" or "efi" => FirmwareKind.Uefi,
        _ => throw Unknown("--firmware", text, "bios or uefi"),
    };

    private static DiskBus ParseBus(string text) => text.ToLowerInvariant() switch
    {
        "virtio" => DiskBus.Virtio,
        "scsi" => DiskBus.Scsi,
        "sata" => DiskBus.Sata,
        "ide" => DiskBus.Ide,
        "nvme" => DiskBus.Nvme,
        _ => throw Unknown("--bus", text, "virtio, scsi, sata, ide or nvme"),
    };

    private static ProblemException Unknown(string option, string text, string expected) =>
        new(ProblemKind.InvalidInput, $"{option} {text} is not known", $"use {expected}");

    [GeneratedRegex(@"\A([A-Za-z0-9-]+:)?[0-9A-Fa-f]{32,128}\z")]
    private static partial Regex Digest();
}
