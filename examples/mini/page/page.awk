# Writes the page from lines of `path<TAB>value`: facts of the machine, then gantry.json's as json.awk gives them.

function safe(s) {
    gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); gsub(/"/, "\\&quot;", s)
    return s
}

# A digest for people: its first 12 characters, the whole on hovering.
function short(s, plain) {
    plain = s
    sub(/^sha256:/, "", plain)
    if (length(plain) <= 16) return safe(plain)
    return "<span title=\"" safe(s) "\">" safe(substr(plain, 1, 12)) "&hellip;</span>"
}

function how(a) {
    if (a == "kvm") return "run by the processor itself (KVM)"
    if (a == "tcg") return "translated block by block (TCG)"
    return a == "" ? "run in a way the host did not tell" : "run by " safe(a)
}

function ago(s, d, h, m) {
    d = int(s / 86400); h = int(s % 86400 / 3600); m = int(s % 3600 / 60)
    return (d ? d " d " : "") (d + h ? h " h " : "") (d + h + m ? m " min " : "") s % 60 " s"
}

function row(name, text) { if (text != "") print "<div><dt>" name "</dt><dd>" text "</dd></div>" }

$1 ~ /^chain\.[0-9]+\./ {
    split($1, part, ".")
    if (part[2] + 0 >= links) links = part[2] + 1
    link[part[2] + 0, part[3]] = $2
    next
}
{ fact[$1] = $2 }

END {
    name = fact["machine"] == "" ? fact["hostname"] : fact["machine"]
    arch = fact["isa"] == "" ? fact["uname"] : fact["isa"]
    print "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    print "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    print "<meta name=\"color-scheme\" content=\"light dark\"><title>" safe(name) "</title>"
    style()
    print "</head><body><main><h1>" safe(name) "</h1>"
    print "<p>This machine&rsquo;s instructions are " safe(arch) ", " how(fact["accelerator"]) ".</p><section><dl>"
    row("Node", safe(fact["node"]))
    row("ISA", safe(fact["uname"]))
    row("Kernel", safe(fact["kernel"]))
    row("Memory", fact["memory"] " MiB")
    row("Boot", "<code>" safe(fact["boot_id"]) "</code>")
    row("Up for", ago(fact["uptime"]))
    row("Template", safe(fact["template"]))
    print "</dl></section>"
    if (links) chain()
    print "<footer><a href=\"/json\">json</a> &middot; <a href=\"/health\">health</a></footer></main></body></html>"
}

function chain(i, mark) {
    print "<h2>Where it came from</h2><section><ol>"
    for (i = 0; i < links; i++) {
        mark = link[i, "digest"] == "" ? link[i, "key"] : link[i, "digest"]
        print "<li><small>" safe(link[i, "kind"]) "</small><b>" safe(link[i, "name"]) "</b> <code>" short(mark) \
            "</code></li>"
    }
    print "</ol></section>"
}

function style() {
    print "<style>:root{--back:#f6f5f2;--card:#fff;--text:#1d1f23;--soft:#62676f;--line:#e3e1db;--mark:#0a6e5c}"
    print "@media(prefers-color-scheme:dark){:root{--back:#14161a;--card:#1c1f25;--text:#e9e9e6;--soft:#969ca6;" \
        "--line:#2d3139;--mark:#58c9ae}}"
    print "*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--text);" \
        "font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    print "main{max-width:44rem;margin:0 auto;padding:clamp(1.25rem,6vw,4rem) 1.25rem}"
    print "h1{font-size:clamp(2rem,8vw,3.25rem);line-height:1.1;letter-spacing:-.02em;margin:0 0 .5rem;" \
        "overflow-wrap:anywhere}"
    print "h1::after{content:'';display:inline-block;width:.32em;height:.32em;margin-left:.25em;" \
        "border-radius:50%;background:var(--mark);vertical-align:.1em}"
    print "p{margin:0 0 2rem;color:var(--soft);font-size:1.1rem}"
    print "section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:.4rem 1.25rem;" \
        "margin:0 0 1.5rem}"
    print "h2{font-size:.8rem;font-weight:600;letter-spacing:.08em;text-transform:uppercase;color:var(--soft);" \
        "margin:2rem 0 .6rem}"
    print "dl{margin:0}dl div{display:flex;gap:1rem;padding:.55rem 0;border-bottom:1px solid var(--line)}" \
        "dl div:last-child{border:0}dt{flex:0 0 6.5rem;color:var(--soft)}" \
        "dd{margin:0;min-width:0;overflow-wrap:anywhere}"
    print "ol{list-style:none;margin:0;padding:.4rem 0}li{position:relative;padding:.5rem 0 .5rem 1.75rem;display:flex;" \
        "flex-wrap:wrap;align-items:baseline;gap:0 .6rem}"
    print "li::before{content:'';position:absolute;left:.2rem;top:.95rem;width:.6rem;height:.6rem;" \
        "border-radius:50%;border:2px solid var(--mark);background:var(--card);z-index:1}"
    print "li:not(:last-child)::after{content:'';position:absolute;left:.43rem;top:1.2rem;bottom:-.95rem;" \
        "width:2px;background:var(--line)}li:last-child::before{background:var(--mark)}"
    print "li b{font-weight:600;overflow-wrap:anywhere}" \
        "li small{flex:0 0 4.2rem;color:var(--soft);font-size:.85rem}"
    print "code{font:.88em ui-monospace,Menlo,Consolas,monospace;color:var(--soft)}a{color:var(--mark)}" \
        "footer{color:var(--soft);font-size:.9rem}</style>"
}
