namespace Gantry.Engines.Keyboard;

/// <summary>A machine's keyboard; a seam for tests.</summary>
public interface IKeyboard
{
    /// <summary>Presses and releases a key with its modifiers. If it fails, what it pressed is released.</summary>
    Task PressAsync(KeyStroke stroke, CancellationToken cancellationToken);

    /// <summary>Sends one key event once the guest has read the one before.</summary>
    /// <exception cref="KeyboardException">The machine ended or does not read its keyboard.</exception>
    Task SendAsync(KeyEvent next, CancellationToken cancellationToken);

    /// <summary>Releases every key that is down, without waiting for the guest; does not fail.</summary>
    Task ReleaseAllAsync();
}
