# A plain part of YAML, as cloud-init's files use it, to lines of `path<TAB>value`: block maps and lists by indentation,
# quoted and plain words on one line, | and > blocks, and flow lists of words. Anything else ends with status 1 and a
# last line that says where. Backslash, tab and newline in values become escapes for printf's %b.

{ line[NR] = $0 }
END { at = 1; node(0, ""); blank(); if (at <= NR) wrong("what is this?"); exit failed }

function wrong(why) { if (!failed) { failed = 1; print "line " at ": " why ": " line[at] } at = NR + 1 }
function indent(s) { match(s, /^ */); return RLENGTH }
function blank() { while (at <= NR && (line[at] ~ /^[ \t]*(#.*)?$/ || line[at] ~ /^(---|\.\.\.)[ ]*$/)) at++ }
function join(path, key) { return path == "" ? key : path "." key }
function put(path, s) { gsub(/\\/, "\\\\", s); gsub(/\t/, "\\t", s); gsub(/\n/, "\\n", s); print path "\t" s }
function spaces(n, s) { while (n-- > 0) s = s " "; return s }

function node(least, path, ind, text) {
    blank()
    if (at > NR) return
    ind = indent(line[at])
    if (ind < least) return
    text = substr(line[at], ind + 1)
    if (text ~ /^-( |$)/) list(ind, path)
    else if (key_length(text)) map(ind, path)
    else one(text, ind, path)
}

# The length of `key:` at the start of text, 0 if there is none.
function key_length(text) {
    if (match(text, /^"[^"]*":( |$)/) || match(text, /^'[^']*':( |$)/) || match(text, /^[^ "'#\[{&*!|>-][^:#]*:( |$)/) \
        || match(text, /^[A-Za-z0-9_.\/-]+:( |$)/))
        return RLENGTH - (substr(text, RLENGTH, 1) == " ")
    return 0
}

function map(ind, path, text, n, key, rest) {
    for (;;) {
        blank()
        if (at > NR || indent(line[at]) != ind) break
        text = substr(line[at], ind + 1)
        if (text ~ /^-( |$)/) break
        n = key_length(text)
        if (!n) { wrong("expected `key: value`"); return }
        key = substr(text, 1, n - 1)
        if (key ~ /^["']/) key = substr(key, 2, length(key) - 2)
        rest = substr(text, n + 1)
        sub(/^ +/, "", rest)
        if (rest == "" || rest ~ /^#/) {
            at++
            blank()
            if (at <= NR && indent(line[at]) == ind && substr(line[at], ind + 1) ~ /^-( |$)/) list(ind, join(path, key))
            else node(ind + 1, join(path, key))
        } else one(rest, ind, join(path, key))
    }
    if (at <= NR && indent(line[at]) > ind) wrong("indented more than what it belongs to")
}

function list(ind, path, text, k, rest, gap) {
    for (k = 0; ; k++) {
        blank()
        if (at > NR || indent(line[at]) != ind) break
        text = substr(line[at], ind + 1)
        if (text !~ /^-( |$)/) break
        rest = substr(text, 2)
        match(rest, /^ */)
        gap = RLENGTH + 1
        rest = substr(text, gap + 1)
        if (rest == "" || rest ~ /^#/) { at++; node(ind + 1, join(path, k)) }
        else if (rest ~ /^-( |$)/ || key_length(rest)) { line[at] = spaces(ind + gap) rest; node(ind + 1, join(path, k)) }
        else one(rest, ind, join(path, k))
    }
}

# One value that starts with text; its line is indented by ind.
function one(text, ind, path) {
    if (text ~ /^[|>]/) block(text, ind, path)
    else if (text ~ /^\[/) flow(text, path)
    else if (text ~ /^\{ *\}/) at++
    else if (text ~ /^[{&*!]/) wrong("this form of YAML is not known here")
    else { put(path, word(text)); at++ }
}

function word(s, q, i, c, out) {
    q = substr(s, 1, 1)
    if (q != "\"" && q != "'") { sub(/[ \t]+#.*$/, "", s); sub(/[ \t]+$/, "", s); return s == "~" || s == "null" ? "" : s }
    for (i = 2; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c == q) { if (q == "'" && substr(s, i + 1, 1) == q) { out = out q; i++; continue } return out }
        if (c == "\\" && q == "\"") { c = substr(s, ++i, 1); c = c == "n" ? "\n" : c == "t" ? "\t" : c }
        out = out c
    }
    wrong("the closing quote is missing")
    return out
}

function flow(s, path, i, c, q, item, k, open) {
    for (i = 2; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (q != "") { item = item c; if (c == "\\" && q == "\"") item = item substr(s, ++i, 1); else if (c == q) q = "" }
        else if (c == "]" || c == ",") {
            sub(/^ +/, "", item)
            if (item != "") put(join(path, k + 0), word(item))
            k++
            item = ""
            if (c == "]") { at++; return }
        } else { if ((c == "\"" || c == "'") && item ~ /^ *$/) q = c; item = item c }
    }
    wrong("the list does not end on its line")
}

function block(head, ind, path, first, out, text, gaps, folded) {
    folded = head ~ /^>/
    first = -1
    for (at++; at <= NR; at++) {
        text = line[at]
        if (text ~ /^ *$/) { gaps++; continue }
        if (indent(text) <= ind) break
        if (first < 0) first = indent(text)
        if (indent(text) < first) break
        if (out != "") out = out (folded && !gaps ? " " : "\n")
        while (gaps > 0) { if (!folded || gaps > 1 || out == "") out = out "\n"; gaps-- }
        gaps = 0
        out = out substr(text, first + 1)
    }
    if (head !~ /-/) out = out "\n"
    put(path, out)
}
