using System.CommandLine;
using Gantry.App.Hosting;
using Gantry.App.Output;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Engines.Screen;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.App.Commands;

/// <summary><c>gantry screenshot</c>: what a machine's display shows, as a picture or as text.</summary>
internal static class ScreenshotCommand
{
    public const string Summary = "Take a picture of a machine's screen, or read its text";

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var file = new Option<string>("--output", "-o")
        {
            HelpName = "FILE",
            Description = "Where the PNG file goes, - for standard output (MACHINE.png)",
        };
        var text = new Option<bool>("--text") { Description = "Write the text on the screen instead" };
        var command = new Command("screenshot", Summary) { machine, file, text };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            await using var guest = await node.Host.GetRunningAsync(record, cancellationToken);
            var reader = new QemuScreenReader(guest.Monitor, record.Spec.Isa is Isa.X86_64 or Isa.I386);
            try
            {
                var picture = await reader.PictureAsync(cancellationToken)
                    ?? throw new ProblemException(
                        ProblemKind.Conflict,
                        $"{record.Spec.Name} has no display",
                        $"look at its serial console: gantry console {record.Spec.Name}");
                if (parse.GetValue(text))
                    WriteText(context.Terminal, await reader.ReadAsync(cancellationToken));
                else
                    await WritePictureAsync(
                        context.Terminal, parse.GetValue(file) ?? record.Spec.Name + ".png", picture, cancellationToken);
            }
            catch (Exception e) when (e is QmpException or QmpConnectionException or TimeoutException)
            {
                throw new ProblemException(
                    ProblemKind.Failed, $"the screen of {record.Spec.Name} can't be read: {e.Message}", inner: e);
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static void WriteText(ITerminal terminal, ScreenText screen)
    {
        var last = screen.Rows.Select((row, i) => row.Trim().Length > 0 ? i : -1).DefaultIfEmpty(-1).Max();
        foreach (var row in screen.Rows.Take(last + 1))
            terminal.Out.Write(DisplayText.Clean(row) + "\n");
    }

    private static async Task WritePictureAsync(
        ITerminal terminal, string path, Picture picture, CancellationToken cancellationToken)
    {
        var png = PngWriter.Write(picture);
        if (path == "-")
        {
            terminal.Out.Flush();
            await using var output = RawTerminal.OpenOutput();
            await output.WriteAsync(png, cancellationToken);
            return;
        }

        try
        {
            await File.WriteAllBytesAsync(path, png, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(
                ProblemKind.Unavailable, $"{path} can't be written: {e.Message}", "name another file: -o FILE", inner: e);
        }

        terminal.Out.Write($"{path}: {picture.Width} x {picture.Height}\n");
    }
}
