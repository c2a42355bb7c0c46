using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Gantry.Engines.Qemu.Monitor;

namespace Gantry.Engines.Screen;

/// <summary>
/// Reads the screen of a running QEMU machine: from text memory where the adapter shows it, otherwise from the
/// picture. The picture comes through a file that is passed to QEMU, so that both need no folder in common.
/// For one user at a time.
/// </summary>
/// <param name="monitor">The machine's monitor.</param>
/// <param name="hasTextMemory">Whether it may have a VGA adapter at a PC's addresses (x86 guests).</param>
/// <param name="device">The id of the display device to look at; null means the first.</param>
public sealed class QemuScreenReader(IQemuMonitor monitor, bool hasTextMemory, string? device = null) : IScreenReader
{
    private readonly GlyphReader _glyphs = new();
    private Picture? _picture;
    private ScreenText? _text;

    public async Task<ScreenText> ReadAsync(CancellationToken cancellationToken)
    {
        var picture = await PictureAsync(cancellationToken).ConfigureAwait(false);
        if (picture is null)
            return ScreenText.Empty;
        if (_text is not null && _picture!.SameAs(picture))
            return _text;
        _text = await TextMemoryAsync(picture, cancellationToken).ConfigureAwait(false) ?? _glyphs.Read(picture);
        _picture = picture;
        return _text;
    }

    public async Task<byte[]> ScreenshotAsync(CancellationToken cancellationToken)
    {
        var picture = await PictureAsync(cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException("this machine has no display to take a picture of");
        return PngWriter.Write(picture);
    }

    /// <summary>What the display shows now; null where the machine has none.</summary>
    public async Task<Picture?> PictureAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        var path = Path.Combine(folder, $"gantry-screen-{Path.GetRandomFileName()}");
        // QEMU takes a passed file only if it was opened just for writing, hence two handles.
        using var write = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite);
        using var read = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        File.Delete(path);
        var passed = await monitor.AddDescriptorAsync(write, null, "screendump", cancellationToken)
            .ConfigureAwait(false);
        try
        {
            var arguments = new JsonObject { ["filename"] = $"/dev/fdset/{passed.Set}" };
            if (device is not null)
                arguments["device"] = device;
            await monitor.ExecuteAsync("screendump", arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (QmpException e) when (IsNoDisplay(e))
        {
            return null;
        }
        finally
        {
            await ForgetAsync(passed).ConfigureAwait(false);
        }
        var file = new byte[RandomAccess.GetLength(read)];
        var length = RandomAccess.Read(read, file, 0);
        return Picture.FromPpm(file.AsSpan(0, length));
    }

    private async Task ForgetAsync(QmpFdSetEntry passed)
    {
        try
        {
            await monitor.ExecuteAsync("remove-fd", new JsonObject { ["fdset-id"] = passed.Set }, CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is QmpException or QmpConnectionException or TimeoutException)
        {
            // It goes with the machine.
        }
    }

    /// <summary>The text memory's text if the picture agrees with it.</summary>
    private async Task<ScreenText?> TextMemoryAsync(Picture picture, CancellationToken cancellationToken)
    {
        if (!hasTextMemory || !TextMode.For(picture.Width, picture.Height).Any())
            return null;
        var text = await monitor.HumanMonitorAsync(
            $"xp /{TextMemory.Size / 4}wx 0x{TextMemory.Address:x}", cancellationToken).ConfigureAwait(false);
        var words = MonitorText.Memory(text);
        if (words.Length != TextMemory.Size / 4)
            return null;
        var memory = new byte[TextMemory.Size];
        for (var i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(memory.AsSpan(i * 4), words[i]);
        return TextMemory.Read(picture, memory);
    }

    private static bool IsNoDisplay(QmpException e) =>
        e.Description.Contains("no console", StringComparison.Ordinal)
        || e.Description.Contains("no surface", StringComparison.Ordinal);
}
