# JSON to lines of `path<TAB>value`, as in `chain.0.kind<TAB>iso`. Tabs and newlines in values become blanks. What is
# no JSON gives the lines up to there and status 1.

{ text = text $0 "\n" }
END { at = 1; value(""); blank(); exit bad || at <= length(text) }

function blank() { while (substr(text, at, 1) ~ /[ \t\r\n]/ && at <= length(text)) at++ }
function fail() { bad = 1; at = length(text) + 1 }
function join(path, key) { return path == "" ? key : path "." key }

function value(path, c, n) {
    if (++depth > 32) fail()
    blank()
    c = substr(text, at, 1)
    if (c == "{") object(path)
    else if (c == "[") array(path)
    else if (c == "\"") print path "\t" string()
    else if (match(substr(text, at, 40), /^[-+.0-9A-Za-z]+/)) {
        n = substr(text, at, RLENGTH)
        at += RLENGTH
        print path "\t" n
    } else fail()
    depth--
}

function object(path, key) {
    at++
    blank()
    if (substr(text, at, 1) == "}") { at++; return }
    while (!bad) {
        blank()
        if (substr(text, at, 1) != "\"") { fail(); return }
        key = string()
        blank()
        if (substr(text, at++, 1) != ":") { fail(); return }
        value(join(path, key))
        if (!more("}")) return
    }
}

function array(path, k) {
    at++
    blank()
    if (substr(text, at, 1) == "]") { at++; return }
    for (k = 0; !bad; k++) {
        value(join(path, k))
        if (!more("]")) return
    }
}

function more(ending, c) {
    blank()
    c = substr(text, at++, 1)
    if (c != "," && c != ending) fail()
    return c == ","
}

function string(out, c, n) {
    at++
    while (at <= length(text)) {
        # Plain stretches are taken whole: character by character would be slow in a translated guest.
        n = match(substr(text, at, 512), /["\\]/)
        if (!n) { out = out substr(text, at, 512); at += 512; continue }
        out = out substr(text, at, n - 1)
        at += n
        if (substr(text, at - 1, 1) == "\"") { gsub(/[\t\r\n]/, " ", out); return out }
        c = substr(text, at++, 1)
        if (c == "u") { out = out letter(substr(text, at, 4)); at += 4 }
        else out = out (c ~ /[nrtbf]/ ? " " : c)
    }
    fail()
}

# A letter given by number: only ASCII is turned back, for names and digests have no more.
function letter(hex, i, n) {
    for (i = 1; i <= 4; i++) n = n * 16 + index("0123456789abcdef", tolower(substr(hex, i, 1))) - 1
    return n < 32 ? " " : n < 127 ? sprintf("%c", n) : "?"
}
