using System.Collections.Immutable;
using System.Text.Json;

namespace Gantry.Steps.Journals;

/// <summary>Lines of JSON, each ended by a line feed.</summary>
internal static class JournalLines
{
    public static byte[] Write(JournalRecord record)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(record, JournalJson.Default.JournalRecord);
        Array.Resize(ref json, json.Length + 1);
        json[^1] = (byte)'\n';
        return json;
    }

    /// <summary>Reads all whole lines.</summary>
    /// <param name="bytes">A journal's file, perhaps of a process that was killed while it wrote.</param>
    /// <param name="path">For the error.</param>
    /// <param name="length">
    /// How many bytes the lines take. What follows is the beginning of a line that was never acknowledged.
    /// </param>
    /// <exception cref="JournalException">A line before the last is not one of ours.</exception>
    public static ImmutableArray<JournalRecord> Read(ReadOnlySpan<byte> bytes, string path, out int length)
    {
        var records = ImmutableArray.CreateBuilder<JournalRecord>();
        length = 0;
        while (bytes[length..].IndexOf((byte)'\n') is >= 0 and var end)
        {
            var line = bytes.Slice(length, end);
            try
            {
                records.Add(JsonSerializer.Deserialize(line, JournalJson.Default.JournalRecord)
                    ?? throw new JsonException("The line is null."));
            }
            catch (JsonException) when (bytes[(length + end + 1)..].IndexOf((byte)'\n') < 0)
            {
                // A power failure can leave the end of a line on the disk without its beginning.
                break;
            }
            catch (Exception e) when (e is JsonException or NotSupportedException)
            {
                throw new JournalException(
                    $"Line {records.Count + 1} of the journal '{path}' is damaged: {e.Message} Look into it with an "
                    + "editor; if what it names is in order, remove the folder.",
                    e);
            }

            length += end + 1;
        }

        return records.ToImmutable();
    }
}
