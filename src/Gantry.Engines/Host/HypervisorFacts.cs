using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Gantry.Engines.Host;

/// <summary>Whether this host is itself a virtual machine, and whose.</summary>
public sealed record HypervisorFacts
{
    /// <summary>This host is a guest: whatever runs here is nested.</summary>
    public required bool Present { get; init; }

    /// <summary>The hypervisor's name; null when it does not say, or there is none.</summary>
    public string? Name { get; init; }

    /// <summary>What showed it.</summary>
    public required string Evidence { get; init; }

    public static HypervisorFacts OfHost(CpuFacts cpu) =>
        Decide(cpu, Signature(), ReadFirst("/sys/class/dmi/id/sys_vendor"),
            ReadFirst("/sys/class/dmi/id/product_name"), ReadFirst("/sys/hypervisor/type"),
            ReadFirst("/proc/device-tree/hypervisor/compatible"));

    /// <summary>In the order of how much a source can be trusted: the CPU, then the firmware's tables.</summary>
    internal static HypervisorFacts Decide(
        CpuFacts cpu, string? signature, string? vendor, string? product, string? xen, string? deviceTree)
    {
        if (cpu.UnderHypervisor || signature is not null)
        {
            return new HypervisorFacts
            {
                Present = true,
                Name = signature is null ? NameOfDmi(vendor, product) : NameOfSignature(signature),
                Evidence = signature is null
                    ? "the CPU's flags contain 'hypervisor'" : $"the CPU's hypervisor leaf says '{signature}'",
            };
        }
        if (xen is not null)
            return new HypervisorFacts { Present = true, Name = "Xen", Evidence = "/sys/hypervisor/type says " + xen };
        if (deviceTree is not null)
        {
            return new HypervisorFacts
            {
                Present = true,
                Name = deviceTree.Contains("kvm", StringComparison.Ordinal) ? "KVM" : deviceTree,
                Evidence = "the device tree has a hypervisor node",
            };
        }
        return NameOfDmi(vendor, product) is { } name
            ? new HypervisorFacts { Present = true, Name = name, Evidence = $"the firmware's tables say '{vendor} {product}'" }
            : new HypervisorFacts { Present = false, Evidence = "neither CPU nor firmware speak of a hypervisor" };
    }

    /// <summary>CPUID leaf 0x40000000, which is the hypervisors' own; null without one.</summary>
    private static string? Signature()
    {
        if (!X86Base.IsSupported || (X86Base.CpuId(1, 0).Ecx & (1 << 31)) == 0)
            return null;
        var (_, b, c, d) = X86Base.CpuId(0x40000000, 0);
        var text = Encoding.ASCII.GetString(MemoryMarshal.AsBytes<int>([b, c, d]));
        var printable = new string([.. text.Where(ch => ch is > ' ' and < (char)127)]);
        return printable.Length > 0 ? printable : null;
    }

    private static string NameOfSignature(string signature) => signature switch
    {
        "KVMKVMKVM" => "KVM",
        "LinuxKVMHv" => "KVM (with Hyper-V's interface)",
        "TCGTCGTCGTCG" => "QEMU without acceleration (TCG)",
        "MicrosoftHv" => "Hyper-V",
        "VMwareVMware" => "VMware",
        "XenVMMXenVMM" => "Xen",
        "VBoxVBoxVBox" => "VirtualBox",
        "bhyvebhyve" => "bhyve",
        "ACRNACRNACRN" => "ACRN",
        "QNXQVMBSQG" => "QNX",
        "prlhyperv" or "lrpepyhvr" => "Parallels",
        _ => signature,
    };

    private static string? NameOfDmi(string? vendor, string? product) => (vendor ?? "", product ?? "") switch
    {
        (var v, _) when v.StartsWith("QEMU", StringComparison.Ordinal) => "KVM or QEMU",
        (var v, _) when v.StartsWith("VMware", StringComparison.Ordinal) => "VMware",
        (var v, _) when v.StartsWith("Xen", StringComparison.Ordinal) => "Xen",
        (var v, _) when v.StartsWith("Amazon EC2", StringComparison.Ordinal) => "Amazon EC2",
        (var v, _) when v.StartsWith("innotek", StringComparison.Ordinal) => "VirtualBox",
        (var v, _) when v.StartsWith("Parallels", StringComparison.Ordinal) => "Parallels",
        (_, "Google Compute Engine") => "Google Compute Engine",
        ("Microsoft Corporation", "Virtual Machine") => "Hyper-V",
        (_, var p) when p.Contains("KVM", StringComparison.Ordinal) => "KVM",
        (_, "Apple Virtualization Generic Platform") => "Apple's Virtualization framework",
        _ => null,
    };

    private static string? ReadFirst(string path)
    {
        try
        {
            var text = File.ReadAllText(path).TrimEnd('\0', '\n');
            return text.Length > 0 ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
