using Gantry.Hcl.Functions;

namespace Gantry.Hcl.Tests.Functions;

public sealed class FunctionTests
{
    // What Packer's own console answers to the same expressions, where its version knows the function.
    [Theory]
    [InlineData("abs(-5.5)", "5.5")]
    [InlineData("ceil(1.2)", "2")]
    [InlineData("ceil(-1.2)", "-1")]
    [InlineData("floor(-1.2)", "-2")]
    [InlineData("log(8, 2)", "3")]
    [InlineData("log(10, 10)", "1")]
    [InlineData("max(1, 5, 3)", "5")]
    [InlineData("min(1, 5, -3)", "-3")]
    [InlineData("max([1, 2]...)", "2")]
    [InlineData("parseint(\"ff\", 16)", "255")]
    [InlineData("parseint(\"zz\", 36)", "1295")]
    [InlineData("parseint(\"-FF\", 16)", "-255")]
    [InlineData("pow(2, 0.5)", "1.4142135623730951")]
    [InlineData("signum(-3)", "-1")]
    [InlineData("sum([1, 2.5, \"3\"])", "6.5")]
    [InlineData("range(3)", "[0, 1, 2]")]
    [InlineData("range(1, 10, 3)", "[1, 4, 7]")]
    [InlineData("range(3, 0)", "[3, 2, 1]")]
    [InlineData("range(1, 0, -0.5)", "[1, 0.5]")]
    [InlineData("range(0)", "[]")]
    public void Number_Functions_GivePackersResults(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).ToString());

    [Theory]
    [InlineData("chomp(\"a\\n\\r\\n\")", "\"a\"")]
    [InlineData("upper(\"straße\")", "\"STRAßE\"")]
    [InlineData("title(\"hello wOrld-foo bar_baz\")", "\"Hello WOrld-Foo Bar_baz\"")]
    [InlineData("strrev(\"abc\")", "\"cba\"")]
    [InlineData("trim(\"?!hello?!\", \"!?\")", "\"hello\"")]
    [InlineData("trimprefix(\"helloworld\", \"hello\")", "\"world\"")]
    [InlineData("trimsuffix(\"helloworld\", \"world\")", "\"hello\"")]
    [InlineData("trimspace(\"  a \\n\")", "\"a\"")]
    [InlineData("indent(2, \"a\\nb\\n\\nc\")", "\"a\\n  b\\n  \\n  c\"")]
    [InlineData("join(\"-\", [\"a\"], [\"b\", \"c\"])", "\"a-b-c\"")]
    [InlineData("join(\",\", [])", "\"\"")]
    [InlineData("split(\",\", \"\")", "[\"\"]")]
    [InlineData("split(\"\", \"abc\")", "[\"a\", \"b\", \"c\"]")]
    [InlineData("split(\",\", \"a,b\")", "[\"a\", \"b\"]")]
    [InlineData("replace(\"a.b.c\", \".\", \"/\")", "\"a/b/c\"")]
    [InlineData("replace(\"ab\", \"\", \"-\")", "\"-a-b-\"")]
    [InlineData("substr(\"hello world\", -5, -1)", "\"world\"")]
    [InlineData("substr(\"hello\", 1, 3)", "\"ell\"")]
    [InlineData("substr(\"hello\", 1, 30)", "\"ello\"")]
    [InlineData("startswith(\"abc\", \"ab\")", "true")]
    [InlineData("endswith(\"abc\", \"ab\")", "false")]
    [InlineData("strcontains(\"abc\", \"bc\")", "true")]
    public void String_Functions_GivePackersResults(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).ToString());

    [Theory]
    [InlineData("alltrue([true, \"true\"])", "true")]
    [InlineData("alltrue([])", "true")]
    [InlineData("anytrue([])", "false")]
    [InlineData("chunklist([\"a\", \"b\", \"c\"], 2)", "[[\"a\", \"b\"], [\"c\"]]")]
    [InlineData("coalesce(\"\", null, \"x\")", "\"x\"")]
    [InlineData("coalescelist([], [1])", "[1]")]
    [InlineData("compact([\"a\", \"\", null])", "[\"a\"]")]
    [InlineData("concat([\"a\"], [1])", "[\"a\", 1]")]
    [InlineData("contains([\"a\"], \"a\")", "true")]
    [InlineData("contains([1, 2], \"1\")", "false")]
    [InlineData("distinct([\"a\", 1, \"a\"])", "[\"a\", \"1\"]")]
    [InlineData("element([\"a\", \"b\", \"c\"], 4)", "\"b\"")]
    [InlineData("element([\"a\", \"b\", \"c\"], -1)", "\"c\"")]
    [InlineData("flatten([[\"a\"], [], [[\"b\"], \"c\"]])", "[\"a\", \"b\", \"c\"]")]
    [InlineData("index([\"a\", \"b\"], \"b\")", "1")]
    [InlineData("keys({b = 1, a = 2})", "[\"a\", \"b\"]")]
    [InlineData("length(\"héllo\")", "5")]
    [InlineData("length({a = 1})", "1")]
    [InlineData("lookup({a = 1}, \"b\", \"z\")", "\"z\"")]
    [InlineData("lookup({a = 1}, \"a\", 5)", "1")]
    [InlineData("merge({a = 1}, null, {b = \"x\"})", "{a = 1, b = \"x\"}")]
    [InlineData("merge()", "{}")]
    [InlineData("reverse([1, \"a\"])", "[\"a\", 1]")]
    [InlineData("setunion([\"a\"], [\"b\"])", "[\"a\", \"b\"]")]
    [InlineData("setintersection([\"a\", \"b\"], [\"b\"])", "[\"b\"]")]
    [InlineData("setproduct([\"a\", \"b\"], [1, 2])", "[[\"a\", 1], [\"a\", 2], [\"b\", 1], [\"b\", 2]]")]
    [InlineData("slice([\"a\", \"b\", \"c\"], 1, 3)", "[\"b\", \"c\"]")]
    [InlineData("sort([\"b\", \"a\"])", "[\"a\", \"b\"]")]
    [InlineData("values({b = 1, a = \"x\"})", "[\"x\", 1]")]
    [InlineData("zipmap([\"a\", \"b\"], [1, \"x\"])", "{a = 1, b = \"x\"}")]
    public void Collection_Functions_GivePackersResults(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).ToString());

    [Theory]
    [InlineData("regex(\"(\\\\d+)-(?P<x>\\\\d+)\", \"10-20\")", null)]
    [InlineData("regex(\"(?P<a>\\\\d+)-(?P<x>\\\\d+)\", \"10-20\")", "{a = \"10\", x = \"20\"}")]
    [InlineData("regex(\"(\\\\d+)-(\\\\d+)\", \"10-20\")", "[\"10\", \"20\"]")]
    [InlineData("regex(\"(a)|(b)\", \"b\")", "[null, \"b\"]")]
    [InlineData("regex(\"\\\\d+\", \"a10b\")", "\"10\"")]
    [InlineData("regex(\"[[:alpha:]]+\", \"10ab\")", "\"ab\"")]
    [InlineData("regex(\"[]a]+\", \"x]a\")", "\"]a\"")]
    [InlineData("regex(\"\\\\Qa.b\\\\E\", \"axb a.b\")", "\"a.b\"")]
    [InlineData("regex(\"(?m)^b$\", \"a\\nb\\nc\")", "\"b\"")]
    [InlineData("can(regex(\"a$\", \"a\\n\"))", "false")]
    [InlineData("can(regex(\"(?=a)\", \"a\"))", "false")]
    [InlineData("can(regex(\"^[0-9]+$\", \"12x\"))", "false")]
    [InlineData("regexall(\"\\\\d\", \"a1b2\")", "[\"1\", \"2\"]")]
    [InlineData("length(regexall(\"x\", \"a1b2\"))", "0")]
    [InlineData("regex_replace(\"abc123\", \"(\\\\d)(\\\\d)\", \"$2$1-$${1}x\")", "\"abc21-1x3\"")]
    public void Regex_Functions_FollowRe2(string expression, string? expected)
    {
        if (expected is null)
            Assert.Contains("can not be mixed", Hcl.Error(expression));
        else
            Assert.Equal(expected, Hcl.Eval(expression).ToString());
    }

    [Theory]
    [InlineData("format(\"%05.2f|%s|%v\", 3.14159, \"x\", [1, 2])", "03.14|x|[1,2]")]
    [InlineData("format(\"%g %e %f %.3g\", 1.5, 1500000, 2, 1234.5)", "1.5 1.500000e+06 2.000000 1.23e+03")]
    [InlineData("format(\"%v %v %v %s %v\", 1500000, 123456789, 0.0001, 1500000, 0.00001)", "1.5e+06 1.23456789e+08 0.0001 1500000 1e-05")]
    [InlineData("format(\"%g %G\", 1e30, 1e-7)", "1e+30 1E-07")]
    [InlineData("format(\"%5v|%-8v|%08v\", \"a\", 12, 12)", "    a|12      |00000012")]
    [InlineData("format(\"%05s\", \"ab\")", "000ab")]
    [InlineData("format(\"%+v\", 5)", "5")]
    [InlineData("format(\"%e %E\", 0, 1234.5678)", "0.000000e+00 1.234568E+03")]
    [InlineData("format(\"%.0f %.1f\", 2.5, 0.25)", "2 0.2")]
    [InlineData("format(\"%5.1f|%-7.2f|\", 3.14159, 2)", "  3.1|2.00   |")]
    [InlineData("format(\"%q\", 5)", "\"5\"")]
    [InlineData("format(\"%s %d\", true, \"5\")", "true 5")]
    [InlineData("format(\"%t\", \"true\")", "true")]
    [InlineData("format(\"%#v\", \"x\")", "\"x\"")]
    [InlineData("format(\"%v %v %v\", null, [1, \"x\"], {a = 1})", "null [1,\"x\"] {\"a\":1}")]
    [InlineData("format(\"%5s|%-5s|%.2s|%05d|% d|%+.2f\", \"a\", \"b\", \"héllo\", -42, 42, 1.005)", "    a|b    |hé|-0042| 42|+1.00")]
    [InlineData("format(\"%[2]s %[1]s\", \"a\", \"b\")", "b a")]
    [InlineData("format(\"%x %X %o %b %t %%\", 255, 255, 8, 5, true)", "ff FF 10 101 true %")]
    [InlineData("format(\"%v\", 1/3)", "0.33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333335")]
    public void Format_Verbs_GivePackersResults(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).AsString());

    [Theory]
    [InlineData("format(\"%s\")", "not enough arguments for \"%s\" at 0: need index 1 but have 0 total")]
    [InlineData("format(\"x\", 1)", "the format has no verb, so it takes no arguments")]
    [InlineData("format(\"%d\", 1.5)", "unsupported value for \"%d\" at 0: a whole number is required")]
    [InlineData("format(\"%s\", null)", "null can not be formatted")]
    [InlineData("format(\"%s\", [1])", "a string is required")]
    [InlineData("format(\"%z\", 1)", "there is no format verb \"z\"")]
    [InlineData("format(\"%999999999d\", 1)", "at most 100000")]
    [InlineData("formatlist(\"%s%s\", [1], [1, 2])", "same length")]
    [InlineData("range(2000)", "more than 1024 values")]
    [InlineData("cidrhost(\"10.0.0.0/24\", 256)", "has no host number 256")]
    [InlineData("cidrsubnet(\"10.0.0.0/24\", 9, 0)", "not enough remaining address space")]
    [InlineData("formatdate(\"QQ\", \"2018-01-02T23:12:01Z\")", "there is no date format verb \"QQ\"")]
    [InlineData("formatdate(\"YYYY\", \"2018\")", "not a valid RFC3339 timestamp")]
    [InlineData("timeadd(timestamp(), \"1x\")", "is not a duration")]
    [InlineData("jsondecode(\"{\")", "invalid JSON on line 1")]
    [InlineData("yamldecode(\"a: [\")", "invalid YAML on line")]
    [InlineData("base64decode(\"%\")", "not valid base64")]
    [InlineData("file(\"nothing\")", "there is no file /base/nothing")]
    [InlineData("try(nothing.a, {}.b)", "no expression succeeded: Variables not allowed at test.hcl:1:5; Unsupported attribute at test.hcl:1:19")]
    [InlineData("upper()", "expects 1 argument(s). Missing value for \"str\"")]
    [InlineData("upper(1, 2)", "expects only 1 argument(s)")]
    [InlineData("uper(1)", "There is no function named \"uper\". Did you mean \"upper\"?")]
    [InlineData("upper(null)", "argument must not be null")]
    [InlineData("upper([])", "a string is required, but this is a tuple")]
    [InlineData("regex(\"a\", \"b\")", "pattern did not match any part of the given string")]
    [InlineData("element([], 0)", "empty list")]
    [InlineData("lookup({}, \"a\")", "no default value was given")]
    public void Function_WrongUse_SaysWhatIsWrong(string expression, string expected) =>
        Assert.Contains(expected, Hcl.Error(expression));

    [Theory]
    [InlineData("formatlist(\"%s-%d\", [\"a\", \"b\"], [1, 2])", "[\"a-1\", \"b-2\"]")]
    [InlineData("formatlist(\"%s-%d\", \"a\", [1, 2])", "[\"a-1\", \"a-2\"]")]
    [InlineData("csvdecode(\"a,b\\n1,2\\n3,\\\"x,y\\\"\\n\")", "[{a = \"1\", b = \"2\"}, {a = \"3\", b = \"x,y\"}]")]
    [InlineData("jsondecode(\"{\\\"a\\\":[1,2.50,null,true,\\\"x\\\"]}\")", "{a = [1, 2.5, null, true, \"x\"]}")]
    [InlineData("jsonencode({b = [1/4, 1e30, \"<&>\"], a = null})", "\"{\\\"a\\\":null,\\\"b\\\":[0.25,1000000000000000000000000000000,\\\"\\\\u003c\\\\u0026\\\\u003e\\\"]}\"")]
    [InlineData("yamldecode(\"- 1\\n- 0o17\\n- 017\\n- .5\\n- +1\\n- 1_000\\n- on\\n- 0x1F\\n- \\\"x\\\"\\n- Null\\n- True\\n- ~\\n- 2020-01-01\\n- 1e3\\n- !!str 5\")",
        "[1, \"0o17\", 17, 0.5, 1, 1000, true, \"0x1F\", \"x\", null, true, null, \"2020-01-01T00:00:00Z\", 1000, \"5\"]")]
    [InlineData("yamldecode(\"a: &x {k: 1, j: 2}\\nb:\\n  <<: *x\\n  k: 3\")", "{a = {j = 2, k = 1}, b = {j = 2, k = 3}}")]
    [InlineData("urlencode(\"a b&c/d~é\")", "\"a+b%26c%2Fd~%C3%A9\"")]
    [InlineData("base64decode(\"aGk=\")", "\"hi\"")]
    [InlineData("base64encode(\"hi\")", "\"aGk=\"")]
    [InlineData("textencodebase64(\"hi\", \"UTF-16LE\")", "\"aABpAA==\"")]
    [InlineData("textdecodebase64(\"aABpAA==\", \"UTF-16LE\")", "\"hi\"")]
    [InlineData("textdecodebase64(\"4A==\", \"windows-1252\")", "\"à\"")]
    [InlineData("md5(\"a\")", "\"0cc175b9c0f1b6a831c399e269772661\"")]
    [InlineData("sha1(\"a\")", "\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\"")]
    [InlineData("length(sha512(\"a\"))", "128")]
    [InlineData("uuidv5(\"dns\", \"www.terraform.io\")", "\"a5008fae-b28c-5ba5-96cd-82b4c53552d6\"")]
    [InlineData("uuidv4()", "\"00112233-4455-4677-8899-aabbccddeeff\"")]
    public void Encoding_Functions_GivePackersResults(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).ToString());

    [Theory]
    [InlineData("cidrhost(\"10.0.0.0/8\", 258)", "10.0.1.2")]
    [InlineData("cidrhost(\"10.0.0.0/8\", -2)", "10.255.255.254")]
    [InlineData("cidrhost(\"10.0.0.5/24\", 1)", "10.0.0.1")]
    [InlineData("cidrhost(\"fd00::/64\", 5)", "fd00::5")]
    [InlineData("cidrnetmask(\"172.16.0.0/12\")", "255.240.0.0")]
    [InlineData("cidrsubnet(\"172.16.0.0/12\", 4, 2)", "172.18.0.0/16")]
    [InlineData("cidrsubnet(\"fd00::/16\", 8, 255)", "fd00:ff00::/24")]
    [InlineData("join(\" \", cidrsubnets(\"10.1.0.0/16\", 4, 4, 8, 4))", "10.1.0.0/20 10.1.16.0/20 10.1.32.0/24 10.1.48.0/20")]
    [InlineData("timestamp()", "2026-03-04T05:06:07Z")]
    [InlineData("timeadd(\"2017-11-22T00:00:00Z\", \"1h30m\")", "2017-11-22T01:30:00Z")]
    [InlineData("timeadd(\"2017-11-22T00:00:00Z\", \"-1.5h\")", "2017-11-21T22:30:00Z")]
    [InlineData("timeadd(\"2017-11-22T00:00:00+02:00\", \"1h\")", "2017-11-22T01:00:00+02:00")]
    [InlineData("formatdate(\"EEEE, DD MMM YYYY hh:mm:ss ZZZ\", \"2020-01-02T03:04:05+01:00\")", "Thursday, 02 Jan 2020 03:04:05 +0100")]
    [InlineData("formatdate(\"h:mm aa\", \"2018-01-02T23:12:01Z\")", "23:12 pm")]
    [InlineData("formatdate(\"EEE MMM D 'at' HH:mm''ss AA\", \"2018-01-02T23:12:01Z\")", "Tue Jan 2 at 11:12'01 PM")]
    [InlineData("formatdate(\"ZZZZZ ZZZZ Z\", \"2018-01-02T23:12:01Z\")", "+00:00 +0000 Z")]
    [InlineData("formatdate(\"ZZZZZ ZZZZ Z\", \"2018-01-02T23:12:01-08:30\")", "-08:30 -0830 -08:30")]
    [InlineData("formatdate(\"'o''clock' YYYYMMDDhhmmss\", timestamp())", "o'clock 20260304050607")]
    [InlineData("legacy_isotime()", "2026-03-04T05:06:07Z")]
    [InlineData("legacy_isotime(\"Monday, 02-Jan-06 15:04:05.000 MST\")", "Wednesday, 04-Mar-26 05:06:07.890 UTC")]
    [InlineData("legacy_isotime(\"20060102-3pm\")", "20260304-5am")]
    [InlineData("legacy_strftime(\"%Y-%m-%d %H:%M:%S %j %% %q\")", "2026-03-04 05:06:07 063 % %q")]
    [InlineData("\"${rfc3339_parse(\"2021-01-03T00:00:00Z\").iso_week} ${rfc3339_parse(\"2021-01-03T00:00:00Z\").unix}\"", "53 1609632000")]
    [InlineData("unix_timestamp_parse(0).rfc3339", "1970-01-01T00:00:00Z")]
    [InlineData("abspath(\"a/../b\")", "/current/b")]
    [InlineData("basename(\"/a/b/\")", "b")]
    [InlineData("basename(\"\")", ".")]
    [InlineData("dirname(\"/a/b/c.txt\")", "/a/b")]
    [InlineData("dirname(\"c.txt\")", ".")]
    [InlineData("pathexpand(\"~/x\")", "/home/me/x")]
    public void Text_Results_ArePackers(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).AsString());

    [Fact]
    public void Yaml_Encoding_LooksLikeGos()
    {
        const string Expression = """
            yamlencode({"k" = "a: b", l = [[1,2],[]], n = 1.50, big=10000000000000000000000, m={x={y="z"}}, s="x\n",
              t="a\n\nb\n\n", u=" lead\nb", a=[1,{b="x\ny"}],c=null,d=true,e="",f="no",g={}})
            """;
        Assert.Equal("""
            "a":
            - 1
            - "b": |-
                x
                y
            "big": 10000000000000000000000
            "c": null
            "d": true
            "e": ""
            "f": "no"
            "g": {}
            "k": "a: b"
            "l":
            - - 1
              - 2
            - []
            "m":
              "x":
                "y": "z"
            "n": 1.5
            "s": |
              x
            "t": |+
              a

              b

            "u": |2-
               lead
              b

            """, Hcl.Eval(Expression).AsString());
    }

    [Theory]
    [InlineData("yamlencode(\"x\")", "\"x\"\n")]
    [InlineData("yamlencode([])", "[]\n")]
    [InlineData("yamlencode(5)", "5\n")]
    [InlineData("yamlencode(null)", "null\n")]
    public void Yaml_LoneValue_IsOneLine(string expression, string expected) =>
        Assert.Equal(expected, Hcl.Eval(expression).AsString());

    [Fact]
    public void Yaml_ManyLaughs_AreRefused()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 12).Select(i =>
            $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        var files = new MemoryFiles().With("/base/bomb.yaml", bomb);
        var scope = new Gantry.Hcl.Evaluation.EvaluationScope(functions: Hcl.Functions(files));
        Assert.Contains("too large", Hcl.Error("yamldecode(file(\"bomb.yaml\"))", scope));
    }

    [Fact]
    public void Gzip_Function_RoundTrips()
    {
        var bytes = Convert.FromBase64String(Hcl.Eval("base64gzip(\"hello\")").AsString());
        using var gzip = new System.IO.Compression.GZipStream(new MemoryStream(bytes), System.IO.Compression.CompressionMode.Decompress);
        Assert.Equal("hello", new StreamReader(gzip).ReadToEnd());
    }

    [Fact]
    public void Registry_Names_ArePackersButForRemoteServices()
    {
        const string Packers =
            "abs abspath alltrue anytrue aws_secretsmanager aws_secretsmanager_raw base64decode base64encode base64gzip basename bcrypt can ceil "
            + "chomp chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist compact concat consul_key contains convert csvdecode "
            + "dirname distinct element endswith file filebase64 fileexists fileset flatten floor format formatdate formatlist indent index join "
            + "jsondecode jsonencode keys legacy_isotime legacy_strftime length log lookup lower max md5 merge min parseint pathexpand pow range regex "
            + "regex_replace regexall replace reverse rfc3339_parse rsadecrypt setintersection setproduct setunion sha1 sha256 sha512 signum slice sort "
            + "split startswith strcontains strrev substr sum templatefile textdecodebase64 textencodebase64 timeadd timestamp title trim trimprefix "
            + "trimspace trimsuffix try unix_timestamp_parse upper urlencode uuidv4 uuidv5 values vault yamldecode yamlencode zipmap";
        string[] absent = ["aws_secretsmanager", "aws_secretsmanager_raw", "bcrypt", "consul_key", "rsadecrypt", "vault"];
        Assert.Equal(Packers.Split(' ').Except(absent), Hcl.Functions().Names);
    }
}
