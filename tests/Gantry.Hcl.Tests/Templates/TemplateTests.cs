using System.Runtime.CompilerServices;
using Gantry.Hcl.Diagnostics;
using Gantry.Hcl.Evaluation;
using Gantry.Hcl.Functions;
using Gantry.Hcl.Schema;
using Gantry.Hcl.Syntax;
using Gantry.Hcl.Values;

namespace Gantry.Hcl.Tests.Templates;

/// <summary>Whole templates, read the way a builder would: variables, then locals in order of need, then sources.</summary>
public sealed class TemplateTests
{
    private sealed class Template
    {
        private readonly Dictionary<string, HclValue> _locals = [];
        private readonly Dictionary<string, (Expression Expression, bool IsSensitive)> _expressions = [];
        private readonly FunctionRegistry _functions;

        public Template(string name, [CallerFilePath] string caller = "")
        {
            var folder = Path.GetDirectoryName(caller)!;
            var files = new MemoryFiles().With("/base/http/user-data.tpl", File.ReadAllBytes(Path.Combine(folder, "files", "user-data.tpl")));
            _functions = Hcl.Functions(files);
            var parsed = HclParser.ParseFile(name, File.ReadAllBytes(Path.Combine(folder, name)));
            Assert.Equal("", Hcl.Messages(parsed.Diagnostics));
            Body = parsed.Body;
            Variables = HclValue.Object(Body.BlocksOf("variable").Select(Variable).ToList());
            foreach (var attribute in Body.BlocksOf("locals").SelectMany(block => block.Body.Attributes))
                _expressions.Add(attribute.Name, (attribute.Expression, false));
            foreach (var block in Body.BlocksOf("local"))
                _expressions.Add(block.Labels[0].Text, (block.Body.Attribute("expression")!.Expression, block.Body.Attribute("sensitive") is not null));
            foreach (var local in _expressions.Keys)
                Local(local);
        }

        public Body Body { get; }

        public HclValue Variables { get; }

        public IReadOnlyDictionary<string, HclValue> Locals => _locals;

        public EvaluationScope Scope => new(
            new Dictionary<string, HclValue>
            {
                ["var"] = Variables,
                ["local"] = HclValue.Object(_locals),
                ["build"] = HclValue.UnknownOfAnyType,
                ["source"] = HclValue.Object([KeyValuePair.Create("name", HclValue.String("ubuntu"))]),
            },
            _functions);

        private KeyValuePair<string, HclValue> Variable(Block block)
        {
            var diagnostics = new DiagnosticBag();
            var type = HclTypeExpression.Read(block.Body.Attribute("type")!.Expression, diagnostics);
            var value = Evaluator.EvaluateAs(block.Body.Attribute("default")!.Expression, type, EvaluationScope.Empty, diagnostics);
            Assert.Equal("", Hcl.Messages(diagnostics));
            return KeyValuePair.Create(block.Labels[0].Text, block.Body.Attribute("sensitive") is null ? value : value.AsSensitive());
        }

        private void Local(string name)
        {
            if (_locals.ContainsKey(name))
                return;
            var (expression, isSensitive) = _expressions[name];
            foreach (var reference in References.Of(expression).Where(reference => reference.Root == "local"))
                Local(reference.NameAt(0)!);
            var diagnostics = new DiagnosticBag();
            var value = Evaluator.Evaluate(expression, Scope, diagnostics);
            Assert.Equal("", Hcl.Messages(diagnostics));
            _locals[name] = isSensitive ? value.AsSensitive() : value;
        }
    }

    private static readonly BodySchema Everything = new() { AllowsMore = true };

    [Fact]
    public void Ubuntu_Locals_AreOrderedAndEvaluated()
    {
        var template = new Template("ubuntu.pkr.hcl");
        Assert.Equal("ubuntu-24.04-20260304-0506", template.Locals["name"].AsString());
        Assert.Equal(
            "{disk00 = \"20G/qcow2\", disk01 = \"5G/raw\", headless = \"yes\", os = \"linux\", release = \"24.04.1\"}",
            template.Locals["tags"].ToString());
        Assert.Equal("""
            #cloud-config
            autoinstall:
              version: 1
              identity: {hostname: ubuntu}
              packages:
                - qemu-guest-agent
                - curl
              ssh:
                authorized-keys:
                  - "ssh-ed25519 AAAA admin" # admin
                  - "ssh-ed25519 BBBB ops" # ops

            """, template.Locals["user_data"].AsString());
    }

    [Fact]
    public void Ubuntu_Source_IsDecodedWhole()
    {
        var template = new Template("ubuntu.pkr.hcl");
        var schema = new BodySchema
        {
            Attributes =
            [
                new("vm_name", HclType.String), new("iso_url", HclType.String, true), new("iso_checksum", HclType.String),
                new("disk_size", HclType.String), new("disk_additional_size", HclType.List(HclType.String)), new("memory", HclType.Number),
                new("headless", HclType.Bool), new("http_content", HclType.Map(HclType.String)), new("boot_wait", HclType.String),
                new("boot_command", HclType.List(HclType.String)), new("qemuargs", HclType.List(HclType.List(HclType.String))),
                new("ssh_username", HclType.String), new("ssh_password", HclType.String), new("shutdown_command", HclType.String),
            ],
        };
        var diagnostics = new DiagnosticBag();
        var body = BodyDecoder.Decode(template.Body.BlocksOf("source").Single().Body, schema, template.Scope, diagnostics);
        Assert.Equal("", Hcl.Messages(diagnostics));
        Assert.Equal("https://releases.example.org/24.04/ubuntu-24.04.1-live-server-amd64.iso", body.Text("iso_url"));
        Assert.Equal(2048, body.Integer("memory"));
        Assert.Equal<string>(["5G"], body.Texts("disk_additional_size")!.Value);
        Assert.Equal("[[\"-cpu\", \"max\"], [\"-device\", \"virtio-rng-pci,id=rng0\"], [\"-device\", \"virtio-rng-pci,id=rng1\"]]", body["qemuargs"]!.ToString());
        Assert.Equal("\"instance-id\": \"ubuntu-24.04-20260304-0506\"\n\"local-hostname\": \"ubuntu\"\n", body["http_content"]!.AsEntries()["/meta-data"].AsString());
        Assert.Contains("{{ .HTTPIP }}:{{ .HTTPPort }}/' ", body.Texts("boot_command")!.Value[1], StringComparison.Ordinal);
        Assert.True(body["shutdown_command"]!.IsSensitive);
        Assert.Equal("(sensitive)", body["shutdown_command"]!.ToString());
    }

    [Fact]
    public void Ubuntu_Provisioner_WaitsForWhatOnlyTheBuildKnows()
    {
        var template = new Template("ubuntu.pkr.hcl");
        var provisioner = template.Body.BlocksOf("build").Single().Body.BlocksOf("provisioner").Single();
        var inline = provisioner.Body.Attribute("inline")!.Expression;
        Assert.Equal(["build.ID", "source.name"], References.Of(inline).Select(reference => reference.ToString()));
        var diagnostics = new DiagnosticBag();
        var early = Evaluator.EvaluateAs(inline, HclType.List(HclType.String), template.Scope, diagnostics);
        Assert.False(early.IsWhollyKnown);
        var build = new Dictionary<string, HclValue> { ["build"] = HclValue.Object([KeyValuePair.Create("ID", HclValue.String("7"))]) };
        var late = Evaluator.EvaluateAs(inline, HclType.List(HclType.String), template.Scope.CreateChild(build), diagnostics);
        Assert.Equal("echo 7 on ubuntu", late.AsItems()[1].AsString());
        var environment = Evaluator.Evaluate(provisioner.Body.Attribute("environment_vars")!.Expression, template.Scope, diagnostics);
        Assert.Equal("TAG_DISK00=20G/qcow2", environment.AsItems()[0].AsString());
        Assert.Empty(diagnostics);
    }

    [Fact]
    public void Ubuntu_Validation_HoldsAndBreaks()
    {
        var template = new Template("ubuntu.pkr.hcl");
        var validation = template.Body.BlocksOf("variable").ElementAt(1).Body.BlocksOf("validation").Single();
        var condition = validation.Body.Attribute("condition")!.Expression;
        Assert.Equal(HclValue.True, Evaluator.Evaluate(condition, template.Scope, new DiagnosticBag()));
        var wrong = template.Scope.CreateChild(new Dictionary<string, HclValue>
        {
            ["var"] = HclValue.Object([KeyValuePair.Create("release", HclValue.String("noble"))]),
        });
        Assert.Equal(HclValue.False, Evaluator.Evaluate(condition, wrong, new DiagnosticBag()));
    }

    [Fact]
    public void Debian_Heredocs_KeepWhatTheShellNeeds()
    {
        var template = new Template("debian.pkr.hcl");
        var preseed = template.Locals["preseed"];
        Assert.True(preseed.IsSensitive);
        Assert.Equal($$"""
            d-i mirror/http/hostname string deb.example.org
            d-i mirror/http/directory string /debian

            d-i localechooser/supported-locales multiselect de_DE.UTF-8, en_GB.UTF-8
            d-i passwd/root-password-crypted password {{template.Locals["root_password"].Unmark().AsString()}}
              d-i preseed/late_command string \
                in-target sh -c 'echo "${HOME} 100%" > /etc/motd'

            """, preseed.Unmark().AsString());
        Assert.Equal("#!/bin/sh\nset -eu\n\tfor f in $(ls); do echo \"${f%%.*}\"; done\n", template.Locals["script"].AsString());
    }

    [Fact]
    public void Debian_Build_ExpandsAndKeepsOrder()
    {
        var template = new Template("debian.pkr.hcl");
        var schema = new BodySchema
        {
            Blocks =
            [
                new() { Type = "source", LabelNames = ["reference"], Body = Everything },
                new() { Type = "provisioner", LabelNames = ["type"], Body = Everything },
            ],
        };
        var diagnostics = new DiagnosticBag();
        BodyDecoder.Decode(template.Body.BlocksOf("build").Single().Body, schema, template.Scope, diagnostics);
        // A dynamic block whose blocks need labels has to give them.
        Assert.Contains("Missing reference for source", Assert.Single(diagnostics).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("templatefile(\"r.tpl\", {})", "a template may not read another one")]
    [InlineData("templatefile(\"x.tpl\", {})", "x is used at x.tpl:1:5, and is not among the vars")]
    [InlineData("templatefile(\"bad.tpl\", {})", "bad.tpl:2:3: error: Invalid expression")]
    [InlineData("templatefile(\"x.tpl\", {\"a b\" = 1})", "invalid template variable name \"a b\"")]
    [InlineData("file(\"latin1\")", "are not valid UTF-8; use the filebase64")]
    public void TemplateFile_Wrong_SaysWhere(string expression, string expected)
    {
        var files = new MemoryFiles().With("/base/r.tpl", "${templatefile(\"r.tpl\", {})}").With("/base/x.tpl", "a ${x}").With("/base/bad.tpl", "a\n${}").With("/base/latin1", [0xE9]);
        Assert.Contains(expected, Hcl.Error(expression, new EvaluationScope(functions: Hcl.Functions(files))), StringComparison.Ordinal);
    }

    [Fact]
    public void FileFunctions_ReadBelowTheTemplate()
    {
        var files = new MemoryFiles().With("/base/a.txt", "A").With("/base/s/b.sh", "B").With("/base/s/t/c.sh", "C").With("/home/me/h", "H");
        var scope = new EvaluationScope(functions: Hcl.Functions(files));
        Assert.Equal("[\"A\", \"H\", \"Qg==\", true, false]", Hcl.Eval("[file(\"a.txt\"), file(\"~/h\"), filebase64(\"./s/b.sh\"), fileexists(\"a.txt\"), fileexists(\"b\")]", scope).ToString());
        Assert.Equal("[\"b.sh\", \"t/c.sh\"]", Hcl.Eval("fileset(\"s\", \"**/*.sh\")", scope).ToString());
        Assert.Equal("[\"b.sh\"]", Hcl.Eval("fileset(\"s\", \"{b,x}.[a-z]?\")", scope).ToString());
    }

    [Fact]
    public void LocalFileAccess_ReadsRealFilesWithinItsLimit()
    {
        var folder = Directory.CreateTempSubdirectory("gantry-hcl-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "a.txt"), "12345");
            var files = new LocalFileAccess(folder.FullName);
            var path = Path.Combine(folder.FullName, "a.txt");
            Assert.Equal(5, files.ReadAllBytes(path, 5).Length);
            Assert.Contains("larger than 4 bytes", Assert.Throws<HclException>(() => files.ReadAllBytes(path, 4)).Message, StringComparison.Ordinal);
            Assert.Contains("there is no file", Assert.Throws<HclException>(() => files.ReadAllBytes(path + "x", 4)).Message, StringComparison.Ordinal);
            Assert.Contains("is a directory", Assert.Throws<HclException>(() => files.ReadAllBytes(folder.FullName, 4)).Message, StringComparison.Ordinal);
            Assert.Equal(["a.txt"], files.ListFiles(folder.FullName, 10));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
