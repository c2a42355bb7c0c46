using Gantry.Model;
using Gantry.Model.Tasks;

namespace Gantry.Agent.Tasks;

/// <summary>Does what tasks are about.</summary>
public interface ITaskWorker
{
    /// <summary>
    /// Does it, or leaves things as they were. Cancelled, it takes back what it had begun before it throws.
    /// </summary>
    /// <exception cref="ProblemException">It could not be done.</exception>
    Task<TaskResult> DoAsync(TaskWork work, IProgressSink progress, CancellationToken cancellationToken);
}
