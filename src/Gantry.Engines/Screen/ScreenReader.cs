using Gantry.Engines.Qemu.Monitor;

namespace Gantry.Engines.Screen;

// DRAFT
public sealed class ScreenReader(IQemuMonitor monitor) : IScreenReader
{
    public Task<ScreenText> ReadAsync(CancellationToken cancellationToken) => throw new NotSupportedException(monitor.ToString());
    public Task<byte[]> ScreenshotAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
}
