using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>Base64, character sets, URLs, digests.</summary>
internal static class EncodingFunctions
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    public static IEnumerable<HclFunction> All =>
    [
        Map("base64encode", text => System.Convert.ToBase64String(Encoding.UTF8.GetBytes(text))),
        Map("base64decode", text => FromUtf8(FromBase64(text))),
        Map("base64gzip", text => System.Convert.ToBase64String(Gzip(Encoding.UTF8.GetBytes(text)))),
        Map("urlencode", UrlEncode),
        // Digests here name content, as templates ask for them; they guard nothing.
#pragma warning disable CA5350, CA5351
        Digest("md5", MD5.HashData),
        Digest("sha1", SHA1.HashData),
#pragma warning restore CA5350, CA5351
        Digest("sha256", SHA256.HashData),
        Digest("sha512", SHA512.HashData),
        Function("textencodebase64", Text, TextEncode, Of("string", Text), Of("encoding", Text)),
        Function("textdecodebase64", Text, TextDecode, Of("source", Text), Of("encoding", Text)),
    ];

    /// <summary>Bytes as text, refused where they are not UTF-8.</summary>
    public static string FromUtf8(byte[] bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new HclException(0, "the content is not valid UTF-8");
        }
    }

    private static HclFunction Map(string name, Func<string, string> body) =>
        Function(name, Text, call => body(call.Text(0)).ToValue(), Of("str", Text));

    private static HclFunction Digest(string name, Func<byte[], byte[]> hash) =>
        Map(name, text => System.Convert.ToHexStringLower(hash(Encoding.UTF8.GetBytes(text))));

    private static byte[] FromBase64(string text)
    {
        try
        {
            return System.Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw new HclException(0, "this is not valid base64");
        }
    }

    private static byte[] Gzip(byte[] bytes)
    {
        var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return result.ToArray();
    }

    // As in the query of a URL: a space is a plus sign.
    private static string UrlEncode(string text)
    {
        var result = new StringBuilder();
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~')
                result.Append((char)b);
            else
                _ = b == ' ' ? result.Append('+') : result.Append($"%{b:X2}");
        }
        return result.ToString();
    }

    private static Encoding Find(FunctionCall call)
    {
        var name = call.Text(1);
        try
        {
            return (Encoding)(CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name)).Clone();
        }
        catch (ArgumentException)
        {
            throw new HclException(1, $"{ValueText.Quote(name)} is no character set that is known here");
        }
    }

    private static HclValue TextEncode(FunctionCall call)
    {
        var encoding = Find(call);
        encoding.EncoderFallback = EncoderFallback.ExceptionFallback;
        try
        {
            return System.Convert.ToBase64String(encoding.GetBytes(call.Text(0))).ToValue();
        }
        catch (EncoderFallbackException)
        {
            throw new HclException(
                0, $"the given string contains characters that cannot be represented in {call.Text(1)}");
        }
    }

    private static HclValue TextDecode(FunctionCall call)
    {
        var encoding = Find(call);
        encoding.DecoderFallback = DecoderFallback.ExceptionFallback;
        try
        {
            return encoding.GetString(FromBase64(call.Text(0))).ToValue();
        }
        catch (DecoderFallbackException)
        {
            throw new HclException(0, $"the text has characters that can not be written in {call.Text(1)}");
        }
    }
}
