namespace Gantry.Imaging.BootCommand;

/// <summary>How a <see cref="Typist"/> works.</summary>
public sealed record TypistOptions
{
    /// <summary>A pause after each action that presses keys (Packer's <c>boot_keygroup_interval</c>).</summary>
    public TimeSpan GroupInterval { get; init; } = TimeSpan.Zero;

    /// <summary>How often the screen is looked at while waiting for a text.</summary>
    public TimeSpan LookInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The most time that one match of a serial pattern may take.</summary>
    public TimeSpan MatchTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Called at the beginning and end of each action, and at each look at the screen.</summary>
    public Action<TypingProgress>? Progress { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
