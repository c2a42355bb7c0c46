using System.Text;
using Gantry.Agent.Consoles;

namespace Gantry.Agent.Tests.Consoles;

public sealed class LogTailTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gantry-log-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Log => Path.Combine(_folder.FullName, "serial.log");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("a\nb\nc\n", 2, "b\nc\n")]
    [InlineData("a\nb\nc", 2, "b\nc")]
    [InlineData("a\nb\n", 5, "a\nb\n")]
    [InlineData("a\nb\n", 0, "")]
    [InlineData("", 3, "")]
    [InlineData("\n\n\n", 2, "\n\n")]
    public async Task Read_GivesTheLastLines(string content, int lines, string expected)
    {
        await File.WriteAllTextAsync(Log, content, Token);
        Assert.Equal(expected, await ReadAsync(lines));
    }

    [Fact]
    public async Task Read_OfALongLog_FindsLinesOverBlocks()
    {
        var lines = Enumerable.Range(0, 50_000).Select(i => $"line {i}").ToList();
        await File.WriteAllLinesAsync(Log, lines, Token);
        Assert.Equal(string.Concat(lines.Skip(10_000).Select(line => line + "\n")), await ReadAsync(40_000));
    }

    [Fact]
    public async Task Follow_GoesOnUntilTheMachineStops_AndBeginsAnewWhereTheLogWasCut()
    {
        var looks = 0;
        var said = new StringBuilder();
        await foreach (var piece in LogTail.ReadAsync(Log, 10, IsGrowing, TimeProvider.System, Token))
            said.Append(Encoding.UTF8.GetString(piece.Span));
        Assert.Equal("first\nsecond\ncut\nlast\n", said.ToString());

        // Each look comes before a read.
        bool IsGrowing()
        {
            switch (looks++)
            {
                case 1: File.AppendAllText(Log, "first\n"); break;
                case 2: File.AppendAllText(Log, "second\n"); break;
                case 3: File.WriteAllText(Log, "cut\n"); break;
                case 4: File.AppendAllText(Log, "last\n"); break;
            }

            return looks < 5;
        }
    }

    private async Task<string> ReadAsync(int lines)
    {
        var said = new StringBuilder();
        await foreach (var piece in LogTail.ReadAsync(Log, lines, isGrowing: null, TimeProvider.System, Token))
            said.Append(Encoding.UTF8.GetString(piece.Span));
        return said.ToString();
    }
}
