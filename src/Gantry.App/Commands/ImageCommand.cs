using System.CommandLine;
using System.Globalization;
using Gantry.Model;
using Gantry.Storage.Media;

namespace Gantry.App.Commands;

/// <summary><c>gantry image make-iso|make-fat|make-cpio</c>: folders into media, with our own writers. The same files, options
/// and time give the same bytes; owners and times of the host's files are not taken over.</summary>
internal static class ImageCommand
{
    public const string Summary = "Make ISO, FAT and cpio images of folders";

    /// <summary>The reproducible-builds.org variable that tools share.</summary>
    private const string TimeVariable = "SOURCE_DATE_EPOCH";

    /// <summary>Reading more than this as an MBR's code means that another file was named.</summary>
    private const int LargestMbr = 64 * 1024;

    public static Command Build(CommandContext context) =>
        new("image", Summary) { MakeIso(context), MakeFat(context), MakeCpio(context) };

    private static Command MakeIso(CommandContext context)
    {
        var output = Output();
        var folders = Folders();
        var label = Label("Volume label, 1 to 32 characters; cidata for cloud-init");
        var bios = new Option<string>("--bios") { HelpName = "PATH", Description = "BIOS boot image on the ISO, such as isolinux/isolinux.bin" };
        var efi = new Option<string>("--efi") { HelpName = "PATH", Description = "EFI boot image on the ISO: a FAT image with EFI/BOOT/..." };
        var catalog = new Option<string>("--catalog") { HelpName = "PATH", Description = "Where the boot catalogue appears (boot.cat)" };
        var hybrid = new Option<bool>("--hybrid") { Description = "Also start from a disk or USB stick: adds a partition table" };
        var mbr = new Option<string>("--mbr") { HelpName = "FILE", Description = "Code for --hybrid with BIOS: isolinux' isohdpfx.bin" };
        var time = Time();
        var command = new Command("make-iso", "Make an ISO image with Rock Ridge and Joliet of folders")
        {
            output, folders, label, bios, efi, catalog, hybrid, mbr, time,
        };
        command.SetAction((parse, cancellationToken) => RunAsync(context, "ISO image", parse.GetValue(output)!, async (path, progress) =>
        {
            var isBootable = parse.GetValue(bios) is not null || parse.GetValue(efi) is not null;
            if (!isBootable && (parse.GetValue(hybrid) || parse.GetValue(mbr) is not null || parse.GetValue(catalog) is not null))
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput, "--hybrid, --mbr and --catalog are for an ISO that boots", "give --bios or --efi too");
            }

            var options = new IsoOptions
            {
                VolumeLabel = parse.GetValue(label)!,
                Timestamp = TimeOf(context, parse.GetValue(time)),
                Boot = !isBootable ? null : new IsoBoot
                {
                    BiosImage = parse.GetValue(bios),
                    EfiImage = parse.GetValue(efi),
                    CatalogPath = parse.GetValue(catalog) ?? "boot.cat",
                    Hybrid = parse.GetValue(hybrid) || parse.GetValue(mbr) is not null,
                    HybridMbr = parse.GetValue(mbr) is { } file ? await ReadMbrAsync(file, cancellationToken) : default,
                },
            };
            await IsoWriter.WriteFileAsync(TreeOf(parse.GetValue(folders)!), options, path, progress, cancellationToken);
        }));
        return command;
    }

    private static Command MakeFat(CommandContext context)
    {
        var output = Output();
        var folders = Folders();
        var label = Label("Volume label, 1 to 11 characters");
        var size = new Option<string>("--size") { HelpName = "SIZE", Description = "Size of the image: 1440K for a floppy (just large enough)" };
        var time = Time();
        var command = new Command("make-fat", "Make a FAT image of folders: a floppy, or what EFI boots") { output, folders, label, size, time };
        command.SetAction((parse, cancellationToken) => RunAsync(context, "FAT image", parse.GetValue(output)!, (path, progress) =>
        {
            var options = new FatOptions
            {
                VolumeLabel = parse.GetValue(label)!,
                Timestamp = TimeOf(context, parse.GetValue(time)),
                SizeBytes = parse.GetValue(size) is { } text ? MachineOptions.Size("--size", text, 1) : null,
            };
            return FatWriter.WriteFileAsync(TreeOf(parse.GetValue(folders)!), options, path, progress, cancellationToken);
        }));
        return command;
    }

    private static Command MakeCpio(CommandContext context)
    {
        var output = Output();
        var folders = Folders();
        var gzip = new Option<bool>("--gzip") { Description = "Compress it" };
        var time = Time();
        var command = new Command("make-cpio", "Make a cpio archive of folders: an initramfs") { output, folders, gzip, time };
        command.SetAction((parse, cancellationToken) => RunAsync(context, "cpio archive", parse.GetValue(output)!, (path, _) =>
        {
            var options = new CpioOptions { Timestamp = TimeOf(context, parse.GetValue(time)), Gzip = parse.GetValue(gzip) };
            return CpioWriter.WriteFileAsync(TreeOf(parse.GetValue(folders)!), options, path, cancellationToken);
        }));
        return command;
    }

    private static async Task<int> RunAsync(
        CommandContext context, string what, string output, Func<string, IProgress<MediaProgress>, Task> write)
    {
        try
        {
            using var view = context.StartProgress();
            view.Activity($"Writing the {what} {Path.GetFileName(output)}");
            await write(output, new Amounts(view));
            view.Complete();
            return ExitCodes.Ok;
        }
        catch (MediaException e)
        {
            throw new ProblemException(ProblemKind.InvalidInput, $"the {what} could not be made: {e.Message}", inner: e);
        }
    }

    /// <summary>What the folders hold, together; a later folder may not bring a file again.</summary>
    private static MediaTree TreeOf(string[] folders)
    {
        var tree = new MediaTree();
        foreach (var folder in folders)
        {
            if (!Directory.Exists(folder))
                throw new ProblemException(ProblemKind.NotFound, $"there is no folder '{folder}'", "name folders; what is in them goes to the image's root");
            tree.AddHostPath(folder, "");
        }

        return tree;
    }

    private static DateTimeOffset TimeOf(CommandContext context, long? given)
    {
        if (given is null && context.Environment(TimeVariable) is { Length: > 0 } text)
        {
            given = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                ? seconds
                : throw new ProblemException(ProblemKind.InvalidInput, $"{TimeVariable} is '{text}', expected seconds since 1970");
        }

        // The range of seconds that .NET can tell; each format has a narrower one, which its writer checks.
        if (given is < 0 or > 253402300799)
            throw new ProblemException(ProblemKind.InvalidInput, $"{given} is no time, expected seconds since 1970");
        return given is { } value ? DateTimeOffset.FromUnixTimeSeconds(value) : context.Time.GetUtcNow();
    }

    private static async Task<byte[]> ReadMbrAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return new FileInfo(file).Length <= LargestMbr
                ? await File.ReadAllBytesAsync(file, cancellationToken)
                : throw new ProblemException(ProblemKind.InvalidInput, $"--mbr {file} is too large for boot code", "isolinux brings isohdpfx.bin");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(ProblemKind.NotFound, $"--mbr {file} can't be read: {e.Message}", inner: e);
        }
    }

    private static Argument<string> Output() => new("output") { HelpName = "OUTPUT", Description = "The file to write; one that is there is replaced" };

    private static Argument<string[]> Folders() => new("folders")
    {
        HelpName = "FOLDER",
        Description = "Its content goes to the image's root",
        Arity = ArgumentArity.OneOrMore,
    };

    private static Option<string> Label(string description) => new("--label") { HelpName = "TEXT", Description = description, Required = true };

    private static Option<long?> Time() => new("--time")
    {
        HelpName = "SECONDS",
        Description = $"The time of all files, in seconds since 1970 (${TimeVariable}, else now)",
    };

    private sealed class Amounts(IProgressSink sink) : IProgress<MediaProgress>
    {
        public void Report(MediaProgress value) => sink.Amount(value.BytesDone, value.BytesTotal, "bytes");
    }
}
