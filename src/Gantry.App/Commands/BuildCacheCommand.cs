using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using Gantry.App.Output;
using Gantry.Imaging.Cache;
using Gantry.Model;

namespace Gantry.App.Commands;

/// <summary><c>gantry build cache list|prune</c>: the steps that builds keep.</summary>
internal static class BuildCacheCommand
{
    private const int KeyShown = 12;

    public static Command Build(CommandContext context) =>
        new("cache", "List and remove the steps that builds keep") { List(context), Prune(context) };

    private static Command List(CommandContext context)
    {
        var command = new Command("list", "List kept steps, the least recently used first");
        var output = OutputOption.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            await using var node = await context.OpenNodeAsync(repair: false, cancellationToken);
            var layers = await node.Layers.ListAsync(cancellationToken);
            var rows = layers.OrderBy(layer => layer.LastUsed).Select(ViewOf).ToList();
            context.Output.Write(
                new Rendered<List<LayerView>>(rows, () => LayerViewJson.Default.ListLayerView, Table), output.Of(parse));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Prune(CommandContext context)
    {
        var all = new Option<bool>("--all") { Description = "Remove every kept step" };
        var limit = new CacheLimit();
        var command = new Command("prune", "Remove the least recently used steps until the rest fit the limit") { all };
        limit.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            var most = parse.GetValue(all) ? 0 : limit.Of(context, parse);
            await using var node = await context.OpenNodeAsync(repair: true, cancellationToken);
            await node.SweepAsync(cancellationToken);
            var removed = await node.Layers.EvictAsync(most, new HashSet<string>(), cancellationToken);
            var left = (await node.Layers.ListAsync(cancellationToken)).Sum(layer => layer.Bytes);
            context.Terminal.Out.Write(
                $"removed {removed.Length} kept steps ({Quantities.Bytes(removed.Sum(layer => layer.Bytes))}); "
                + $"{Quantities.Bytes(left)} are left\n");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static LayerView ViewOf(LayerRecord layer) => new()
    {
        Key = layer.Key,
        Build = layer.Build,
        Step = layer.Label,
        Bytes = layer.Bytes,
        Memory = layer.HasMemory,
        Created = layer.Created,
        LastUsed = layer.LastUsed,
    };

    private static TextTable Table(List<LayerView> layers)
    {
        var table = new TextTable(
            new Column("key"), new Column("build"), new Column("step"), new Column("size", Right: true),
            new Column("created"), new Column("last used"));
        foreach (var one in layers)
        {
            table.Add(
                one.Key[..Math.Min(KeyShown, one.Key.Length)], one.Build, one.Step, Quantities.Bytes(one.Bytes),
                Time(one.Created), Time(one.LastUsed));
        }

        return table;
    }

    private static string Time(DateTimeOffset time) =>
        time.LocalDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}

internal sealed record LayerView
{
    public required string Key { get; init; }

    public required string Build { get; init; }

    public required string Step { get; init; }

    public required long Bytes { get; init; }

    public required bool Memory { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required DateTimeOffset LastUsed { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<LayerView>))]
internal sealed partial class LayerViewJson : JsonSerializerContext;
