using System.Text.Json;

namespace Gantry.Model.Machines;

/// <summary>What a list shows of a machine's record.</summary>
public sealed record MachineOutline
{
    public required MachineNumber Number { get; init; }

    public required Guid Uuid { get; init; }

    public required string Name { get; init; }

    public required Isa Isa { get; init; }

    public required int Cpus { get; init; }

    public required int MemoryMiB { get; init; }

    /// <summary>Those that it is to have, of all its network cards.</summary>
    public required ValueList<PublishedPort> Ports { get; init; }

    /// <summary>The name, at that time, of the template that it was made from; null when made from none.</summary>
    public required string? Template { get; init; }

    /// <summary>The outline of a record as <see cref="ModelJson"/> writes it.</summary>
    /// <param name="reader">At the beginning of the record's object; afterwards at its end.</param>
    /// <exception cref="JsonException">It is no such record.</exception>
    /// <exception cref="InvalidOperationException">A member has another type.</exception>
    /// <exception cref="FormatException">A number or UUID can't be read.</exception>
    public static MachineOutline Read(ref Utf8JsonReader reader)
    {
        int? number = null;
        Guid? uuid = null;
        Spec? spec = null;
        string? template = null;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("number"u8))
                number = Value(ref reader).GetInt32();
            else if (reader.ValueTextEquals("uuid"u8))
                uuid = Value(ref reader).GetGuid();
            else if (reader.ValueTextEquals("spec"u8))
                spec = ReadSpec(ref reader);
            else if (reader.ValueTextEquals("provenance"u8))
                template = ReadTemplate(ref reader);
            else
                reader.Skip();
        }

        return number is null || uuid is null || spec?.Name is null
            ? throw new JsonException("a machine's number, uuid or name is missing")
            : new MachineOutline
            {
                Number = new MachineNumber(number.Value),
                Uuid = uuid.Value,
                Name = spec.Name,
                Isa = spec.Isa,
                Cpus = spec.Cpus,
                MemoryMiB = spec.MemoryMiB,
                Ports = spec.Ports.ToValueList(),
                Template = template,
            };
    }

    private static Spec ReadSpec(ref Utf8JsonReader reader)
    {
        var spec = new Spec();
        BeginObject(ref reader);
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("name"u8))
                spec.Name = Value(ref reader).GetString();
            else if (reader.ValueTextEquals("isa"u8))
                spec.Isa = ReadIsa(ref reader);
            else if (reader.ValueTextEquals("cpu"u8))
                ReadCpus(ref reader, spec);
            else if (reader.ValueTextEquals("memoryMiB"u8))
                spec.MemoryMiB = Value(ref reader).GetInt32();
            else if (reader.ValueTextEquals("networkCards"u8))
                ReadNetworkCards(ref reader, spec.Ports);
            else
                reader.Skip();
        }

        return spec;
    }

    private static Isa ReadIsa(ref Utf8JsonReader reader)
    {
        var name = Value(ref reader).GetString() ?? "";
        return IsaNames.TryParse(name, out var isa) ? isa : throw new JsonException($"there is no ISA {name}");
    }

    private static void ReadCpus(ref Utf8JsonReader reader, Spec spec)
    {
        BeginObject(ref reader);
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("count"u8))
                spec.Cpus = Value(ref reader).GetInt32();
            else
                reader.Skip();
        }
    }

    private static void ReadNetworkCards(ref Utf8JsonReader reader, List<PublishedPort> ports)
    {
        BeginArray(ref reader);
        while (NextItem(ref reader))
        {
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("published"u8))
                    ReadPorts(ref reader, ports);
                else
                    reader.Skip();
            }
        }
    }

    private static void ReadPorts(ref Utf8JsonReader reader, List<PublishedPort> ports)
    {
        BeginArray(ref reader);
        while (NextItem(ref reader))
        {
            var port = new PublishedPort { HostPort = 0, GuestPort = 0 };
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("address"u8))
                    port = port with { Address = Value(ref reader).GetString()! };
                else if (reader.ValueTextEquals("hostPort"u8))
                    port = port with { HostPort = Value(ref reader).GetInt32() };
                else if (reader.ValueTextEquals("guestPort"u8))
                    port = port with { GuestPort = Value(ref reader).GetInt32() };
                else if (reader.ValueTextEquals("udp"u8))
                    port = port with { Udp = Value(ref reader).GetBoolean() };
                else
                    reader.Skip();
            }

            ports.Add(port);
        }
    }

    // The last template of the chain.
    private static string? ReadTemplate(ref Utf8JsonReader reader)
    {
        string? template = null;
        BeginObject(ref reader);
        while (NextMember(ref reader))
        {
            if (!reader.ValueTextEquals("chain"u8))
            {
                reader.Skip();
                continue;
            }

            BeginArray(ref reader);
            while (NextItem(ref reader))
            {
                var isTemplate = false;
                string? name = null;
                while (NextMember(ref reader))
                {
                    if (reader.ValueTextEquals("kind"u8))
                        isTemplate = Value(ref reader).ValueTextEquals("template"u8);
                    else if (reader.ValueTextEquals("name"u8))
                        name = Value(ref reader).GetString();
                    else
                        reader.Skip();
                }

                if (isTemplate)
                    template = name;
            }
        }

        return template;
    }

    private static ref Utf8JsonReader Value(ref Utf8JsonReader reader)
    {
        reader.Read();
        return ref reader;
    }

    private static void BeginObject(ref Utf8JsonReader reader) => Begin(ref reader, JsonTokenType.StartObject);

    private static void BeginArray(ref Utf8JsonReader reader) => Begin(ref reader, JsonTokenType.StartArray);

    private static void Begin(ref Utf8JsonReader reader, JsonTokenType type)
    {
        reader.Read();
        if (reader.TokenType != type)
            throw new JsonException($"expected {type}, found {reader.TokenType}");
    }

    /// <summary>Goes to the next member's name; false at the object's end.</summary>
    private static bool NextMember(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.PropertyName => true,
            JsonTokenType.EndObject => false,
            var other => throw new JsonException($"expected a member, found {other}"),
        };
    }

    /// <summary>Goes to the beginning of an array's next object; false at the array's end.</summary>
    private static bool NextItem(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.StartObject => true,
            JsonTokenType.EndArray => false,
            var other => throw new JsonException($"expected an object, found {other}"),
        };
    }

    private sealed class Spec
    {
        public string? Name { get; set; }

        public Isa Isa { get; set; }

        public int Cpus { get; set; }

        public int MemoryMiB { get; set; }

        public List<PublishedPort> Ports { get; } = [];
    }
}
