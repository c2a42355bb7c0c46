using Gantry.Model;
using Gantry.Model.Volumes;
using Gantry.Storage.Images;
using Gantry.Storage.Volumes;

namespace Gantry.Storage.Tests.Images;

public sealed class QemuImgTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-qemu-img-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("qemu-img: Could not open '/v/a.qcow2': Failed to get \"write\" lock\nIs another process using the image [/v/a.qcow2]?", ProblemKind.InUse)]
    [InlineData("qemu-img: Could not open '/v/a.qcow2': Failed to get shared \"write\" lock", ProblemKind.InUse)]
    [InlineData("qemu-img: error while writing at byte 0: No space left on device", ProblemKind.Unavailable)]
    [InlineData("qemu-img: block device is read-only", ProblemKind.Failed)]
    public void Failure_IsOfTheKindThatItsTextMeans(string text, ProblemKind kind)
    {
        var problem = QemuImg.Failure("rebase a.qcow2", text + "\n").Problem;
        Assert.Equal((kind, text), (problem.Kind, problem.Detail));
    }

    [Fact]
    public async Task ImageThatAnotherProcessWrites_IsInUse()
    {
        var path = Path.Combine(_folder, "a.qcow2");
        Qcow2Writer.CreateEmpty(path, 1 << 20);
        using var user = new System.Diagnostics.Process
        {
            StartInfo = new("qemu-io", ["-f", "qcow2", path]) { RedirectStandardInput = true, RedirectStandardOutput = true },
        };
        user.Start();
        try
        {
            // It answers once it has the image open.
            await user.StandardInput.WriteLineAsync("length");
            await user.StandardInput.FlushAsync(Token);
            await user.StandardOutput.ReadLineAsync(Token);
            var refusal = await Assert.ThrowsAsync<ProblemException>(
                () => new QemuImg().ResizeAsync(path, DiskImageFormat.Qcow2, 2 << 20, Token));
            Assert.Equal(ProblemKind.InUse, refusal.Problem.Kind);
        }
        finally
        {
            user.StandardInput.Close();
            await user.WaitForExitAsync(CancellationToken.None);
        }
    }
}
