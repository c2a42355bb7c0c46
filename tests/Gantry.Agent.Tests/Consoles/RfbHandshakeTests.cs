using Gantry.Agent.Consoles;

namespace Gantry.Agent.Tests.Consoles;

public sealed class RfbHandshakeTests
{
    /// <summary>A viewer of 3.8: its version, no password, alone; then a first request of ten bytes.</summary>
    private static readonly byte[] Alone =
        [.. "RFB 003.008\n"u8, 1, 0, 3, 0, 0, 0, 0, 0, 0, 1, 0, 1];

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(13)]
    [InlineData(100)]
    public void Viewer_ThatWantsToBeAlone_SharesInWhateverPiecesItSays(int piece)
    {
        var wanted = (byte[])[.. Alone];
        wanted[13] = 1;
        Assert.Equal(wanted, Pass(Alone, piece));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public void ViewerOf33_HasNoByteForSecurity(int piece)
    {
        byte[] said = [.. "RFB 003.003\n"u8, 0, 0, 0, 0];
        Assert.Equal<byte>([.. "RFB 003.003\n"u8, 1, 0, 0, 0], Pass(said, piece));
    }

    private static List<byte> Pass(byte[] said, int piece)
    {
        var handshake = new RfbHandshake();
        var sent = new List<byte>();
        foreach (var part in said.Chunk(piece))
            sent.AddRange(handshake.Pass(part).Span);
        return sent;
    }
}
