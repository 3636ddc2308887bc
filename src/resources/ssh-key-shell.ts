import type { Sh } from '../model/sh.ts';
import { blob, lines, sh } from '../shell/sh.ts';

/** `home_of USER` sets home, uid and gid from the tree's passwd; only what the shell itself can do. */
const homeOf = sh`home_of() {
  home= uid= gid=
  while IFS=: read -r name _ uid gid _ home _; do
    [ "$name" != "$1" ] || return 0
  done <./etc/passwd
  return 1
}`;

/** `place(text)`: where the key starts in a line, and `options` in front of it. The base64 tells keys apart; names are only comments. */
const place = String.raw`
function place(text, key,   at) {
  sub(/\r$/, "", text)
  gsub(/\t/, " ", text)
  sub(/^ +/, "", text)
  if (text ~ /^#/) return 0
  at = index(" " text " ", " " key " ")
  options = substr(text, 1, at - 1)
  sub(/ +$/, "", options)
  return at
}`;

/**
 * The keys of one user. What is printed must not change when another key of the same user is added or removed, because each
 * is compared again right before its own change: so nothing about the file itself, except that sshd would not accept it.
 */
export function observeKeys(user: string, keys: readonly { identity: string; key: string }[]): Sh {
  const ids = keys.map((one) => one.identity);
  const rows = keys.map((one) => `${one.identity}\t${one.key}`);
  const body = sh`file=$1 directory=\${1%/*}
for_all() { for id in ${ids}; do printf '%s\t%s\t%s\n' "$id" "$1" "$2"; done; }
if [ -L "$directory" ] || [ -L "$file" ]; then
  for_all blocked ${`the keys of ${user} lie behind a symbolic link`}
elif [ -e "$file" ] && [ ! -f "$file" ]; then
  for_all blocked ${`the keys of ${user} are not in a file`}
else
  missing=
  [ -e "$file" ] || missing=$(why_missing "$file")
  case $missing in
    *'	unknown	'*) for_all unknown "\${missing##*	}" ;;
    *)
      printf '%s\n' ${rows} | FILE=$file THERE=\${missing:-yes} timeout -k 1 20 awk -F'\t' ${observeProgram}
      unsafe=$(stat -c '%u %a' -- "$directory" "$file" 2>/dev/null | while read -r owner bits; do
        case $owner in 0 | "$OWNER") ;; *) echo owner ;; esac
        case $bits in *[2367] | *[2367]?) echo mode ;; esac
      done)
      [ -z "$unsafe" ] || for_all unsafe 1
      ;;
  esac
fi`.text;
  return lines([
    homeOf,
    sh`if [ ! -r ./etc/passwd ]; then :
elif home_of ${user} && [ -n "$home" ]; then
  export OWNER="$uid"
  each_path ${body} ".\${home%/}/.ssh/authorized_keys"
else
  for id in ${ids}; do printf '%s\tnone\t1\n' "$id"; done
fi`,
  ]);
}

const observeProgram = `${place}
{ id[++n] = $1; key[n] = $2 }
END {
  file = ENVIRON["FILE"]
  while ((got = (getline text < file)) > 0)
    for (i = 1; i <= n; i++) if (!(i in found) && place(text, key[i])) found[i] = options
  if (got < 0 && ENVIRON["THERE"] == "yes") exit
  for (i = 1; i <= n; i++) print id[i] (i in found ? "\\toptions\\t" found[i] : "\\tnone\\t1")
}`;

/** Writes the file with `entry` in place of the key's first line, or without the key. The home itself is never touched. */
export function editKeys(user: string, key: string, entry: string | null): Sh {
  return lines([
    homeOf,
    sh`home_of ${user} || { say ${`there is no user ${user}`}; exit 1; }
home=.\${home%/}
[ -d "$home/" ] || { say "the home of "${user}" is missing: \${home#.}"; exit 1; }
inside "$home/"
directory=$home/.ssh file=$home/.ssh/authorized_keys who=${user}
if [ -L "$directory" ] || [ -L "$file" ]; then say "\${directory#.} or the file in it is a symbolic link"; exit 1; fi
# In a tree nobody runs who could swap a name.
if [ "$uid" = 0 ] || [ -n "$ROOT" ]; then as_owner() { /bin/sh -c "$1" sh "$2"; }
else as_owner() { su -s /bin/sh "$who" -c "$1" sh "$2"; }
fi
if [ ! -d "$directory" ]; then
  as_owner 'mkdir -m 700 -- "$1"' "$directory"
  [ -z "$ROOT" ] || chown -h "$uid:$gid" "$directory"
fi
case $(stat -c %u -- "$directory") in 0 | "$uid") ;; *) chown -h "$uid:$gid" "$directory" ;; esac
case $(stat -c %a -- "$directory") in 700) ;; *) as_owner 'chmod 700 -- "$1"' "$directory" ;; esac
there= old=
if [ -e "$file" ]; then
  there=yes
  old_of "$file" || { say "\${file#.} could not be read as its owner"; exit 1; }
fi
FILE=$old THERE=$there KEY=${key} NEW=${entry === null ? '' : blob(entry)} awk ${editProgram} >"$STAGE/keys.$CHANGE"
if [ "$uid" = 0 ]; then owner=root:root
elif [ -z "$ROOT" ]; then owner=$who:$gid
else owner=$uid:$gid TRUSTED="$TRUSTED$directory
"
fi
put "$STAGE/keys.$CHANGE" "$file" 0600 "$owner"`,
  ]);
}

const editProgram = `${place}
BEGIN {
  key = ENVIRON["KEY"]
  if (ENVIRON["NEW"] != "" && (getline entry < ENVIRON["NEW"]) < 1) exit 1
  while ((got = (getline text < ENVIRON["FILE"])) > 0) {
    if (!place(text, key)) print text
    else if (entry != "" && !written++) print entry
  }
  if (got < 0 && ENVIRON["THERE"] != "") exit 1
  if (entry != "" && !written) print entry
}`;
