using System.Diagnostics;
using System.Globalization;
using System.Text;
using Gantry.Model.State;
using Gantry.Store.Sqlite;

namespace Gantry.Store.Tests.Processes;

/// <summary>Another process that uses a state file, until it is done or killed.</summary>
internal static class ChildWriter
{
    public const string RoleVariable = "GANTRY_STORE_TEST_ROLE";

    /// <summary>Puts <c>PREFIX/n</c> for n = 1, 2, ... and prints each n once it is acknowledged.</summary>
    public const string Puts = "puts";

    /// <summary>Adds 1 to the number under a key, by compare-and-set, a given number of times.</summary>
    public const string Adds = "adds";

    public static Process Start(string role, params string[] arguments)
    {
        // The program itself, also where the tests were started as "dotnet X.dll".
        string self = Path.Combine(AppContext.BaseDirectory, "Gantry.Store.Tests");
        var start = new ProcessStartInfo(self) { RedirectStandardOutput = true, RedirectStandardInput = true };
        start.Environment[RoleVariable] = role;
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    public static async Task<int> RunAsync(string role, string[] args)
    {
        await using var store = await SqliteStateStore.OpenAsync(args[0], null, CancellationToken.None);
        using var output = Console.OpenStandardOutput();
        switch (role)
        {
            case Puts:
                for (int i = 1; ; i++)
                {
                    // Two keys in a transaction: a torn one would show.
                    await store.CommitAsync(
                        new StateTransaction
                        {
                            Then =
                            [
                                new StateOperation.Put($"{args[1]}/a/{i}", Text(i)),
                                new StateOperation.Put($"{args[1]}/b/{i}", Text(i)),
                            ],
                        },
                        CancellationToken.None);
                    output.Write(Encoding.ASCII.GetBytes($"{i}\n"));
                    output.Flush();
                }

            case Adds:
                for (int i = 0; i < int.Parse(args[2], CultureInfo.InvariantCulture); i++)
                    await AddAsync(store, args[1]);
                return 0;
            default:
                return 2;
        }
    }

    public static async Task AddAsync(IStateStore store, string key)
    {
        while (true)
        {
            var entry = await store.GetAsync(key, CancellationToken.None);
            int value = entry is null ? 0 : int.Parse(Encoding.ASCII.GetString(entry.Value.Span), null);
            var commit = await store.CommitAsync(
                new StateTransaction
                {
                    When = [new StateCompare.ModRevisionIs(key, entry?.ModRevision ?? 0)],
                    Then = [new StateOperation.Put(key, Text(value + 1))],
                },
                CancellationToken.None);
            if (commit.Succeeded)
                return;
        }
    }

    private static byte[] Text(int number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));
}
