namespace Gantry.Engines.Screen;

/// <summary>Reads what a machine shows; a seam for tests.</summary>
public interface IScreenReader
{
    /// <summary>The text on the screen now.</summary>
    Task<ScreenText> ReadAsync(CancellationToken cancellationToken);

    /// <summary>A picture of the screen now, as a PNG file.</summary>
    Task<byte[]> ScreenshotAsync(CancellationToken cancellationToken);
}
