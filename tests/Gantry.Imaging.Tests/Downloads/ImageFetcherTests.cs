using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Gantry.Imaging.Downloads;
using Gantry.Model;

namespace Gantry.Imaging.Tests.Downloads;

public sealed class ImageFetcherTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-fetch-").FullName;
    private readonly HttpClient _http = ImageFetcher.CreateClient();
    private readonly byte[] _content = new byte[700_000];

    public ImageFetcherTests() => new Random(7).NextBytes(_content);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Sha256 => Convert.ToHexStringLower(SHA256.HashData(_content));

    public void Dispose()
    {
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("HEX")]
    [InlineData("sha256:HEX")]
    [InlineData("file:SUMS")]
    [InlineData("md5:MD5")]
    public async Task Local_File_IsUsedInPlace(string checksum)
    {
        await File.WriteAllBytesAsync($"{_folder}/mini.iso", _content, Token);
        await File.WriteAllTextAsync($"{_folder}/SUMS", $"{new string('0', 64)}  other.iso\n{Sha256} *./mini.iso\n", Token);
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        md5.AppendData(_content);
        var text = checksum.Replace("HEX", Sha256, StringComparison.Ordinal)
            .Replace("MD5", Convert.ToHexStringLower(md5.GetHashAndReset()), StringComparison.Ordinal);
        var image = await FetchAsync(text, "mini.iso");
        Assert.Equal($"{_folder}/mini.iso", image.Path);
        Assert.Equal(Sha256, image.Sha256);
        Assert.True(image.WasPresent);
    }

    [Fact]
    public async Task Local_FileUrl_IsUsedInPlace()
    {
        await File.WriteAllBytesAsync($"{_folder}/a b.iso", _content, Token);
        Assert.Equal($"{_folder}/a b.iso", (await FetchAsync("none", $"file://{_folder}/a%20b.iso")).Path);
        Assert.Equal($"{_folder}/a b.iso", (await FetchAsync("none", "file://a%20b.iso")).Path);
    }

    [Fact]
    public async Task Local_SecondTime_IsNotReadAgain_UnlessChanged()
    {
        var path = $"{_folder}/mini.iso";
        await File.WriteAllBytesAsync(path, _content, Token);
        File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var first = new RecordingProgress();
        await FetchAsync(Sha256, path, first);
        Assert.Contains("Verifying mini.iso", first.Activities);
        var second = new RecordingProgress();
        await FetchAsync(Sha256, path, second);
        Assert.Empty(second.Activities);
        await File.WriteAllBytesAsync(path, _content[1..], Token);
        var problem = await FailAsync(Sha256, path);
        Assert.Contains("wrong checksum", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Local_Missing_OrFolder_SaysSo()
    {
        Assert.Contains("there is no image", (await FailAsync("none", "nothing.iso")).Summary, StringComparison.Ordinal);
        Assert.Contains("is a folder", (await FailAsync("none", _folder)).Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Local_WrongChecksum_ShowsBoth()
    {
        await File.WriteAllBytesAsync($"{_folder}/mini.iso", _content, Token);
        var wrong = new string('a', 64);
        var problem = await FailAsync(wrong, "mini.iso");
        Assert.Contains($"expected sha256:{wrong}, found sha256:{Sha256}", problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Local_InspectorFindsDamage_IsTold()
    {
        await File.WriteAllBytesAsync($"{_folder}/mini.iso", _content, Token);
        var e = await Assert.ThrowsAsync<ProblemException>(() => Fetcher().FetchAsync(
            Request("none", "mini.iso") with { Inspect = (_, _) => ValueTask.FromResult<string?>("it is cut short") },
            NoProgress.Instance, Token));
        Assert.Contains("is damaged: it is cut short", e.Problem.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Remote_IsDownloadedOnce_AndCached()
    {
        await using var server = new FileServer { Content = _content };
        var progress = new RecordingProgress();
        var first = await FetchAsync(Sha256, server.Url("mini.iso"), progress);
        Assert.False(first.WasPresent);
        Assert.Equal(_content, await File.ReadAllBytesAsync(first.Path, Token));
        Assert.StartsWith($"{_folder}/cache/sha256-{Sha256}.iso", first.Path, StringComparison.Ordinal);
        Assert.Contains((_content.Length, (long?)_content.Length), progress.Amounts);
        var second = await FetchAsync(Sha256, server.Url("mini.iso"));
        Assert.True(second.WasPresent);
        Assert.Single(server.Requests);
        Assert.Empty(Directory.GetFiles($"{_folder}/cache", "*.part*"));
    }

    [Fact]
    public async Task Remote_TwoAtOnce_DownloadOnce()
    {
        await using var server = new FileServer { Content = _content, Pause = TimeSpan.FromMilliseconds(100) };
        var images = await Task.WhenAll(
            Fetcher().FetchAsync(Request(Sha256, server.Url("mini.iso")), NoProgress.Instance, Token),
            Fetcher().FetchAsync(Request(Sha256, server.Url("mini.iso")), NoProgress.Instance, Token));
        Assert.Equal(images[0].Path, images[1].Path);
        Assert.Single(server.Requests);
        Assert.Single(images, image => image.WasPresent);
    }

    [Fact]
    public async Task Remote_ConnectionBreaks_GoesOnWhereItStopped()
    {
        await using var server = new FileServer { Content = _content, BreakAfter = 300_000 };
        var image = await FetchAsync(Sha256, server.Url("mini.iso"));
        Assert.Equal(Sha256, image.Sha256);
        Assert.True(server.Requests.Count >= 2);
        Assert.All(server.Requests.Skip(1), head =>
        {
            Assert.Contains("Range: bytes=", head, StringComparison.Ordinal);
            Assert.Contains("If-Range: \"v1\"", head, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Remote_ChangedBetweenTries_StartsAnew()
    {
        await using var server = new FileServer { Content = new byte[_content.Length], ETag = "v0", BreakAfter = 300_000 };
        server.OnBreak = () =>
        {
            server.Content = _content;
            server.ETag = "v1";
        };
        Assert.Equal(Sha256, (await FetchAsync(Sha256, server.Url("mini.iso"))).Sha256);
    }

    [Fact]
    public async Task Remote_WrongChecksum_LeavesNothing()
    {
        await using var server = new FileServer { Content = _content };
        var problem = await FailAsync(new string('b', 64), server.Url("mini.iso"));
        Assert.Contains("wrong checksum", problem.Summary, StringComparison.Ordinal);
        Assert.All(Directory.GetFiles($"{_folder}/cache"), f => Assert.EndsWith(".lock", f, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Remote_CachedCopyDamaged_IsFetchedAgain()
    {
        await using var server = new FileServer { Content = _content };
        var first = await FetchAsync(Sha256, server.Url("mini.iso"));
        await File.WriteAllBytesAsync(first.Path, [1, 2, 3], Token);
        Assert.Equal(_content.Length, (await FetchAsync(Sha256, server.Url("mini.iso"))).Size);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Remote_SeveralPlaces_TriesEach_AndNamesEachFailure()
    {
        await using var server = new FileServer { Content = _content };
        var gone = $"http://127.0.0.1:{server.Port}/missing.iso";
        var e = await Assert.ThrowsAsync<ProblemException>(() => Fetcher().FetchAsync(
            Request(Sha256, gone, "nothing.iso"), NoProgress.Instance, Token));
        var image = await FetchAsync(Sha256, [gone, "nothing.iso", server.Url("mini.iso")]);
        Assert.Equal(server.Url("mini.iso"), image.Source);
        Assert.Equal("none of 2 places gave the image", e.Problem.Summary);
        Assert.Contains("404 Not Found", e.Problem.Detail, StringComparison.Ordinal);
        Assert.Contains("there is no image", e.Problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Remote_ChecksumList_IsFetchedToo()
    {
        await using var server = new FileServer { Content = _content };
        server.Lists["SHA256SUMS"] = $"SHA256 (mini.iso) = {Sha256}\n";
        Assert.Equal(Sha256, (await FetchAsync($"file:{server.Url("SHA256SUMS")}", server.Url("mini.iso"))).Sha256);
        server.Lists["HUGE"] = new string('x', 5_000_000);
        Assert.Contains("too many for a list", (await FailAsync($"file:{server.Url("HUGE")}", server.Url("mini.iso"))).Summary, StringComparison.Ordinal);
        server.Lists["OTHER"] = $"{Sha256}  other.iso\n{Sha256}  another.iso\n";
        Assert.Contains("does not name mini.iso", (await FailAsync($"file:{server.Url("OTHER")}", server.Url("mini.iso"))).Summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sha256:abc")]
    [InlineData("nonsense")]
    [InlineData("md5:0000000000000000000000000000000000000000")]
    [InlineData("")]
    public async Task Checksum_ThatIsNone_IsInvalidInput(string checksum)
    {
        await File.WriteAllBytesAsync($"{_folder}/mini.iso", _content, Token);
        Assert.Contains("is no checksum", (await FailAsync(checksum, "mini.iso")).Summary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scheme_Unknown_IsInvalidInput() =>
        Assert.Contains("no place that an image", (await FailAsync("none", "ftp://x/y.iso")).Summary, StringComparison.Ordinal);

    [Theory]
    [InlineData("HEX  mini.iso")]
    [InlineData("HEX *mini.iso")]
    [InlineData("HEX\tmini.iso")]
    [InlineData("HEX  ./images/mini.iso")]
    [InlineData("SHA256 (mini.iso) = HEX")]
    [InlineData("HEX")]
    [InlineData("# a comment\n\nSHA256(images/mini.iso)= HEX\r\n")]
    public void List_EachForm_IsRead(string list)
    {
        var found = ImageChecksum.Find(list.Replace("HEX", new string('c', 64), StringComparison.Ordinal), "mini.iso");
        Assert.Equal(new ImageChecksum("sha256", new string('c', 64)), found);
    }

    [Fact]
    public void List_SeveralAlgorithms_TheStrongestWins()
    {
        var list = $"MD5 (m.iso) = {new string('1', 32)}\nSHA512 (m.iso) = {new string('2', 128)}\nSHA1 (m.iso) = {new string('3', 40)}\n";
        Assert.Equal("sha512", ImageChecksum.Find(list, "m.iso")!.Algorithm);
        Assert.Null(ImageChecksum.Find(list, "other.iso"));
    }

    private ImageFetcher Fetcher() => new($"{_folder}/cache", _http, TimeProvider.System);

    private ImageRequest Request(string checksum, params string[] urls) =>
        new() { Urls = [.. urls], Checksum = checksum, BaseFolder = _folder };

    private Task<FetchedImage> FetchAsync(string checksum, string url, IProgressSink? progress = null) =>
        Fetcher().FetchAsync(Request(checksum, url), progress ?? NoProgress.Instance, Token);

    private Task<FetchedImage> FetchAsync(string checksum, string[] urls) =>
        Fetcher().FetchAsync(Request(checksum, urls), NoProgress.Instance, Token);

    private async Task<Problem> FailAsync(string checksum, string url) =>
        (await Assert.ThrowsAsync<ProblemException>(() => FetchAsync(checksum, url))).Problem;

    private sealed class RecordingProgress : IProgressSink
    {
        public ConcurrentQueue<string> Activities { get; } = [];

        public ConcurrentQueue<(long Done, long? Total)> Amounts { get; } = [];

        public void Activity(string what) => Activities.Enqueue(what);

        public void Amount(long done, long? total, string unit) => Amounts.Enqueue((done, total));

        public void GuestLine(string line)
        {
        }

        public void Note(string line)
        {
        }
    }
}
