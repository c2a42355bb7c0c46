using System.CommandLine;
using System.Globalization;
using Gantry.Model;
using Gantry.Storage.Media;

namespace Gantry.App.Commands;

/// <summary><c>gantry image list|show|import|export|delete</c>, each in a file of its own, and here
/// <c>gantry image make-iso|make-fat|make-cpio</c>: folders into media, with our own writers. The same files, options
/// and time give the same bytes; owners and times of the host's files are not taken over.</summary>
internal static class ImageCommand
{
    public const string Summary = "Import and export disk images and OVAs; make ISO, FAT and cpio images of folders";

    /// <summary>The reproducible-builds.org variable that tools share.</summary>
    private const string TimeVariable = "SOURCE_DATE_EPOCH";

    public static Command Build(CommandContext context) =>
        new("image", Summary)
        {
            ImageListCommand.List(context), ImageListCommand.Show(context), ImageImportCommand.Build(context),
            ImageExportCommand.Build(context), ImageListCommand.Delete(context), MakeIso(context), MakeFat(context),
            MakeCpio(context),
        };

    private static Command MakeIso(CommandContext context)
    {
        var output = Output();
        var folders = Folders();
        var label = Label("Volume label, 1 to 32 characters; cidata for cloud-init");
        var time = Time();
        var boot = new MakeIsoOptions();
        var command = new Command("make-iso", "Make an ISO image with Rock Ridge and Joliet of folders")
        {
            output, folders, label, time,
        };
        boot.AddTo(command);
        Run(context, command, "ISO image", output, async (parse, path, progress, cancellationToken) =>
        {
            var options = new IsoOptions
            {
                VolumeLabel = parse.GetValue(label)!,
                Timestamp = TimeOf(context, parse.GetValue(time)),
                Boot = await boot.BootAsync(parse, cancellationToken),
            };
            var tree = TreeOf(parse.GetValue(folders)!);
            await IsoWriter.WriteFileAsync(tree, options, path, progress, cancellationToken);
        });
        return command;
    }

    private static Command MakeFat(CommandContext context)
    {
        var output = Output();
        var folders = Folders();
        var label = Label("Volume label, 1 to 11 characters");
        var size = new Option<string>("--size")
        {
            HelpName = "SIZE",
            Description = "Size of the image: 1440K for a floppy (just large enough)",
        };
        var time = Time();
        var command = new Command("make-fat", "Make a FAT image of folders: a floppy, or what EFI boots")
        {
            output, folders, label, size, time,
        };
        Run(context, command, "FAT image", output, (parse, path, progress, cancellationToken) =>
        {
            var options = new FatOptions
            {
                VolumeLabel = parse.GetValue(label)!,
                Timestamp = TimeOf(context, parse.GetValue(time)),
                SizeBytes = parse.GetValue(size) is { } text ? MachineOptions.Size("--size", text, 1) : null,
            };
            var tree = TreeOf(parse.GetValue(folders)!);
            return FatWriter.WriteFileAsync(tree, options, path, progress, cancellationToken);
        });
        return command;
    }

    private static Command MakeCpio(CommandContext context)
    {
        var output = Output();
        var folders = Folders();
        var gzip = new Option<bool>("--gzip") { Description = "Compress it" };
        var time = Time();
        var command = new Command("make-cpio", "Make a cpio archive of folders: an initramfs")
        {
            output, folders, gzip, time,
        };
        Run(context, command, "cpio archive", output, (parse, path, _, cancellationToken) =>
        {
            var options = new CpioOptions
            {
                Timestamp = TimeOf(context, parse.GetValue(time)),
                Gzip = parse.GetValue(gzip),
            };
            return CpioWriter.WriteFileAsync(TreeOf(parse.GetValue(folders)!), options, path, cancellationToken);
        });
        return command;
    }

    private delegate Task Writer(
        ParseResult parse, string path, IProgress<MediaProgress> progress, CancellationToken cancellationToken);

    private static void Run(
        CommandContext context, Command command, string what, Argument<string> output, Writer write) =>
        command.SetAction(async (parse, cancellationToken) =>
        {
            var path = parse.GetValue(output)!;
            try
            {
                using var view = context.StartProgress();
                view.Activity($"Writing the {what} {Path.GetFileName(path)}");
                await write(parse, path, new Amounts(view), cancellationToken);
                view.Complete();
                return ExitCodes.Ok;
            }
            catch (MediaException e)
            {
                throw new ProblemException(
                    ProblemKind.InvalidInput, $"the {what} could not be made: {e.Message}", inner: e);
            }
        });

    /// <summary>What the folders hold, together; a later folder may not bring a file again.</summary>
    private static MediaTree TreeOf(string[] folders)
    {
        var tree = new MediaTree();
        foreach (var folder in folders)
        {
            if (!Directory.Exists(folder))
                throw new ProblemException(
                    ProblemKind.NotFound,
                    $"there is no folder '{folder}'",
                    "name folders; what is in them goes to the image's root");
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
                : throw new ProblemException(
                    ProblemKind.InvalidInput, $"{TimeVariable} is '{text}', expected seconds since 1970");
        }

        // The range of seconds that .NET can tell; each format has a narrower one, which its writer checks.
        if (given is < 0 or > 253402300799)
            throw new ProblemException(ProblemKind.InvalidInput, $"{given} is no time, expected seconds since 1970");
        return given is { } value ? DateTimeOffset.FromUnixTimeSeconds(value) : context.Time.GetUtcNow();
    }

    private static Argument<string> Output() => new("output")
    {
        HelpName = "OUTPUT",
        Description = "The file to write; one that is there is replaced",
    };

    private static Argument<string[]> Folders() => new("folders")
    {
        HelpName = "FOLDER",
        Description = "Its content goes to the image's root",
        Arity = ArgumentArity.OneOrMore,
    };

    private static Option<string> Label(string description) => new("--label")
    {
        HelpName = "TEXT",
        Description = description,
        Required = true,
    };

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
