using Gantry.Model;

namespace Gantry.App.Progress;

/// <summary>Shows an operation's progress on standard error until it is disposed.</summary>
internal interface IProgressView : IProgressSink, IDisposable
{
    /// <summary>The operation ended well: the last activity counts as done. Without it, disposing marks it as
    /// stopped.</summary>
    void Complete();

    /// <summary>Takes what is redrawn off the screen until the result is disposed, so that something else can be
    /// written or asked.</summary>
    IDisposable Suspend();

    /// <summary>The process ends at this moment: leaves the terminal usable, without waiting for any lock.</summary>
    void Abandon();
}
