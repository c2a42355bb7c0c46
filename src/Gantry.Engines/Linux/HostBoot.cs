namespace Gantry.Engines.Linux;

/// <summary>The host's present boot, which the kernel gives a new id each time.</summary>
public static class HostBoot
{
    public static Guid Id { get; } = Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());
}
