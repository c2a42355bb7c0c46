using System.Text;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Functions;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Tests;

/// <summary>Short ways to parse and evaluate in tests.</summary>
internal static class Hcl
{
    public static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, 890, TimeSpan.Zero);

    public static FunctionRegistry Functions(MemoryFiles? files = null) => StandardFunctions.Create(new FunctionServices
    {
        Files = files ?? new MemoryFiles(),
        Clock = new FixedClock(Now),
        Entropy = buffer =>
        {
            for (var i = 0; i < buffer.Length; i++)
                buffer[i] = (byte)(i * 17);
        },
    });

    public static readonly EvaluationScope Scope = new(functions: Functions());

    public static Body Parse(string text)
    {
        var result = HclParser.ParseFile(new SourceFile("test.hcl", text));
        Assert.Equal("", Messages(result.Diagnostics));
        return result.Body;
    }

    public static (HclValue Value, DiagnosticBag Diagnostics) TryEval(string expression, EvaluationScope? scope = null)
    {
        var parsed = HclParser.ParseExpression(expression, "test.hcl");
        if (!parsed.Succeeded)
            return (HclValue.UnknownOfAnyType, parsed.Diagnostics);
        var diagnostics = new DiagnosticBag();
        return (Evaluator.Evaluate(parsed.Expression, scope ?? Scope, diagnostics), diagnostics);
    }

    public static HclValue Eval(string expression, EvaluationScope? scope = null)
    {
        var (value, diagnostics) = TryEval(expression, scope);
        Assert.Equal("", Messages(diagnostics));
        return value;
    }

    /// <summary>The one message that an expression gives.</summary>
    public static string Error(string expression, EvaluationScope? scope = null)
    {
        var (_, diagnostics) = TryEval(expression, scope);
        return Assert.Single(diagnostics).ToString();
    }

    public static string Messages(IEnumerable<Diagnostic> diagnostics) =>
        string.Join('\n', diagnostics.Select(diagnostic => diagnostic.ToString()));

    public static EvaluationScope With(params (string Name, HclValue Value)[] variables) =>
        Scope.CreateChild(variables.ToDictionary(pair => pair.Name, pair => pair.Value));
}

/// <summary>A clock that stands.</summary>
internal sealed class FixedClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}

/// <summary>Files in memory, below /base.</summary>
internal sealed class MemoryFiles : IFileAccess
{
    private readonly Dictionary<string, byte[]> _files = [];

    public string BaseDirectory => "/base";

    public string HomeDirectory => "/home/me";

    public string CurrentDirectory => "/current";

    public MemoryFiles With(string path, string content) => With(path, Encoding.UTF8.GetBytes(content));

    public MemoryFiles With(string path, byte[] content)
    {
        _files[path] = content;
        return this;
    }

    public byte[] ReadAllBytes(string path, int maxBytes) =>
        _files.TryGetValue(path, out var content) ? content : throw new HclException(0, $"there is no file {path}");

    public bool FileExists(string path) => _files.ContainsKey(path);

    public IEnumerable<string> ListFiles(string directory, int maxFiles) =>
        _files.Keys.Where(path => path.StartsWith(directory + "/", StringComparison.Ordinal)).Select(path => path[(directory.Length + 1)..]);
}
