using System.CommandLine;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gantry.App.Hosting;
using Gantry.Machines.Create;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage;

namespace Gantry.App.Commands;

/// <summary><c>gantry edit</c>: a machine's whole spec in the user's editor.</summary>
internal static class EditCommand
{
    public const string Summary = "Change a machine's settings in your editor";

    private const int LongestText = 256 * 1024;

    private static readonly JsonSerializerOptions Options = new(ModelJson.Default.Options)
    {
        WriteIndented = true,
        AllowTrailingCommas = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonTypeInfo<MachineSpec> Form =
        (JsonTypeInfo<MachineSpec>)Options.GetTypeInfo(typeof(MachineSpec));

    public static Command Build(CommandContext context)
    {
        var machine = CommonArguments.Machine(context);
        var command = new Command("edit", Summary) { machine };
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            var record = await node.Machines.GetAsync(parse.GetValue(machine)!, cancellationToken);
            if (await EditAsync(context, node, record, cancellationToken) is not { } spec)
            {
                context.Terminal.Out.Write($"{record.Spec.Name} stays as it is\n");
                return ExitCodes.Ok;
            }

            await node.Machines.UpdateAsync(record.Number, now => Apply(now, record, spec), cancellationToken);
            var later = node.Host.IsAlive(record.Number) ? "; hardware changes at its next start" : "";
            context.Terminal.Out.Write($"{spec.Name} is changed{later}\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>Reads what a person wrote, and whether the machine can become that.</summary>
    /// <exception cref="ProblemException">It can't, or it is no JSON; the summary says where.</exception>
    internal static MachineSpec Read(string text, MachineSpec before)
    {
        try
        {
            var spec = JsonSerializer.Deserialize(text, Form)
                ?? throw new ProblemException(ProblemKind.InvalidInput, "the text is only 'null'");
            SpecCheck.CheckChange(before, spec);
            return spec;
        }
        catch (JsonException e)
        {
            var place = e.LineNumber is { } line ? $"line {line + 1}: " : "";
            var reason = e.Message.Split(" Path:", 2)[0].Split(" LineNumber:", 2)[0];
            var field = e.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal)
                ? $"{path[2..]}: " : "";
            throw new ProblemException(ProblemKind.InvalidInput, $"{place}{field}{reason}", inner: e);
        }
    }

    internal static string Write(MachineSpec spec, string? trouble)
    {
        var head = trouble is null ? "" : string.Concat(trouble.Split('\n').Select(line => $"// ERROR {line}\n"));
        return head
            + $"// What {spec.Name} should be. Save and leave to apply; leave it unchanged to give up.\n"
            + "// Hardware changes at the next start. Which volumes the disks are, ISA and kind of firmware stay.\n"
            + JsonSerializer.Serialize(spec, Form) + "\n";
    }

    private static MachineRecord Apply(MachineRecord now, MachineRecord before, MachineSpec spec)
    {
        // A snapshot may have been taken meanwhile; its new layers are not in the text.
        if (now.Spec != before.Spec)
        {
            throw new ProblemException(
                ProblemKind.Conflict,
                $"{before.Spec.Name} was changed by another command meanwhile",
                $"edit it again: gantry edit {before.Spec.Name}");
        }

        return now with { Spec = spec };
    }

    /// <summary>What the person made of it; null when nothing was changed.</summary>
    private static async Task<MachineSpec?> EditAsync(
        CommandContext context, GantryNode node, MachineRecord machine, CancellationToken cancellationToken)
    {
        var file = Path.Combine(node.Folders.MachineFolder(machine.Number), $"edit-{node.Entropy.NewHex(4)}.json");
        var text = Write(machine.Spec, trouble: null);
        try
        {
            while (true)
            {
                // A spec may hold a password's hash.
                await PrivateFile.WriteAsync(file, text, cancellationToken);
                await OpenEditorAsync(context, file, cancellationToken);
                var edited = await ReadAsync(file, cancellationToken);
                if (edited == text)
                    return null;
                try
                {
                    var spec = Read(edited, machine.Spec);
                    return spec == machine.Spec ? null : spec;
                }
                catch (ProblemException e) when (context.Terminal.InIsTerminal)
                {
                    // The same text again, with what is wrong above it; leaving that unchanged gives up.
                    text = WithTrouble(edited, $"{e.Problem.Summary}\n{e.Problem.Detail}".Trim());
                }
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string WithTrouble(string text, string trouble)
    {
        var kept = text.Split('\n').SkipWhile(line => line.StartsWith("// ERROR ", StringComparison.Ordinal));
        return string.Concat(trouble.Split('\n').Select(line => $"// ERROR {line}\n")) + string.Join('\n', kept);
    }

    private static async Task OpenEditorAsync(CommandContext context, string file, CancellationToken cancellationToken)
    {
        var editor = context.Environment("VISUAL") is { Length: > 0 } visual ? visual
            : context.Environment("EDITOR") is { Length: > 0 } plain ? plain : "vi";
        context.Terminal.Out.Flush();
        // The variable is a line for the shell (code --wait), as for every program that reads it.
        var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", $"{editor} \"$1\"", "sh", file } };
        using var process = Process.Start(start)
            ?? throw new ProblemException(ProblemKind.Unavailable, "the editor can't be started");
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new ProblemException(
                ProblemKind.Unavailable,
                $"the editor ({editor}) ended with exit code {process.ExitCode}, so nothing is changed",
                "set EDITOR to a program that is installed, for example EDITOR=nano");
        }
    }

    private static async Task<string> ReadAsync(string file, CancellationToken cancellationToken)
    {
        if (!File.Exists(file))
            throw new ProblemException(ProblemKind.NotFound, "the editor left no file, so nothing is changed");
        return new FileInfo(file).Length <= LongestText
            ? await File.ReadAllTextAsync(file, cancellationToken)
            : throw new ProblemException(ProblemKind.InvalidInput, $"the text is larger than {LongestText >> 10} KiB");
    }
}
