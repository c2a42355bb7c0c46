namespace Gantry.Imaging.Builds;

/// <summary>
/// Replaces secrets by stars in everything that a build says. It stands at the sink, so that no writer can forget it:
/// by value, wherever the value came from. Very short values are left, since replacing them would only garble the log.
/// </summary>
public sealed class SecretFilter
{
    private const int ShortestSecret = 4;
    private const string Stars = "<sensitive>";

    private readonly Lock _lock = new();
    private string[] _secrets = [];

    public void Add(string? secret)
    {
        if (string.IsNullOrWhiteSpace(secret) || secret.Length < ShortestSecret)
            return;
        // A key or a script is logged line by line, so each of its lines is a secret too.
        var parts = secret.Split('\n').Select(line => line.Trim('\r', ' ')).Where(line => line.Length >= ShortestSecret);
        lock (_lock)
        {
            _secrets = [.. _secrets.Concat(parts).Append(secret).Distinct().OrderByDescending(text => text.Length)];
        }
    }

    public string Apply(string text)
    {
        foreach (var secret in _secrets)
            text = text.Replace(secret, Stars, StringComparison.Ordinal);
        return text;
    }
}
