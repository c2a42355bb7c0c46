using Gantry.Machines.Guest;
using Gantry.Model;
using Gantry.Model.Machines;
using Gantry.Storage;

namespace Gantry.Machines.Tests.Guest;

public sealed class KnownHostKeyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gantry-host-key-").FullName;
    private readonly DataFolders _folders;
    private readonly MachineRecord _machine = new()
    {
        Number = new MachineNumber(100),
        Uuid = new Guid("11111111-2222-3333-4444-555555555555"),
        InstanceId = "i-1",
        Created = DateTimeOffset.UnixEpoch,
        Spec = new MachineSpec { Name = "web", Isa = Isa.X86_64 },
    };

    public KnownHostKeyTests()
    {
        _folders = new DataFolders(Path.Combine(_folder, "home"), Path.Combine(_folder, "run"));
        Directory.CreateDirectory(_folders.MachineFolder(_machine.Number));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void TheFirst_IsKept_UntilItIsForgotten()
    {
        Assert.Null(KnownHostKey.Read(_folders, _machine));
        var (first, second) = (NewKey(), NewKey());
        KnownHostKey.Remember(_folders, _machine.Number, first);
        KnownHostKey.Remember(_folders, _machine.Number, second);
        Assert.Equal(first, KnownHostKey.Read(_folders, _machine));
        Assert.Equal([KnownHostKey.PathOf(_folders, _machine.Number)], Directory.GetFiles(_folders.MachineFolder(_machine.Number)));
        KnownHostKey.Forget(_folders, _machine.Number);
        KnownHostKey.Forget(_folders, _machine.Number);
        KnownHostKey.Remember(_folders, _machine.Number, second);
        Assert.Equal(second, KnownHostKey.Read(_folders, _machine));
    }

    [Fact]
    public void AFileThatIsNone_IsRefusedWithTheRemedy()
    {
        File.WriteAllText(KnownHostKey.PathOf(_folders, _machine.Number), "nonsense\n");
        var problem = Assert.Throws<ProblemException>(() => KnownHostKey.Read(_folders, _machine)).Problem;
        Assert.Contains("--new-host-key web", problem.Remedy, StringComparison.Ordinal);
    }

    private static SshHostKey NewKey()
    {
        Assert.True(SshHostKey.TryParse(SshKeyPair.Generate("host").PublicKey, out var key));
        return key!;
    }
}
