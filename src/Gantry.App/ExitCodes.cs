using Gantry.Model;

namespace Gantry.App;

/// <summary>What the program tells its caller. The launcher's scripts use the same numbers.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>The work failed, or its input was wrong: 1 for both, as Packer does.</summary>
    public const int Failed = 1;

    /// <summary>The command line itself can't be understood.</summary>
    public const int Usage = 2;

    public const int NotFound = 3;

    public const int Conflict = 4;

    public const int Unavailable = 5;

    public const int TimedOut = 6;

    /// <summary>Gantry is broken; the number is sysexits' EX_SOFTWARE.</summary>
    public const int Bug = 70;

    /// <summary>128 and the signal's number, as shells count: SIGHUP, SIGINT, SIGTERM.</summary>
    public const int HungUp = 129;

    public const int Interrupted = 130;

    public const int Terminated = 143;

    public static int For(ProblemKind kind) => kind switch
    {
        ProblemKind.InvalidInput => Failed,
        ProblemKind.Failed => Failed,
        ProblemKind.NotFound => NotFound,
        ProblemKind.Conflict => Conflict,
        ProblemKind.InUse => Conflict,
        ProblemKind.Unavailable => Unavailable,
        ProblemKind.TimedOut => TimedOut,
    };
}
