namespace Gantry.Model.State;

/// <summary>A document as it was read, with what is needed to replace exactly what was read.</summary>
/// <typeparam name="T">The document's type.</typeparam>
public sealed record Document<T>
{
    /// <summary>The part of the key after the collection's prefix, such as <c>100</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The whole key, such as <c>machines/100</c>.</summary>
    public required string Key { get; init; }

    /// <summary>The document.</summary>
    public required T Value { get; init; }

    /// <summary>The store's revision in which the document was last put.</summary>
    public required long Revision { get; init; }
}

/// <summary>A document is not what it should be. It was left as it is.</summary>
public sealed class DocumentUnreadableException : Exception
{
    /// <param name="key">The whole key of the document.</param>
    /// <param name="expectedSchema">The schema version that this program reads.</param>
    /// <param name="foundSchema">The schema version that the document states; null if it states none.</param>
    /// <param name="reason">What is wrong with it.</param>
    /// <param name="inner">What the JSON reader said.</param>
    public DocumentUnreadableException(
        string key, int expectedSchema, int? foundSchema, string reason, Exception? inner = null)
        : base(
            $"The document '{key}' cannot be read: {reason} (schema version expected {expectedSchema}, "
            + $"found {foundSchema?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}).",
            inner)
    {
        Key = key;
        ExpectedSchema = expectedSchema;
        FoundSchema = foundSchema;
    }

    /// <summary>The whole key of the document.</summary>
    public string Key { get; }

    /// <summary>The schema version that this program reads.</summary>
    public int ExpectedSchema { get; }

    /// <summary>The schema version that the document states; null if it states none.</summary>
    public int? FoundSchema { get; }
}

/// <summary>Others changed a document each time that we tried to; nothing was written.</summary>
public sealed class DocumentConflictException : Exception
{
    /// <param name="key">The whole key of the document.</param>
    /// <param name="attempts">How often it was tried.</param>
    public DocumentConflictException(string key, int attempts)
        : base($"The document '{key}' was changed by others during each of {attempts} attempts to update it; "
            + "nothing was written. Try again.") => Key = key;

    /// <summary>The whole key of the document.</summary>
    public string Key { get; }
}
