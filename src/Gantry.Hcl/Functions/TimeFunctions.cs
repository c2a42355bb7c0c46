using System.Globalization;
using Gantry.Hcl.Values;
using static Gantry.Hcl.Functions.Define;

namespace Gantry.Hcl.Functions;

/// <summary>Times.</summary>
internal static class TimeFunctions
{
    public static IEnumerable<HclFunction> All(FunctionServices services)
    {
        // The functions for legacy templates give one time for a whole run.
        var started = services.Clock.GetUtcNow();
        return
        [
            Function("timestamp", Text, _ => TimeFormats.Rfc3339(services.Clock.GetUtcNow()).ToValue()),
            Function("timeadd", Text, Add, Of("timestamp", Text), Of("duration", Text)),
            Function(
                "formatdate",
                Text,
                call => TimeFormats.Hcl(call.Text(0), TimeFormats.ParseRfc3339(call.Text(1), 1)).ToValue(),
                Of("format", Text),
                Of("time", Text)),
            Variadic("legacy_isotime", Text, Of("format", Text), call => Legacy(call, started, TimeFormats.Go)),
            Variadic("legacy_strftime", Text, Of("format", Text), call => Legacy(call, started, TimeFormats.Strftime)),
            Function(
                "rfc3339_parse",
                Any,
                call => Parts(TimeFormats.ParseRfc3339(call.Text(0), 0), withUnix: true),
                Of("timestamp", Text)),
            Function("unix_timestamp_parse", Any, ParseUnix, Of("unix_timestamp", Number)),
        ];
    }

    private static HclValue Add(FunctionCall call)
    {
        var time = TimeFormats.ParseRfc3339(call.Text(0), 0);
        if (!GoDuration.TryParse(call.Text(1), out var duration))
            throw new HclException(
                1, $"{ValueText.Quote(call.Text(1))} is not a duration; write it like \"1h30m\" or \"-90s\"");
        try
        {
            return TimeFormats.Rfc3339(time + duration).ToValue();
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new HclException("the resulting time is outside the years 1 to 9999");
        }
    }

    private static HclValue Legacy(
        FunctionCall call, DateTimeOffset started, Func<string, DateTimeOffset, string> write)
    {
        if (call.Arguments.Length > 1)
            throw new HclException("timestamp takes one argument at most");
        return (call.Arguments.IsEmpty ? TimeFormats.Rfc3339(started) : write(call.Text(0), started)).ToValue();
    }

    private static HclValue ParseUnix(FunctionCall call)
    {
        // The years 1 to 9999.
        if (!call[0].AsNumber().TryToInt64(out var seconds) || seconds is < -62_135_596_800 or > 253_402_300_799)
            throw new HclException(0, "a whole number of seconds within the years 1 to 9999 is required");
        return Parts(DateTimeOffset.FromUnixTimeSeconds(seconds), withUnix: false);
    }

    private static HclValue Parts(DateTimeOffset time, bool withUnix)
    {
        var parts = new Dictionary<string, HclValue>
        {
            ["year"] = HclValue.Number(time.Year),
            ["year_day"] = HclValue.Number(time.DayOfYear),
            ["day"] = HclValue.Number(time.Day),
            ["month"] = HclValue.Number(time.Month),
            ["month_name"] = time.ToString("MMMM", CultureInfo.InvariantCulture).ToValue(),
            ["weekday"] = HclValue.Number((int)time.DayOfWeek),
            ["weekday_name"] = time.DayOfWeek.ToString().ToValue(),
            ["hour"] = HclValue.Number(time.Hour),
            ["minute"] = HclValue.Number(time.Minute),
            ["second"] = HclValue.Number(time.Second),
            ["iso_year"] = HclValue.Number(ISOWeek.GetYear(time.DateTime)),
            ["iso_week"] = HclValue.Number(ISOWeek.GetWeekOfYear(time.DateTime)),
        };
        if (withUnix)
            parts["unix"] = HclValue.Number(time.ToUnixTimeSeconds());
        else
            parts["rfc3339"] = TimeFormats.Rfc3339(time).ToValue();
        return HclValue.Object(parts);
    }
}
