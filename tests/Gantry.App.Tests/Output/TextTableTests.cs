using Gantry.App.Output;

namespace Gantry.App.Tests.Output;

public sealed class TextTableTests
{
    [Fact]
    public void Table_AlignsColumns_UnderUpperCaseHeadings() =>
        Assert.Equal(
            """
            NUMBER  NAME         STATE
               100  web          running
              1204  brisk-otter  -

            """,
            Write(width: null, ("100", "web", "running"), ("1204", "brisk-otter", "")));

    [Fact]
    public void Table_TooWide_CutsTheWidestColumn()
    {
        var text = Write(width: 30, ("100", "a-name-that-is-much-too-long-for-this", "running"));
        Assert.All(text.Split('\n'), line => Assert.InRange(line.Length, 0, 30));
        Assert.Contains("a-name-that-~", text, StringComparison.Ordinal);
        Assert.Contains("running", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Cell_WithControlCharacters_CannotMoveTheCursor() =>
        Assert.DoesNotContain('\e', Write(width: null, ("1", "\e[2Jboo", "x")));

    [Fact]
    public void Fields_OfSeveralLines_StandUnderEachOther()
    {
        var writer = new StringWriter();
        new FieldList { { "name", "web" }, { "published", "8080\n8443" } }.WriteTo(writer, width: 10);
        Assert.Equal("name:       web\npublished:  8080\n            8443\n", writer.ToString());
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(120 * 1048576.0, "120 MiB")]
    [InlineData(1023.9 * 1048576, "1 GiB")]
    public void Bytes_HaveBinaryUnits(double bytes, string expected) => Assert.Equal(expected, Quantities.Bytes(bytes));

    [Theory]
    [InlineData(0.04, "0.0 s")]
    [InlineData(9.94, "9.9 s")]
    [InlineData(9.96, "10 s")]
    [InlineData(59.6, "1 min 00 s")]
    [InlineData(185, "3 min 05 s")]
    [InlineData(7805, "2 h 10 min")]
    public void Duration_IsShort(double seconds, string expected) =>
        Assert.Equal(expected, Quantities.Duration(TimeSpan.FromSeconds(seconds)));

    private static string Write(int? width, params (string Number, string Name, string State)[] rows)
    {
        var table = new TextTable(new Column("number", Right: true), new Column("name"), new Column("state"));
        foreach (var (number, name, state) in rows)
            table.Add(number, name, state);
        var writer = new StringWriter();
        table.WriteTo(writer, width);
        return writer.ToString();
    }
}
