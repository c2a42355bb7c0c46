using CsCheck;
using Gantry.Machines.Guest;

namespace Gantry.Machines.Tests.Guest;

public sealed class SecretsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Crypt_KnownPassword_HasItsKnownHash() => Assert.Equal(
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        Sha512Crypt.Hash("Hello world!", "saltstring"));

    [Theory]
    [InlineData("x")]
    [InlineData("rezowifix")]
    [InlineData("pässwörd ☃")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789")]
    public async Task Crypt_AnyPassword_IsWhatOpensslSays(string password)
    {
        foreach (var salt in new[] { "a", "saltsalt", "sixteen.chars/16", "more than sixteen characters" })
        {
            var expected = await SshServer.RunAsync("openssl", "passwd", "-6", "-salt", salt, password);
            Assert.Equal(expected.Trim(), Sha512Crypt.Hash(password, salt));
        }
    }

    [Fact]
    public void Crypt_NewSalt_DiffersEachTime()
    {
        var first = Sha512Crypt.Hash("x");
        Assert.NotEqual(first, Sha512Crypt.Hash("x"));
        Assert.Matches(@"^\$6\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}$", first);
        Assert.Equal(first, Sha512Crypt.Hash("x", first.Split('$')[2]));
        Assert.Throws<ArgumentException>(() => Sha512Crypt.Hash("x", "a$b"));
    }

    [Fact]
    public async Task KeyPair_IsReadByOpenSsh_AndOnlyByItsOwner()
    {
        var folder = Directory.CreateTempSubdirectory("gantry-key-").FullName;
        var pair = SshKeyPair.Generate("build of mini");
        await pair.WritePrivateKeyAsync($"{folder}/key", Token);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{folder}/key"));
        Assert.Equal(pair.PublicKey, (await SshServer.RunAsync("ssh-keygen", "-y", "-f", $"{folder}/key")).Trim());
        Assert.EndsWith(" build of mini", pair.PublicKey, StringComparison.Ordinal);
        Assert.NotEqual(pair.PublicKey, SshKeyPair.Generate("build of mini").PublicKey);
        await Assert.ThrowsAsync<IOException>(() => pair.WritePrivateKeyAsync($"{folder}/key", Token));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Lines_HoweverCut_AreTheSame() =>
        Gen.Select(Gen.Int[0, 7].Select(i => new[] { "a", "é", "☃", "😀", "\r", "\n", "\r\n", "long line " }[i]).Array[0, 60], Gen.Int[1, 7].Array[1, 40]).Sample((parts, cuts) =>
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(string.Concat(parts));
            Assert.Equal(Split(bytes, [bytes.Length + 1]), Split(bytes, cuts));
        });

    [Fact]
    public void Lines_TooLong_ComeInPiecesWithoutBrokenCharacters()
    {
        var lines = new List<string>();
        var splitter = new LineSplitter(lines.Add, maxLength: 3);
        splitter.Write("ab😀cdef"u8);
        splitter.Finish();
        Assert.Equal("ab😀cdef", string.Concat(lines));
        Assert.All(lines, line => Assert.False(char.IsLowSurrogate(line[0])));
        Assert.All(lines, line => Assert.InRange(line.Length, 1, 4));
    }

    [Theory]
    [InlineData("plain-word/1.0", "plain-word/1.0")]
    [InlineData("", "''")]
    [InlineData("a b", "'a b'")]
    [InlineData("it's", "'it'\\''s'")]
    public void Quote_Word_IsOneWord(string word, string expected) => Assert.Equal(expected, ShellText.Quote(word));

    private static List<string> Split(byte[] bytes, int[] cuts)
    {
        var lines = new List<string>();
        var splitter = new LineSplitter(lines.Add);
        for (var (at, i) = (0, 0); at < bytes.Length; i++)
        {
            var count = Math.Min(cuts[i % cuts.Length], bytes.Length - at);
            splitter.Write(bytes.AsSpan(at, count));
            at += count;
        }

        splitter.Finish();
        return lines;
    }
}
