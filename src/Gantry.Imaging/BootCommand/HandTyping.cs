using Gantry.Engines;
using Gantry.Engines.Keyboard;
using Gantry.Engines.Qemu.Monitor;
using Gantry.Engines.Screen;
using Gantry.Imaging.Builds;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Imaging.BootCommand;

/// <summary>A boot command typed at a running machine that no build has in hand.</summary>
public static class HandTyping
{
    /// <summary>Reads what is to be typed on a machine's keyboard.</summary>
    /// <exception cref="ProblemException">It can't be; the detail holds each place and why.</exception>
    public static BootCommandScript Read(IReadOnlyList<string> keys, MachineSpec spec)
    {
        var layout = KeyboardLayout.Find(spec.KeyboardLayout)
            ?? throw new ProblemException(
                ProblemKind.InvalidInput,
                $"{spec.Name} has a keyboard layout that Gantry does not know: {spec.KeyboardLayout}",
                "known layouts: " + string.Join(", ", KeyboardLayout.All));
        var script = BootCommandScript.Parse(keys, new TemplateScope(), new BootCommandOptions { Layout = layout });
        return script.HasErrors
            ? throw new ProblemException(
                ProblemKind.InvalidInput,
                "these keys can't be typed",
                "see what can be written between < and > in Packer's boot_command",
                string.Join('\n', script.Diagnostics.Where(found => found.IsError)))
            : script;
    }

    /// <summary>Types it, waiting where it says so.</summary>
    /// <param name="guest">The running machine.</param>
    /// <param name="spec">What it is.</param>
    /// <param name="serialLog">Where its serial console is logged, for patterns that are waited for.</param>
    /// <param name="script">What is typed.</param>
    /// <param name="view">Told what it does.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops; what was typed is typed.</param>
    /// <exception cref="ProblemException">A wait was in vain, or the machine does not take keys.</exception>
    public static async Task TypeAsync(
        IMachineGuest guest, MachineSpec spec, string serialLog, BootCommandScript script, IProgressSink view,
        TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            using var keyboard = await GuestKeyboard.OpenAsync(
                guest.Monitor, new GuestKeyboardOptions { Notice = view.Note, Clock = time }, cancellationToken)
                .ConfigureAwait(false);
            await using var serial = new SerialFollower(serialLog, _ => { }, time);
            var screen = new QemuScreenReader(guest.Monitor, spec.Isa is Isa.X86_64 or Isa.I386);
            var typist = new Typist(keyboard, screen, serial.Transcript, new TypistOptions
            {
                Clock = time,
                Progress = progress =>
                {
                    if (progress.Begins)
                        view.Activity(progress.Description);
                },
            });
            await typist.RunAsync(script, cancellationToken).ConfigureAwait(false);
        }
        catch (BootWaitException e)
        {
            throw new ProblemException(
                ProblemKind.TimedOut, e.Message, "compare what was waited for with what the screen shows", inner: e);
        }
        catch (Exception e) when (e is KeyboardException or QmpException or QmpConnectionException or TimeoutException)
        {
            throw new ProblemException(
                ProblemKind.Failed, $"the keys could not be typed at {spec.Name}: {e.Message}", inner: e);
        }
    }
}
