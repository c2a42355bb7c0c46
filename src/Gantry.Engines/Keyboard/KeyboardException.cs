namespace Gantry.Engines.Keyboard;

/// <summary>The guest cannot be typed at: it ended, or does not read its keyboard.</summary>
public sealed class KeyboardException(string message) : Exception(message);
