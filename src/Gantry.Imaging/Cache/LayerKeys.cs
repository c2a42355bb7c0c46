using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Gantry.Imaging.Definitions;
using Gantry.Model;

namespace Gantry.Imaging.Cache;

/// <summary>The key of a layer that a step would make.</summary>
/// <param name="Label">The step, for people.</param>
/// <param name="Key">The layer's key.</param>
/// <param name="Cacheable">False from the first step on whose effect is not known from its inputs.</param>
/// <param name="UsesNetwork">The step, or the installation, reaches for the network by its own declaration.</param>
public sealed record LayerKey(string Label, string Key, bool Cacheable, bool UsesNetwork);

/// <summary>Computes the keys of a build's layers, without running anything.</summary>
public static class LayerKeys
{
    /// <summary>The keys in order: the installation's first, then one for each provisioner.</summary>
    public static async Task<ImmutableArray<LayerKey>> ComputeAsync(
        MachineInputs machine, BuildDefinition definition, IEntropy entropy, CancellationToken cancellationToken)
    {
        var keys = ImmutableArray.CreateBuilder<LayerKey>();
        var parent = new LayerInputs { Machine = machine }.Key();
        var cacheable = true;
        keys.Add(new LayerKey("installation", parent, cacheable, definition.Source.UsesNetwork));
        foreach (var provisioner in definition.Provisioners)
        {
            var options = provisioner.Options(BuildVariables.Placeholders);
            cacheable &= IsCacheable(options);
            var step = new StepInputs
            {
                Type = provisioner.Type,
                BuildName = options is ProvisionerOptions.Shell or ProvisionerOptions.ShellLocal ? definition.Source.Name : "",
                Options = JsonSerializer.Serialize(WithoutPlaces(options, definition.Folder), LayerJson.Default.ProvisionerOptions),
                Files = await FilesOfAsync(options, cancellationToken).ConfigureAwait(false),
                Nonce = cacheable ? "" : entropy.NewHex(16),
            };
            parent = new LayerInputs { Parent = parent, Step = step }.Key();
            keys.Add(new LayerKey(provisioner.Label, parent, cacheable, options is ProvisionerOptions.Shell { UsesNetwork: true }));
        }

        return keys.ToImmutable();
    }

    /// <summary>
    /// Whether equal inputs make an equal guest: not for what happens on the host, unless it says what it reads.
    /// </summary>
    private static bool IsCacheable(ProvisionerOptions options) => options switch
    {
        ProvisionerOptions.Shell => true,
        ProvisionerOptions.File file => !file.Download && !file.Generated,
        ProvisionerOptions.ShellLocal local => local.Inputs is not null,
        ProvisionerOptions.Sleep => true,
        ProvisionerOptions.Breakpoint breakpoint => breakpoint.Disabled,
        _ => throw new InvalidOperationException($"unknown provisioner {options.GetType().Name}"),
    };

    /// <summary>
    /// The options with a number for each path on this host: a checkout that was moved is the same checkout.
    /// </summary>
    private static ProvisionerOptions WithoutPlaces(ProvisionerOptions options, string folder)
    {
        return options switch
        {
            ProvisionerOptions.Shell shell => shell with { Scripts = Numbers(shell.Scripts) },
            ProvisionerOptions.File { Download: false } file => file with { Sources = Numbers(file.Sources) },
            ProvisionerOptions.ShellLocal local => local with
            {
                Scripts = Numbers(local.Scripts),
                Inputs = local.Inputs is { } inputs ? Numbers(inputs) : null,
                // What a command on this host does is told by its inputs, so where they lie is all its text may name.
                Inline = local.Inline.Select(Moved).ToValueList(),
                ExecuteCommand = local.ExecuteCommand.Select(Moved).ToValueList(),
                Environment = local.Environment.Select(one => one with { Value = Moved(one.Value) }).ToValueList(),
            },
            _ => options,
        };

        // A trailing slash means the folder's content instead of the folder.
        static ValueList<string> Numbers(ValueList<string> paths) => paths
            .Select((path, i) => i.ToString(CultureInfo.InvariantCulture) + (path.EndsWith('/') ? "/" : "")).ToValueList();

        string Moved(string text) => folder.Length > 1 ? text.Replace(folder, "<template>", StringComparison.Ordinal) : text;
    }

    private static async Task<ValueList<FileDigest>> FilesOfAsync(ProvisionerOptions options, CancellationToken cancellationToken)
    {
        IEnumerable<string> paths = options switch
        {
            ProvisionerOptions.Shell shell => shell.Scripts,
            ProvisionerOptions.File { Download: false, Generated: false } file => file.Sources,
            ProvisionerOptions.ShellLocal local => local.Scripts.Concat(local.Inputs ?? []),
            _ => [],
        };
        var digests = new List<FileDigest>();
        var number = 0;
        foreach (var path in paths)
        {
            // The number stands for the source's place; its own path on this host does not matter.
            var prefix = (number++).ToString(CultureInfo.InvariantCulture) + "/";
            var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
            foreach (var digest in await FileDigests.OfTreeAsync(path, cancellationToken).ConfigureAwait(false))
            {
                // Of a folder whose content alone is copied, the name does not matter.
                var place = path.EndsWith('/') && digest.Path.StartsWith(name + "/", StringComparison.Ordinal)
                    ? digest.Path[(name.Length + 1)..] : digest.Path;
                digests.Add(digest with { Path = prefix + place });
            }
        }

        return [.. digests];
    }
}
