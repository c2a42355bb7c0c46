# Reads one project's report (xUnit's XML, version 2 and up) and prints its line; writes passed, failed and skipped
# to the file `counts`, and what failed to the file `details`. A project that ended without a report, or with an error
# that no test accounts for, counts as one failure.

BEGIN { RS = "<(assembly|test|error) " }

function plain(text) {
  gsub(/<!\[CDATA\[/, "", text); gsub(/\]\]>/, "", text)
  gsub(/&quot;/, "\"", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text)
  gsub(/&#xA;/, "\n", text); gsub(/&amp;/, "\\&", text)
  return text
}

function attribute(name) {
  # The blank before it keeps "name" from matching "filename".
  if (!match(" " $0, "[ \n]" name "=\"[^\"]*\"")) return ""
  return plain(substr(" " $0, RSTART + length(name) + 3, RLENGTH - length(name) - 4))
}

# What stands in the first <tag> of this record, at most 60 lines of it.
function body(tag,    from, text, lines, count, i, result) {
  from = index($0, "<" tag ">")
  if (!from) return ""
  text = substr($0, from + length(tag) + 2)
  text = substr(text, 1, index(text, "</" tag ">") - 1)
  count = split(plain(text), lines, "\n")
  for (i = 1; i <= count && i <= 60; i++) result = result "    " lines[i] "\n"
  return result
}

function report(what, text) { printf "\n%s\n%s", what, text > details }

NR > 1 && /^[^>]*run-date=/ {
  seen = 1
  passed = attribute("passed") + 0; failed = attribute("failed") + attribute("errors"); skipped = attribute("skipped") + 0
}

NR > 1 && /^[^>]*result="Fail"/ { report("FAILED " attribute("name"), body("message") body("stack-trace")) }

NR > 1 && /^[^>]*result="Skip"/ { report("SKIPPED " attribute("name"), body("reason")) }

NR > 1 && /^type="[^"]*"/ && !/^[^>]*result=/ { report("ERROR in " attribute("name"), body("message") body("stack-trace")) }

END {
  note = ""
  if (!seen || (status != 0 && failed == 0)) {
    failed++
    note = status == 124 || status == 137 ? "  ended after " limit " s" : "  crashed, exit code " status
    text = ""
    RS = "\n"
    while ((getline line < output) > 0) if (++lines <= 30) text = text "    " substr(line, 1, 300) "\n"
    report("FAILED " name ":" note, text)
  }
  printf "%-32s %5d passed %4d failed %4d skipped %8.1f s%s\n", name, passed, failed, skipped, seconds, note
  print passed + 0, failed + 0, skipped + 0 > counts
}
