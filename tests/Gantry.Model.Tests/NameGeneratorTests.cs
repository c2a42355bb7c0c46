using Gantry.Model.Machines;

namespace Gantry.Model.Tests;

public sealed class NameGeneratorTests
{
    [Fact]
    public void Next_IsAlwaysAValidName_AndReachesManyPairs()
    {
        var names = Enumerable.Range(0, 20_000).Select(_ => NameGenerator.Next(SystemEntropy.Instance)).ToHashSet();
        Assert.All(names, name => Assert.True(Names.IsValid(name), name));
        // 20,000 draws from n equally likely pairs leave about n(1 - e^(-20000/n)) different ones.
        var expected = NameGenerator.Pairs * (1 - Math.Exp(-20_000.0 / NameGenerator.Pairs));
        Assert.InRange(names.Count, expected * 0.95, expected * 1.05);
    }

    [Fact]
    public void NextFree_PassesOverWhatIsTaken()
    {
        var first = NameGenerator.NextFree(new Repeated(), _ => false);
        Assert.Equal(first + "-2", NameGenerator.NextFree(new Repeated(), name => name == first));
        Assert.Equal(first + "-4", NameGenerator.NextFree(new Repeated(), name => !name.EndsWith("-4", StringComparison.Ordinal)));
    }

    private sealed class Repeated : IEntropy
    {
        public void Fill(Span<byte> destination) => destination.Fill(7);
    }
}
