namespace Gantry.Engines.Keyboard;

/// <summary>How keys are paced. The defaults follow the guest; a value here only makes it slower.</summary>
public sealed record GuestKeyboardOptions
{
    /// <summary>The least time after each key event (Packer's <c>boot_key_interval</c>).</summary>
    public TimeSpan MinimumInterval { get; init; } = TimeSpan.Zero;

    /// <summary>
    /// How long the guest may leave its keyboard unread before typing is given up. A paused machine is not
    /// counted.
    /// </summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Called when typing has to wait for something that a person may want to know of.</summary>
    public Action<string>? Notice { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
