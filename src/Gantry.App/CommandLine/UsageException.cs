namespace Gantry.App.CommandLine;

/// <summary>The command line can't be understood, or asks for two things that exclude each other.</summary>
internal sealed class UsageException(string summary, string suggestion = "") : Exception(summary)
{
    /// <summary>A whole sentence such as <c>Did you mean --name?</c>, or empty.</summary>
    public string Suggestion { get; } = suggestion;
}
