using Gantry.Engines.Qemu;

namespace Gantry.Engines.Tests.Qemu.Running;

public sealed class GuestLogsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-engines-");

    [Fact]
    public void Log_BeyondItsBound_KeepsItsEndAndGoesOn()
    {
        var path = Path.Combine(_folder.FullName, "serial.log");
        using var writer = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        writer.Write("0123456789"u8);
        writer.Flush();
        GuestLogs.Bound(path, 10);
        Assert.False(File.Exists(path + ".1"));
        GuestLogs.Bound(path, 4);
        Assert.Equal("6789", File.ReadAllText(path + ".1"));
        Assert.Equal(0, new FileInfo(path).Length);
    }

    [Fact]
    public void MissingLog_IsNoFailure() => GuestLogs.Bound(Path.Combine(_folder.FullName, "none"), 4);

    public void Dispose() => _folder.Delete(recursive: true);
}
