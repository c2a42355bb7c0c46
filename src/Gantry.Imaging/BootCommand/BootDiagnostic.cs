using Gantry.Engines.Keyboard;

namespace Gantry.Imaging.BootCommand;

/// <summary>What is wrong, or looks wrong, in a boot command.</summary>
/// <param name="IsError">False for what works as Packer does it, but is probably not meant.</param>
public sealed record BootDiagnostic(bool IsError, BootPosition At, string Message)
{
    public override string ToString() => $"boot_command, {At}: {(IsError ? "error" : "warning")}: {Message}";
}

/// <summary>Default values that a boot command does not state itself.</summary>
public sealed record BootCommandOptions
{
    /// <summary>The layout that the guest has while the command is typed.</summary>
    public KeyboardLayout Layout { get; init; } = KeyboardLayout.Us;

    /// <summary>How long a <c>waitFor</c> waits that states no time.</summary>
    public TimeSpan DefaultTimeout { get; init; } = TimeSpan.FromMinutes(5);
}
