namespace Gantry.Imaging.BootCommand;

/// <summary>A template cannot be rendered.</summary>
public sealed class GoTemplateException(string message, int offset) : Exception(message)
{
    /// <summary>Where in the template's text, in UTF-16 units from 0.</summary>
    public int Offset { get; } = offset;
}
