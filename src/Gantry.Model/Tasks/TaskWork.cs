using System.Text.Json.Serialization;
using Gantry.Model.Machines;

namespace Gantry.Model.Tasks;

/// <summary>What a task does. Each kind is named once, here, as it is stored and shown.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(CreateMachine), CreateMachine.Kind)]
[JsonDerivedType(typeof(CloneMachine), CloneMachine.Kind)]
[JsonDerivedType(typeof(DeleteMachine), DeleteMachine.Kind)]
[JsonDerivedType(typeof(TakeSnapshot), TakeSnapshot.Kind)]
[JsonDerivedType(typeof(DeleteSnapshot), DeleteSnapshot.Kind)]
[JsonDerivedType(typeof(RollBack), RollBack.Kind)]
[JsonDerivedType(typeof(Build), Build.Kind)]
public abstract record TaskWork
{
    private TaskWork()
    {
    }

    /// <summary>The kind's name.</summary>
    [JsonIgnore]
    public abstract string KindName { get; }

    /// <summary>The machine that it is about; null where there is none yet.</summary>
    [JsonIgnore]
    public virtual MachineId? Machine => null;

    /// <summary>What is done to one machine.</summary>
    public abstract record OnMachine : TaskWork
    {
        private protected OnMachine()
        {
        }

        public override MachineId? Machine => Target;

        public required MachineId Target { get; init; }
    }

    /// <summary>A new machine of a template: a linked clone of its disks.</summary>
    public sealed record CreateMachine : TaskWork
    {
        public const string Kind = "create-machine";

        public override string KindName => Kind;

        /// <summary>The template's name.</summary>
        public required string Template { get; init; }

        public required NewMachine New { get; init; }
    }

    /// <summary>A new machine of another one, as its disks are at that moment.</summary>
    public sealed record CloneMachine : TaskWork
    {
        public const string Kind = "clone-machine";

        public override string KindName => Kind;

        public override MachineId? Machine => Source;

        public required MachineId Source { get; init; }

        public required NewMachine New { get; init; }
    }

    /// <summary>Deletes a machine with its disks and snapshots.</summary>
    public sealed record DeleteMachine : OnMachine
    {
        public const string Kind = "delete-machine";

        public override string KindName => Kind;

        /// <summary>End it first when it runs.</summary>
        public bool Force { get; init; }
    }

    /// <summary>Keeps what a machine is at that moment.</summary>
    public sealed record TakeSnapshot : OnMachine
    {
        public const string Kind = "take-snapshot";

        public override string KindName => Kind;

        public required string Name { get; init; }

        /// <summary>Keep the memory of a running machine too.</summary>
        public bool Memory { get; init; }

        public string Notes { get; init => field = value ?? ""; } = "";
    }

    /// <summary>Deletes a snapshot; the machine stays as it is.</summary>
    public sealed record DeleteSnapshot : OnMachine
    {
        public const string Kind = "delete-snapshot";

        public override string KindName => Kind;

        public required string Name { get; init; }
    }

    /// <summary>Makes a machine what it was when a snapshot was taken.</summary>
    public sealed record RollBack : OnMachine
    {
        public const string Kind = "roll-back";

        public override string KindName => Kind;

        public required string Name { get; init; }

        /// <summary>Only the disks, though the snapshot has memory.</summary>
        public bool WithoutMemory { get; init; }

        /// <summary>Go on from memory also where the guest's clock and random numbers can't be renewed.</summary>
        public bool Unrenewed { get; init; }
    }

    /// <summary>Runs the builds of a template file.</summary>
    public sealed record Build : TaskWork
    {
        public const string Kind = "build";

        public override string KindName => Kind;

        /// <summary>A file or a folder of them; absolute, on the node.</summary>
        public required string Path { get; init; }

        /// <summary>The template's variables.</summary>
        public ValueList<BuildVariable> Variables { get; init => field = value ?? []; } = [];

        /// <summary>Patterns of the builds to run; none runs all.</summary>
        public ValueList<string> Only { get; init => field = value ?? []; } = [];

        /// <summary>Patterns of the builds to leave out.</summary>
        public ValueList<string> Except { get; init => field = value ?? []; } = [];

        /// <summary>Neither use steps of earlier builds nor keep new ones.</summary>
        public bool NoCache { get; init; }

        /// <summary>Replace output that is there already.</summary>
        public bool Force { get; init; }
    }
}

/// <summary>One machine and no other: numbers are given again.</summary>
public sealed record MachineId
{
    public required MachineNumber Number { get; init; }

    public required Guid Uuid { get; init; }

    /// <summary>As it was when it was asked for; for people.</summary>
    public required string Name { get; init; }
}

/// <summary>What is wished of a new machine; null keeps what it is made from has.</summary>
public sealed record NewMachine
{
    public required string Name { get; init; }

    /// <summary>Virtual CPUs.</summary>
    public int? Cpus { get; init; }

    /// <summary>MiB.</summary>
    public int? MemoryMiB { get; init; }

    /// <summary>Bytes of the first disk; not less than it has.</summary>
    public long? DiskBytes { get; init; }

    public ValueList<PublishedPort> Ports { get; init => field = value ?? []; } = [];

    public bool Protected { get; init; }

    public string Notes { get; init => field = value ?? ""; } = "";

    public ValueList<string> Tags { get; init => field = value ?? []; } = [];
}

/// <summary>A variable with its value as text.</summary>
public sealed record BuildVariable
{
    public required string Name { get; init; }

    public required string Value { get; init; }
}
