namespace Gantry.App.Prerequisites;

/// <summary>What is installed on the host, and the running of its package manager.</summary>
internal interface IHostSoftware
{
    bool IsRoot { get; }

    /// <summary>The text of os-release(5); empty where there is none.</summary>
    string OsRelease { get; }

    /// <summary>apt has lists of what can be installed.</summary>
    bool HasPackageLists { get; }

    /// <summary>A command that can be run, or an absolute path of a file that exists.</summary>
    bool Exists(string probe);

    /// <summary>Runs a program without a shell and without input, and returns its exit code.</summary>
    /// <param name="line">Called for each line of output and of errors, one at a time.</param>
    Task<int> RunAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancel);
}
