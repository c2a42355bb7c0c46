using Gantry.Model.Machines;

namespace Gantry.Machines.Guest;

public static class CloudInitSeed
{
    public static IEnumerable<(string, string)> Files(CloudInit cloud, string host, string instance, IReadOnlyList<string> macs)
    {
        yield return ("meta-data", $"instance-id: {instance}\nlocal-hostname: {host}\n");
        var keys = string.Concat(cloud.SshKeys.Select(key => $"  - {key}\n"));
        yield return ("user-data", cloud.UserData ?? $"#cloud-config\n{(keys.Length > 0 ? "ssh_authorized_keys:\n" + keys : "")}");
    }
}
