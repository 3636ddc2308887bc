import type { Sh } from '../model/sh.ts';
import { sh } from '../shell/sh.ts';
import { pmxcfsLimit, pmxcfsType } from './pmxcfs.ts';
import type { StorageSpec } from './pve-storage-spec.ts';

/**
 * storage.cfg whole (`file`, which changes of other storages alter too), what belongs to one storage alone (`own`: its lines in one order
 * and spelling, so that they stay the same when Proxmox writes the file anew), whether the node may write (`quorate`), `key yes` where an encryption key lies, and `pw` with the hash of the password file. A password that somebody wrote into storage.cfg,
 * where it has no effect, is not read. `plugins yes`: types of storage may be installed that are not Proxmox's own.
 */
export function lookStorages(specs: readonly StorageSpec[]): Sh {
  const ids = specs.map((spec) => spec.pve_storage);
  return sh`${pmxcfsType}
if [ "$pmxcfs" != fuse ]; then
  for id in ${ids}; do printf '%s\\tmounted\\t%s\\n' "$id" "\${pmxcfs:-no}"; done
else
  rc=0
  seen=$(ask pmxcfs ${pmxcfsLimit} ${inside(ids).text}) || rc=$?
  plugins=
  set +f
  for file in ./usr/share/perl5/PVE/Storage/Custom/*.pm; do [ ! -e "$file" ] || plugins=yes; done
  set -f
  case $rc in
    0) { printf '%s\\n' ${ids} "$plugins."; printf '%s\\n' "$seen"; } | awk ${judge} ;;
    124) for id in ${ids}; do printf '%s\\tunknown\\tno answer in ${pmxcfsLimit} s: /etc/pve hangs\\n' "$id"; done ;;
    *) for id in ${ids}; do printf '%s\\tunknown\\t/etc/pve could not be read\\n' "$id"; done ;;
  esac
fi`;
}

/** Lines `m`, `c`, `r`, `e`, `p` with a tab, and those of sha256sum. */
function inside(ids: readonly string[]): Sh {
  return sh`cd ./etc/pve || exit 3
set -- .members
[ ! -e storage.cfg ] || set -- "$@" storage.cfg
awk ${tag} "$@" || exit 4
printf 'r\\t%s\\n' "\${2-absent}"
set --
for id in ${ids}; do
  file=priv/storage/$id
  [ ! -e "$file.enc" ] || printf 'e\\t%s\\n' "$id"
  [ ! -e "$file.pw" ] || { printf 'p\\t%s\\n' "$id"; set -- "$@" "$file.pw"; }
done
[ $# -eq 0 ] || sha256sum -- "$@"
exit 0`;
}

const tag = `FILENAME == ".members" { print "m\\t" $0; next }
/^[ \\t]+password([ \\t]|$)/ { sub(/password.*/, "password -") }
{ print "c\\t" $0 }`;

/** The grammar of Perl's section config files; see section-config-perl.ts. */
const judge = `function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, part, count, i) {
  gsub(/[ \\t\\r,;]+/, " ", text)
  sub(/^ /, "", text)
  sub(/ $/, "", text)
  key = text
  sub(/ .*/, "", key)
  if (key == text) return key " 1"
  count = split(substr(text, length(key) + 2), part, " ")
  sorted(part, count)
  text = key
  for (i = 1; i <= count; i++) text = text " " part[i]
  return text
}
!begun && $0 ~ /^(yes)?\\.$/ { begun = 1; plugins = $0 == "yes."; next }
!begun { id[++n] = $0; next }
/^m\\t/ { members = members substr($0, 3); next }
/^c\\t/ { line[++m] = substr($0, 3); next }
/^r\\t/ { read = substr($0, 3); next }
/^e\\t/ { key[substr($0, 3)] = 1; next }
/^p\\t/ { pw[substr($0, 3)] = "unreadable"; next }
length($0) > 67 { name = substr($0, 67); sub(/^priv\\/storage\\//, "", name); sub(/\\.pw$/, "", name); pw[name] = substr($0, 1, 64) }
END {
  gsub(/[ \\t]/, "", members)
  # Right after a change the kernel cuts it at its former length.
  if (members ~ /^\\{"nodename".*\\}$/) {
    if (members ~ /"quorate":0/) quorate = "no"
    else if (members ~ /"quorate":1/ || members !~ /"cluster"/) quorate = "yes"
  }
  for (k = 1; k <= n; k++) {
    print id[k] "\\tread\\t" read
    if (quorate != "") print id[k] "\\tquorate\\t" quorate
    for (i = 1; i <= m; i++) print id[k] "\\tfile\\t" line[i]
    if (plugins) print id[k] "\\tplugins\\tyes"
    if (id[k] in key) print id[k] "\\tkey\\tyes"
    print id[k] "\\tpw\\t" (id[k] in pw ? pw[id[k]] : "none")
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \\t\\r]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "") {
        inside = "-"
        if (line[i] !~ /^[^ \\t]+:[ \\t]*[^ \\t]+[ \\t\\r]*$/) { inside = ""; continue }
        head = line[i]
        sub(/[ \\t\\r]+$/, "", head)
        type = head
        sub(/:[^:]*$/, "", type)
        sub(/^.*:[ \\t]*/, "", head)
        inside = head
        if (head == id[k]) mine[++count] = "type " tolower(type)
      } else if (inside == id[k]) mine[++count] = plain(line[i])
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\\town\\t" mine[i]
  }
}`;
