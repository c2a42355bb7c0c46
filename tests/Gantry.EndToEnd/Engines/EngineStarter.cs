using System.Runtime.CompilerServices;
using System.Text.Json;
using Gantry.Engines.Qemu;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.EndToEnd.Engines;

/// <summary>
/// Turns this test program, when a variable says so, into a command that starts a machine and is then killed: what
/// must survive is best shown by a real process that dies.
/// </summary>
internal static class EngineStarter
{
    public const string Variable = "GANTRY_TEST_START_MACHINE";

    public static string Describe(QemuLaunch launch, string run) => JsonSerializer.Serialize(
        (string[])[run, launch.Number.ToString(), launch.Uuid.ToString(), JsonSerializer.Serialize(launch.Spec, ModelJson.Default.MachineSpec)]);

    [ModuleInitializer]
    internal static void StartAndDie()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } text)
            return;
        var parts = JsonSerializer.Deserialize<string[]>(text)!;
        var launch = new QemuLaunch
        {
            Number = new MachineNumber(int.Parse(parts[1])),
            Uuid = Guid.Parse(parts[2]),
            Spec = JsonSerializer.Deserialize(parts[3], ModelJson.Default.MachineSpec)!,
            Accelerator = Accelerator.Tcg,
            Binary = QemuHost.FindBinary(Isa.X86_64),
            Run = RunPaths.For(parts[0]),
        };
        new QemuEngine().StartAsync(launch, parts[0]).GetAwaiter().GetResult();
        System.Diagnostics.Process.GetCurrentProcess().Kill();
        Thread.Sleep(Timeout.Infinite);
    }
}
