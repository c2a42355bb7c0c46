using Gantry.App.Commands;
using Gantry.App.Tests.Fakes;
using Gantry.Model;

namespace Gantry.App.Tests.Commands;

public sealed class RepeatedLookTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly List<TaskCompletionSource<string?>> _looks = [];
    private readonly List<string> _seen = [];
    private readonly SemaphoreSlim _begun = new(0);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _begun.Dispose();

    [Fact]
    public async Task Look_WithoutAnAnswer_IsJoinedByAnother_WhoseAnswerEndsBoth()
    {
        var work = Start(most: 2);
        await _begun.WaitAsync(Cancel);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _begun.WaitAsync(Cancel);
        // No third one beside two.
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(2, _looks.Count);
        _looks[1].SetResult(null);
        await work;
        Assert.True(_looks[0].Task.IsCanceled);
        Assert.Empty(_seen);
    }

    [Fact]
    public async Task Look_ThatSawSomething_IsRepeatedAfterThePause()
    {
        var work = Start(most: 1);
        await _begun.WaitAsync(Cancel);
        _looks[0].SetResult("closed");
        while (_seen.Count == 0)
            await Task.Yield();
        while (!await _begun.WaitAsync(0, Cancel))
        {
            _time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Yield();
        }

        _looks[1].SetResult(null);
        await work;
        Assert.Equal(["closed"], _seen);
    }

    [Fact]
    public async Task Look_ThatFailsOrIsCancelled_EndsTheWait()
    {
        var work = Start(most: 2);
        await _begun.WaitAsync(Cancel);
        _looks[0].SetException(new ProblemException(ProblemKind.Failed, "it has ended"));
        await Assert.ThrowsAsync<ProblemException>(() => work);

        using var cancel = new CancellationTokenSource();
        work = Start(most: 2, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }

    private Task Start(int most, CancellationToken? cancellationToken = null)
    {
        _looks.Clear();
        return new RepeatedLook(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1), most, _time)
            .RunAsync(LookAsync, _seen.Add, cancellationToken ?? Cancel);
    }

    private Task<string?> LookAsync(CancellationToken cancellationToken)
    {
        var look = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        cancellationToken.Register(() => look.TrySetCanceled(cancellationToken));
        _looks.Add(look);
        _begun.Release();
        return look.Task;
    }
}
