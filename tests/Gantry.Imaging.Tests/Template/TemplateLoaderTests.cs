using Gantry.Imaging.Definitions;
using Gantry.Model;
using Gantry.Model.Machines;

namespace Gantry.Imaging.Tests.Template;

public sealed class TemplateLoaderTests : IDisposable
{
    private readonly TemplateFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("mini")]
    [InlineData("mini-derived")]
    [InlineData("mini-iso")]
    public void Example_LoadsWithoutErrors(string name)
    {
        var template = _folder.LoadPath(Path.Combine(TemplateFolder.Repository(), "examples", name));
        Assert.Equal("", _folder.Render(template));
        Assert.Equal($"{name}.qemu.{name}", Assert.Single(template.Builds).Name);
    }

    [Fact]
    public void ExampleMiniIso_PutsItsAnswersOnTheIso()
    {
        var template = _folder.LoadPath(Path.Combine(TemplateFolder.Repository(), "examples/mini-iso"));
        var iso = Assert.Single(template.Builds).Source.Output.Iso!;
        Assert.Empty(iso.Files);
        var file = Assert.Single(iso.Content);
        Assert.Equal("/answers", file.Path);
        Assert.StartsWith("hostname=unattended\n", file.Content, StringComparison.Ordinal);
    }

    [Fact]
    public void IsoArtifact_OfAFileThatIsMissing_IsAnError()
    {
        var template = _folder.Load(Templates.Source("", "artifact \"iso\" {\n files = { \"/a\" = \"absent\" }\n}"));
        Assert.Contains("absent", Assert.Single(template.Diagnostics).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void StockQemuSource_IsDecoded()
    {
        _folder.Write("code.fd", "");
        var source = Read(
            $$"""
            iso_urls             = ["https://example.org/a.iso", "b.iso"]
              qemu_binary        = "qemu-system-aarch64"
              accelerator        = "tcg"
              machine_type       = "virt"
              cpu_model          = "max"
              cpus               = 4
              memory             = 2048
              disk_size          = "10G"
              disk_additional_size = ["512", "1T"]
              disk_interface     = "virtio-scsi"
              disk_cache         = "none"
              disk_discard       = "ignore"
              disk_detect_zeroes = "unmap"
              disk_compression   = true
              format             = "raw"
              net_device         = "virtio-net"
              efi_firmware_code  = "{{_folder.Path}}/code.fd"
              qemuargs           = [["-device", "virtio-rng-pci"], ["-nodefaults"], ["-smbios", "type=1,", "serial=ds"]]
              http_content       = { "/answers" = "a=b" }
              http_port_min      = 8100
              http_port_max      = 8100
              boot_wait          = "-1s"
              boot_key_interval  = "20ms"
              boot_command       = ["<enter>", "x"]
              ssh_username       = "admin"
              ssh_password       = "secret"
              ssh_timeout        = "1h2m3.5s"
              pause_before_connecting = "10s"
              shutdown_command   = "poweroff"
              shutdown_timeout   = "90s"
              vm_name            = "disk.img"
              output_directory   = "{{_folder.Path}}/out"
            """);
        var iso = Assert.IsType<BaseDefinition.Iso>(source.Base);
        Assert.Equal(["mini.iso"], iso.Urls); // iso_url stands before iso_urls
        Assert.Equal("none", iso.Checksum);
        Assert.Equal((Isa.Aarch64, "tcg", "virt", "max"), (source.Isa, source.Accelerator, source.MachineType, source.CpuModel));
        Assert.Equal((4, 2048), (source.Cpu.Count, source.MemoryMiB));
        Assert.Equal([10L << 30, 512L << 20, 1L << 40], source.DiskSizes);
        Assert.Equal((DiskBus.Scsi, "none", false, "unmap"), (source.DiskBus, source.DiskCache, source.DiskDiscard, source.DetectZeroes));
        Assert.Equal(new FirmwareSpec { Kind = FirmwareKind.Uefi, CodeFile = $"{_folder.Path}/code.fd" }, source.Firmware);
        Assert.Equal(
            [
                new QemuSwitch { Name = "-device", Value = "virtio-rng-pci" },
                new QemuSwitch { Name = "-nodefaults" },
                new QemuSwitch { Name = "-smbios", Value = "type=1,serial=ds" },
            ],
            source.QemuSwitches);
        Assert.Equal(new ContentFile("/answers", "a=b"), Assert.Single(source.Answers.HttpContent));
        Assert.Equal((8100, 8100), (source.Answers.HttpPortMin, source.Answers.HttpPortMax));
        Assert.Equal(TimeSpan.Zero, source.Boot.Wait);
        Assert.Equal(TimeSpan.FromMilliseconds(20), source.Boot.KeyInterval);
        Assert.Equal(["<enter>", "x"], source.Boot.Command);
        Assert.Equal(("admin", "secret"), (source.Communicator.User, source.Communicator.Password));
        Assert.Equal(new TimeSpan(0, 1, 2, 3, 500), source.Communicator.Timeout);
        Assert.Equal(TimeSpan.FromSeconds(10), source.Communicator.PauseBeforeConnecting);
        Assert.Equal(("poweroff", TimeSpan.FromSeconds(90)), (source.ShutdownCommand, source.ShutdownTimeout));
        Assert.Equal(
            ("raw", "disk.img", $"{_folder.Path}/out", "mini", true),
            (source.Output.Format, source.Output.MachineName, source.Output.Directory, source.Output.Template, source.Output.Compress));
    }

    [Fact]
    public void Source_WithoutMore_HasPackersDefaults()
    {
        var source = Read("boot_command = [\"x\"]");
        Assert.Equal([40L << 30], source.DiskSizes);
        Assert.Equal((512, 1), (source.MemoryMiB, source.Cpu.Count));
        Assert.Equal(TimeSpan.FromSeconds(10), source.Boot.Wait);
        Assert.Equal(FirmwareKind.Default, source.Firmware.Kind);
        Assert.Equal(("packer-mini", "qcow2"), (source.Output.MachineName, source.Output.Format));
        Assert.Equal(TimeSpan.Zero, Read("").Boot.Wait);
    }

    [Fact]
    public void Kernel_InTheIso_IsLeftForTheBuild()
    {
        var source = Read("kernel = \"iso:/install/vmlinuz\"\n  initrd = \"i.gz\"\n  kernel_arguments = \"quiet\"");
        var kernel = Assert.IsType<BaseDefinition.Kernel>(source.Base);
        Assert.Equal("iso:/install/vmlinuz", kernel.KernelPath);
        Assert.Equal(Path.GetFullPath("i.gz"), kernel.InitrdPath);
        Assert.Equal("quiet", kernel.CommandLine);
        Assert.Equal(["mini.iso"], kernel.Cdrom!.Urls);
    }

    [Fact]
    public void Provisioner_Options_AreEvaluatedWithTheBuildsVariables()
    {
        var template = _folder.Load(Templates.Source("", """
            provisioner "shell" {
              name         = "say"
              pause_before = "2s"
              max_retries  = 3
              inline       = ["echo ${build.Host} ${build.PackerHTTPAddr} ${source.name}"]
            }
            """));
        Assert.Equal("", _folder.Render(template));
        var provisioner = Assert.Single(Assert.Single(template.Builds).Provisioners);
        Assert.Equal(("say", TimeSpan.FromSeconds(2), 3), (provisioner.Label, provisioner.PauseBefore, provisioner.MaxRetries));
        var early = Assert.IsType<ProvisionerOptions.Shell>(provisioner.Options(BuildVariables.Placeholders));
        Assert.Equal(["echo <build.Host> <build.PackerHTTPAddr> mini"], early.Inline);
        var late = Assert.IsType<ProvisionerOptions.Shell>(
            provisioner.Options(BuildVariables.Placeholders with { Host = "127.0.0.1", HttpAddress = "10.0.2.2:8000" }));
        Assert.Equal(["echo 127.0.0.1 10.0.2.2:8000 mini"], late.Inline);
    }

    [Fact]
    public void Provisioner_ThatOnlyFailsLate_SaysWhere()
    {
        var template = _folder.Load(Templates.Source("", """
            provisioner "shell" {
              inline = [build.Host == "bad" ? file("absent") : "true"]
            }
            """));
        Assert.Equal("", _folder.Render(template));
        var provisioner = Assert.Single(Assert.Single(template.Builds).Provisioners);
        var problem = Assert.Throws<ProblemException>(
            () => provisioner.Options(BuildVariables.Placeholders with { Host = "bad" }));
        Assert.Contains("test.pkr.hcl:11:", problem.Problem.Detail, StringComparison.Ordinal);
    }

    private QemuSource Read(string more)
    {
        var template = _folder.Load(Templates.Source(more));
        Assert.Equal("", _folder.Render(template));
        return Assert.Single(template.Builds).Source;
    }
}
