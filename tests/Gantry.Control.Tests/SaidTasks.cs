using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Gantry.Model.Tasks;

namespace Gantry.Control.Tests;

/// <summary>What a node's tasks said, as a test has it.</summary>
internal sealed class SaidTasks : INodeTasks
{
    public ConcurrentDictionary<string, List<TaskNews>> Said { get; } = new(StringComparer.Ordinal);

    public TaskProgress? Progress(string id) => Said.GetValueOrDefault(id)?.LastOrDefault(one => one.Progress is not null)?.Progress;

    public async IAsyncEnumerable<TaskNews> FollowAsync(
        string id, long offset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var news in Said.GetValueOrDefault(id) ?? [])
            yield return news;
    }
}
