namespace Gantry.Model;

/// <summary>
/// Names for things that were given none: an adjective and a noun, such as <c>brisk-otter</c>. Each is a valid name of
/// a machine (<see cref="Machines.Names"/>). Whether it is taken already is for the caller to ask.
/// </summary>
public static class NameGenerator
{
    /// <summary>How many pairs are tried before a number is added.</summary>
    private const int PairsTried = 20;

    private static readonly string[] Adjectives =
    [
        "able", "agile", "airy", "amber", "ample", "apt", "azure", "bold", "brave", "breezy", "bright", "brisk",
        "bronze", "calm", "candid", "chief", "civil", "clear", "clever", "copper", "cosy", "crisp", "curious", "dapper",
        "daring", "deft", "eager", "early", "earnest", "easy", "elder", "fair", "famed", "fleet", "fond", "frank",
        "fresh", "gentle", "glad", "golden", "grand", "green", "handy", "happy", "hardy", "hazel", "hearty", "honest",
        "humble", "ivory", "jolly", "keen", "kind", "lively", "loyal", "lucid", "lucky", "mellow", "merry", "mighty",
        "mild", "modest", "neat", "nimble", "noble", "olive", "patient", "placid", "plucky", "polite", "prime",
        "proud", "quick", "quiet", "rapid", "ready", "robust", "rosy", "rustic", "sage", "silver", "sleek", "smart",
        "snug", "solid", "spry", "stable", "steady", "stout", "sunny", "swift", "tidy", "trim", "true", "vivid",
        "warm", "wise", "witty", "zesty", "zippy",
    ];

    private static readonly string[] Nouns =
    [
        "acorn", "alder", "anchor", "aspen", "badger", "beacon", "beaver", "birch", "bison", "brook", "canyon",
        "cedar", "cliff", "clover", "comet", "condor", "coral", "crane", "creek", "cricket", "curlew", "delta",
        "dolphin", "dune", "eagle", "egret", "elk", "ember", "falcon", "fern", "finch", "fjord", "forest", "fox", "galaxy",
        "gannet", "glacier", "grove", "harbor", "hare", "hawk", "hazelnut", "heron", "hickory", "hill", "ibex",
        "island", "jay", "juniper", "kestrel", "koala", "lagoon", "lantern", "lark", "lemur", "lichen", "lynx", "maple", "marlin",
        "marten", "meadow", "meteor", "mole", "moose", "narwhal", "newt", "oak", "ocelot", "orca", "oriole", "osprey",
        "otter", "owl", "panda", "pebble", "pelican", "pine", "plover", "puffin", "quail", "raven", "reef", "ridge",
        "river", "robin", "salmon", "seal", "spruce", "stork", "summit", "swan", "tapir", "tern", "thistle", "trout",
        "tulip", "valley", "walrus", "willow", "wren",
    ];

    /// <summary>How many different pairs there are.</summary>
    public static int Pairs => Adjectives.Length * Nouns.Length;

    /// <summary>One pair, every one equally likely.</summary>
    public static string Next(IEntropy entropy) =>
        Adjectives[entropy.Next(Adjectives.Length)] + "-" + Nouns[entropy.Next(Nouns.Length)];

    /// <summary>A name that <paramref name="isTaken"/> does not know: a pair, or where most pairs are taken a pair with
    /// a number.</summary>
    public static string NextFree(IEntropy entropy, Func<string, bool> isTaken)
    {
        for (var attempt = 0; attempt < PairsTried; attempt++)
        {
            var name = Next(entropy);
            if (!isTaken(name))
                return name;
        }

        var stem = Next(entropy);
        for (var number = 2; ; number++)
        {
            if (!isTaken($"{stem}-{number}"))
                return $"{stem}-{number}";
        }
    }
}
