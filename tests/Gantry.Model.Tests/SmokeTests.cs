namespace Gantry.Model.Tests;

public sealed class SmokeTests
{
    [Fact]
    public void Trial_Passes() => Assert.Equal(2, 1 + 1);
}
