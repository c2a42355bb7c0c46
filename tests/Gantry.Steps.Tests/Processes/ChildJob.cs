using System.Diagnostics;
using System.Runtime.InteropServices;
using Gantry.Steps.Jobs;
using Gantry.Steps.Journals;

namespace Gantry.Steps.Tests.Processes;

/// <summary>A process that runs the job of the tests and kills itself, without a word, at a place of it.</summary>
internal static partial class ChildJob
{
    public const string PlaceVariable = "GANTRY_STEPS_TEST_DIE_AT";

    /// <summary>Does not die, but waits inside the first step until its standard input ends.</summary>
    public const string WaitInside = "wait-inside";

    /// <summary>Dies before the line of this number is written to the journal.</summary>
    public const string BeforeLine = "before-line-";

    private const int Kill = 9;

    public static Process Start(string place, string journals, string world, CrashPolicy policy, string failAt = "")
    {
        // The program itself, also where the tests were started as "dotnet X.dll".
        string self = Path.Combine(AppContext.BaseDirectory, "Gantry.Steps.Tests");
        var start = new ProcessStartInfo(self, [journals, world, policy.ToString(), failAt])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment[PlaceVariable] = place;
        return Process.Start(start)!;
    }

    public static async Task<int> RunAsync(string place, string[] args)
    {
        IJournalHome home = new FileJournalHome(args[0], TimeProvider.System);
        if (place.StartsWith(BeforeLine, StringComparison.Ordinal))
            home = new DyingHome(home, int.Parse(place.AsSpan(BeforeLine.Length), null));
        var kind = FilesJob.Kind(
            at =>
            {
                if (at == place)
                    Die();
                if (at == args[3])
                    throw new IOException("made to fail");
                if (place == WaitInside)
                    Wait();
            },
            Enum.Parse<CrashPolicy>(args[2]));
        try
        {
            await new JobRunner(home, TimeProvider.System).RunAsync(
                kind, FilesJob.World(args[1]), NoProgress.Instance, CancellationToken.None);
            return 0;
        }
        catch (StepFailedException)
        {
            return 3;
        }
    }

    private static void Wait()
    {
        Console.Out.WriteLine("inside");
        Console.Out.Flush();
        Console.In.ReadToEnd();
    }

    private static void Die()
    {
        _ = SendSignal(Environment.ProcessId, Kill);
        Thread.Sleep(Timeout.Infinite); // The signal may take a moment to arrive.
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    private sealed class DyingHome(IJournalHome inner, int line) : IJournalHome
    {
        public async ValueTask<IJournal> CreateAsync(JournalRecord.Begun begun, CancellationToken cancellationToken) =>
            new DyingJournal(await inner.CreateAsync(begun, cancellationToken), line);

        public ValueTask<System.Collections.Immutable.ImmutableArray<string>> ListAsync(
            CancellationToken cancellationToken) => inner.ListAsync(cancellationToken);

        public ValueTask<JournalAdoption> AdoptAsync(string jobId, CancellationToken cancellationToken) =>
            inner.AdoptAsync(jobId, cancellationToken);
    }

    private sealed class DyingJournal(IJournal inner, int line) : IJournal
    {
        private int _lines = 1;

        public System.Collections.Immutable.ImmutableArray<JournalRecord> Records => inner.Records;

        public bool IsLarge => inner.IsLarge;

        public ValueTask AppendAsync(JournalRecord record, CancellationToken cancellationToken)
        {
            if (_lines++ == line)
                Die();
            return inner.AppendAsync(record, cancellationToken);
        }

        public ValueTask RewriteAsync(
            System.Collections.Immutable.ImmutableArray<JournalRecord> records, CancellationToken cancellationToken) =>
            inner.RewriteAsync(records, cancellationToken);

        public ValueTask CloseAsync(CancellationToken cancellationToken)
        {
            if (_lines == line)
                Die();
            return inner.CloseAsync(cancellationToken);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
