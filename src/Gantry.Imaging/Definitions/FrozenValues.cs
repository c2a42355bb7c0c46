namespace Gantry.Imaging.Definitions;

/// <summary>
/// What a template's functions <c>timestamp</c> and <c>uuidv4</c> read: one moment, and one source of random bytes, for
/// a whole chain of cached steps.
/// </summary>
/// <param name="Timestamp">The moment.</param>
/// <param name="Seed">Random; every random value of the template follows from it and from its place.</param>
public sealed record FrozenValues(DateTimeOffset Timestamp, string Seed)
{
    /// <summary>
    /// The same for all builds, for cache keys: that a step asks for the time must not make each run differ.
    /// </summary>
    public static FrozenValues Canonical { get; } = new(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero), "canonical");
}
