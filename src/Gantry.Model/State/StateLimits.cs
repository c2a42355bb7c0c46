namespace Gantry.Model.State;

/// <summary>
/// What a store accepts. The numbers are those that etcd can carry with its defaults (128 operations and 1.5 MiB in
/// a transaction), so that what works in the embedded home works in the cluster.
/// </summary>
public static class StateLimits
{
    /// <summary>Longest key, in bytes; keys are ASCII.</summary>
    public const int MaxKeyBytes = 512;

    /// <summary>Largest value, in bytes.</summary>
    public const int MaxValueBytes = 64 * 1024;

    /// <summary>Most comparisons, most operations and most reads in one transaction, each counted by itself.</summary>
    public const int MaxOperations = 128;

    /// <summary>Most bytes of keys and values in one transaction.</summary>
    public const int MaxTransactionBytes = 1024 * 1024;

    /// <summary>Most entries in one answer to a range read.</summary>
    public const int MaxRange = 10_000;

    /// <summary>Most keys that one delete-range may delete.</summary>
    public const int MaxDeletedKeys = 10_000;

    /// <summary>Throws unless <paramref name="key"/> may name an entry.</summary>
    /// <exception cref="ArgumentException">
    /// Empty, not printable ASCII, or with an empty part between slashes.
    /// </exception>
    /// <exception cref="StateLimitException">Longer than <see cref="MaxKeyBytes"/>.</exception>
    public static void CheckKey(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        CheckCharacters(key);
        if (key.Length == 0 || key[0] == '/' || key[^1] == '/' || key.Contains("//", StringComparison.Ordinal))
        {
            throw new ArgumentException(
                $"A key is parts with one slash between them, such as 'machines/100'; found '{key}'.", nameof(key));
        }
    }

    /// <summary>
    /// Throws unless <paramref name="prefix"/> may name a range: empty (everything) or the beginning of keys.
    /// </summary>
    /// <exception cref="ArgumentException">Not printable ASCII.</exception>
    /// <exception cref="StateLimitException">Longer than <see cref="MaxKeyBytes"/>.</exception>
    public static void CheckPrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        CheckCharacters(prefix);
    }

    /// <summary>Throws unless <paramref name="limit"/> is from 1 to <see cref="MaxRange"/>.</summary>
    /// <exception cref="StateLimitException">More than <see cref="MaxRange"/>.</exception>
    public static void CheckRangeLimit(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        if (limit > MaxRange)
            throw new StateLimitException("entries asked of one range read", limit, MaxRange);
    }

    // Printable ASCII only: every home then sorts keys alike, whether it compares bytes or UTF-16 units, and the end
    // of a prefix's range is its last character plus one.
    private static void CheckCharacters(string key)
    {
        if (key.Length > MaxKeyBytes)
            throw new StateLimitException($"bytes in the key beginning '{key[..40]}'", key.Length, MaxKeyBytes);

        int bad = key.AsSpan().IndexOfAnyExceptInRange('\u0021', '\u007e');
        if (bad >= 0)
        {
            throw new ArgumentException(
                $"A key holds printable ASCII without blanks; found U+{(int)key[bad]:X4} at index {bad} of '{key}'.",
                nameof(key));
        }
    }
}
