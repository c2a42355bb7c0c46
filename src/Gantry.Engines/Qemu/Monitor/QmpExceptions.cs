namespace Gantry.Engines.Qemu.Monitor;

/// <summary>QEMU answered a command with an error.</summary>
public sealed class QmpException : Exception
{
    public QmpException(string command, string errorClass, string description)
        : base($"QEMU refused '{command}': {description} ({errorClass})")
    {
        Command = command;
        ErrorClass = errorClass;
        Description = description;
    }

    /// <summary>The command that was refused.</summary>
    public string Command { get; }

    /// <summary>QMP's error class, such as <c>GenericError</c>, <c>CommandNotFound</c>, <c>DeviceNotFound</c>.</summary>
    public string ErrorClass { get; }

    /// <summary>QEMU's own text. It is for people: its wording changes between versions.</summary>
    public string Description { get; }
}

/// <summary>
/// The monitor cannot be reached, does not speak QMP, or went away. Every call that was waiting gets one.
/// </summary>
public sealed class QmpConnectionException : IOException
{
    public QmpConnectionException(string message)
        : base(message)
    {
    }

    public QmpConnectionException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}
