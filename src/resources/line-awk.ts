/**
 * `holds(line, key, core, note)`: is this line the key's? Then `lead`, `found` and `tail` are its indentation, its value and the
 * comment behind it. Written with index and substr: a key is text, never a pattern.
 */
const holds = String.raw`
function holds(line, key, core, note,   rest, at, before, next_at) {
  if (core == "whole") return ("x" line) == ("x" key)
  rest = line
  sub(/^[ \t]+/, "", rest)
  lead = substr(line, 1, length(line) - length(rest))
  if (substr(rest, 1, length(key)) != key) return 0
  rest = substr(rest, length(key) + 1)
  if (core == "blank") {
    if (rest != "" && rest !~ /^[ \t]/) return 0
  } else {
    sub(/^[ \t]+/, "", rest)
    if (substr(rest, 1, length(core)) != core) return 0
    rest = substr(rest, length(core) + 1)
  }
  sub(/^[ \t]+/, "", rest)
  tail = ""
  if (note != "") {
    before = " " rest
    at = 1
    while ((next_at = index(substr(before, at + 1), note)) > 0) {
      at += next_at
      if (substr(before, at - 1, 1) !~ /[ \t]/) continue
      tail = substr(before, at)
      rest = substr(before, 2, at - 2)
      break
    }
  }
  before = rest
  sub(/[ \t]+$/, "", rest)
  tail = tail == "" ? "" : substr(before, length(rest) + 1) tail
  found = rest
  return 1
}`;

/**
 * Reads rows `kind PATH KIND`, `PATH absent 1`, `PATH unknown REASON` and `spec PATH KEY CORE NOTE CREATE`, then each file once.
 * A file that `create` would make prints the same whether it is missing or has no such line: a line made before this one in
 * the same run must not look like somebody else's edit.
 */
export const observeProgram = `${holds}
$1 == "kind" { kind[$2] = $3; next }
$1 == "spec" { n++; path[n] = $2; key[n] = $3; core[n] = $4; note[n] = $5; create[n] = $6; next }
{ kind[$1] = $2; reason[$1] = $3 }
END {
  for (i = 1; i <= n; i++) {
    if (kind[path[i]] != "file" || path[i] in done) continue
    done[path[i]] = 1
    name = "." path[i]
    while ((got = (getline text < name)) > 0) {
      sub(/\\r$/, "", text)
      for (j = i; j <= n; j++) if (path[j] == path[i] && holds(text, key[j], core[j], note[j])) { count[j]++; value[j] = found }
    }
    if (got < 0) { kind[path[i]] = "unknown"; reason[path[i]] = "it is there but could not be read" }
    close(name)
  }
  for (i = 1; i <= n; i++) {
    id = path[i] "#" key[i]
    is = kind[path[i]]
    if (is == "") continue
    if (is == "unknown") print id "\\tunknown\\t" reason[path[i]]
    else if (is == "file" || (is == "absent" && create[i] != "")) {
      print id "\\tlines\\t" (count[i] + 0)
      if (count[i] > 0 && core[i] != "whole") print id "\\tvalue\\t" value[i]
    }
    else print id "\\tfile\\t" is
  }
}`;

/**
 * Prints $FILE with the lines of some keys replaced, added or taken out. $TABLE has a row KEY, CORE, NOTE, NAME for each; NAME is that of the
 * staged file with the new line, or empty to remove the key. Of several lines of one key the last one stays.
 */
export const editProgram = `${holds}
BEGIN {
  keys = split(ENVIRON["TABLE"], rows, "\\n")
  for (k = 1; k <= keys; k++) {
    split(rows[k], cell, "\\t")
    key[k] = cell[1]; core[k] = cell[2]; note[k] = cell[3]; remove[k] = cell[4] == ""
    if (!remove[k] && (getline new[k] < (ENVIRON["STAGE"] "/" cell[4])) < 0) exit 1
  }
  file = ENVIRON["FILE"]
  while ((got = (getline text < file)) > 0) {
    n++
    bytes += length(text) + 1
    end[n] = text ~ /\\r$/ ? "\\r" : ""
    sub(/\\r$/, "", text)
    line[n] = text
    for (k = 1; k <= keys; k++) if (!mine[n] && holds(text, key[k], core[k], note[k])) {
      mine[n] = k; last[k] = n; before[k] = lead; behind[k] = tail
    }
  }
  if (got < 0 && ENVIRON["CREATE"] == "") exit 1
  cut = bytes > ENVIRON["SIZE"] + 0 ? 1 : ""
  for (k = 1; k <= keys; k++) if (!remove[k] && !last[k]) more = 1
  if (more && cut != "") end[n] = end[1]
  for (i = 1; i <= n; i++) {
    k = mine[i]
    if (k && (remove[k] || i != last[k])) continue
    shown = shown sep (k ? before[k] new[k] behind[k] : line[i]) end[i]
    sep = "\\n"
    any = 1
  }
  for (k = 1; k <= keys; k++) if (!remove[k] && !last[k]) {
    shown = shown sep new[k] (n ? end[1] : "")
    sep = "\\n"
    any = 1
    cut = ""
  }
  if (any) printf "%s%s", shown, cut == "" ? "\\n" : ""
}`;
