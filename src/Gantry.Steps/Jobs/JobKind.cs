using System.Collections.Immutable;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Gantry.Steps.Journals;

namespace Gantry.Steps.Jobs;

/// <summary>What recovery does with a job whose process died.</summary>
public enum CrashPolicy
{
    /// <summary>Undo it: nobody waits for it any more.</summary>
    Undo,

    /// <summary>Go on with it: it was promised.</summary>
    Resume,
}

/// <summary>A kind of job, without the type of its context.</summary>
public abstract partial class JobKind
{
    /// <summary>Most steps that a job may have; bounds what undoing has to write to a journal.</summary>
    public const int MaxSteps = 100;

    private protected JobKind(string name, int version, CrashPolicy onCrash, ImmutableArray<string> stepNames)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(version, 1);
        ArgumentOutOfRangeException.ThrowIfZero(stepNames.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stepNames.Length, MaxSteps);
        foreach (string each in stepNames.Add(name))
        {
            if (!NameShape().IsMatch(each))
            {
                throw new ArgumentException(
                    "The name of a job kind or a step is 1 to 64 lower-case letters, digits and dashes; "
                    + $"found '{each}'.");
            }
        }

        if (stepNames.Distinct().Count() != stepNames.Length)
            throw new ArgumentException($"The job kind '{name}' has two steps of the same name.");

        Name = name;
        Version = version;
        OnCrash = onCrash;
        StepNames = stepNames;
    }

    /// <summary>Lower-case letters, digits and dashes.</summary>
    public string Name { get; }

    /// <summary>
    /// Grows whenever the list of steps or the meaning of the context changes, so that a journal that an older program
    /// left behind is never continued with other steps. Keep the old kind registered as long as such may exist.
    /// </summary>
    public int Version { get; }

    /// <summary>What recovery does with a job of this kind.</summary>
    public CrashPolicy OnCrash { get; }

    /// <summary>The names of the steps, in their order.</summary>
    public ImmutableArray<string> StepNames { get; }

    internal abstract Task ContinueAsync(JobDesk desk, IJournal journal, JobState state, CancellationToken stop);

    [GeneratedRegex(@"\A[a-z0-9-]{1,64}\z")]
    private static partial Regex NameShape();
}

/// <summary>A kind of job: a name, a version and a literal list of steps over a typed context.</summary>
/// <typeparam name="TContext">What the job knows; immutable.</typeparam>
public sealed class JobKind<TContext> : JobKind
    where TContext : notnull
{
    private readonly Func<JsonTypeInfo<TContext>> _contextType;

    /// <param name="name">Lower-case letters, digits and dashes.</param>
    /// <param name="version">See <see cref="JobKind.Version"/>.</param>
    /// <param name="contextType">From a source-generated JSON context; asked for when the first job runs.</param>
    /// <param name="onCrash">What recovery does with a job whose process died.</param>
    /// <param name="steps">In the order in which they are done.</param>
    /// <param name="pointOfNoReturn">
    /// The name of a step after which the job can only go forward, whatever the policy: once it is done, a failure
    /// stops the job, and recovery continues it. Null if all can be undone.
    /// </param>
    /// <exception cref="ArgumentException">Bad or repeated names.</exception>
    public JobKind(
        string name,
        int version,
        Func<JsonTypeInfo<TContext>> contextType,
        CrashPolicy onCrash,
        ImmutableArray<IJobStep<TContext>> steps,
        string? pointOfNoReturn = null)
        : base(name, version, onCrash, [.. steps.Select(step => step.Name)])
    {
        _contextType = contextType;
        Steps = steps;
        PointOfNoReturn = pointOfNoReturn;
        NoReturnIndex = pointOfNoReturn is null ? steps.Length : StepNames.IndexOf(pointOfNoReturn);
        if (NoReturnIndex < 0)
            throw new ArgumentException($"The job kind '{name}' has no step '{pointOfNoReturn}'.");
    }

    /// <summary>How the context is written to journals.</summary>
    public JsonTypeInfo<TContext> ContextType => _contextType();

    /// <summary>In the order in which they are done.</summary>
    public ImmutableArray<IJobStep<TContext>> Steps { get; }

    /// <summary>The name of the step after which the job only goes forward; null if all can be undone.</summary>
    public string? PointOfNoReturn { get; }

    /// <summary>How long undoing one step may take.</summary>
    public TimeSpan UndoTimeout { get; init; } = TimeSpan.FromMinutes(2);

    internal int NoReturnIndex { get; }

    internal override Task ContinueAsync(JobDesk desk, IJournal journal, JobState state, CancellationToken stop) =>
        new JobExecution<TContext>(this, desk, journal, state).ContinueAsync(stop);
}

/// <summary>The kinds of job that a program can continue or undo after a crash.</summary>
public sealed class JobKindRegistry
{
    private readonly Dictionary<(string, int), JobKind> _kinds = [];

    /// <exception cref="ArgumentException">Two kinds with the same name and version.</exception>
    public JobKindRegistry(params IEnumerable<JobKind> kinds)
    {
        foreach (var kind in kinds)
        {
            if (!_kinds.TryAdd((kind.Name, kind.Version), kind))
                throw new ArgumentException($"The job kind '{kind.Name}' version {kind.Version} is registered twice.");
        }
    }

    /// <summary>Null if there is no such kind.</summary>
    public JobKind? Find(string name, int version) => _kinds.GetValueOrDefault((name, version));
}
