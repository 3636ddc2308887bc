import type { Sh } from '../model/sh.ts';
import { lines, sh } from '../shell/sh.ts';
import type { UserSpec } from './user.ts';

/** The files themselves are read: busybox has no getent, and a directory service's users are not ours to change. */
export const observeProgram = String.raw`
{ name[++n] = $0 }
END {
  while ((getline text < "./etc/group") > 0) {
    split(text, part, ":")
    if (!(part[3] in group)) group[part[3]] = part[1]
    m = split(part[4], members, ",")
    for (i = 1; i <= m; i++) joined[members[i]] = joined[members[i]] " " part[1]
  }
  while ((getline text < "./etc/passwd") > 0) {
    split(text, part, ":")
    if (part[1] in entry) continue
    entry[part[1]] = part[3] ":" part[4] ":" part[6] ":" part[7]
    gid[part[1]] = part[4]
  }
  for (k = 1; k <= n; k++) {
    who = name[k]
    if (!(who in entry)) { print who "\tabsent\t1"; continue }
    print who "\tpasswd\t" entry[who]
    if (gid[who] in group) print who "\tprimary\t" group[gid[who]]
    m = split(joined[who], list, " ")
    for (i = 1; i <= m; i++) print who "\tmember\t" list[i]
  }
}`;

/** Whether processes run as these users: whoever gets the number next would own them. One process for all. */
export function runningShell(users: readonly string[]): Sh {
  return sh`if [ -z "$ROOT" ]; then
  set +f
  owners=$(stat -c %u /proc/[0-9]* 2>/dev/null | sort -u)
  set -f
  while IFS=: read -r name _ uid _; do
    case ${` ${users.join(' ')} `} in *" $name "*) ;; *) continue ;; esac
    running=no
    case "
$owners
" in *"
$uid
"*) running=yes ;; esac
    printf '%s\trunning\t%s\n' "$name" "$running"
  done <./etc/passwd
fi`;
}

/** `tree` makes the programs of the shadow suite work on the tree; busybox cannot. */
const tree = sh`set --
[ -z "$ROOT" ] || set -- -P "$ROOT"
has_group() { cut -d: -f1 ./etc/group | grep -q -x -F -e "$1"; }`;

const onlyHere = sh`[ -z "$ROOT" ] || { say 'useradd is needed to change users in a file tree'; exit 1; }`;

export function createUser(spec: UserSpec): Sh {
  const group = spec.group ?? spec.user;
  const number = spec.uid === undefined ? [] : ['-u', String(spec.uid)];
  const home = spec.home === undefined ? [] : ['-d', spec.home];
  const shell = spec.shell === undefined ? [] : ['-s', spec.shell];
  const groups = (spec.groups ?? []).filter((name) => name !== group);
  const more = groups.length === 0 ? [] : ['-G', groups.join(',')];
  const system = spec.system ? ['-r', '-M'] : ['-m'];
  const ownGroup = [
    ...(spec.system ? ['-r'] : []),
    ...(spec.gid === undefined ? [] : ['-g', String(spec.gid)]),
  ];
  const busyGroup = [
    ...(spec.system ? ['-S'] : []),
    ...(spec.gid === undefined ? [] : ['-g', String(spec.gid)]),
  ];
  const busyUser = [
    ...(spec.system ? ['-S', '-H'] : []),
    ...number,
    ...(spec.home === undefined ? [] : ['-h', spec.home]),
    ...shell,
  ];
  const makesGroup = spec.group === undefined;
  return lines([
    tree,
    sh`if command -v useradd >/dev/null; then`,
    ...(makesGroup ? [sh`  has_group ${group} || groupadd "$@" ${ownGroup} ${group}`] : []),
    sh`  useradd "$@" ${system} ${number} -g ${group} ${more} ${home} ${shell} ${spec.user}`,
    sh`else
  ${onlyHere}`,
    ...(makesGroup ? [sh`  has_group ${group} || addgroup ${busyGroup} ${group}`] : []),
    sh`  adduser -D ${busyUser} -G ${group} ${spec.user}`,
    ...groups.map((name) => sh`  addgroup ${spec.user} ${name}`),
    sh`fi`,
  ]);
}

export function changeUser(spec: UserSpec, differs: readonly string[]): Sh {
  const joins = differs.includes('groups') ? (spec.groups ?? []) : [];
  const group = differs.includes('group') && spec.group !== undefined ? ['-g', spec.group] : [];
  const home = differs.includes('home') && spec.home !== undefined ? ['-d', spec.home] : [];
  const shell = differs.includes('shell') && spec.shell !== undefined ? ['-s', spec.shell] : [];
  const options = [...group, ...home, ...shell, ...(joins.length > 0 ? ['-a', '-G', joins.join(',')] : [])];
  const onlyJoins = group.length + home.length + shell.length === 0;
  return lines([
    tree,
    sh`if command -v usermod >/dev/null; then
  usermod "$@" ${options} ${spec.user}
else
  ${onlyHere}`,
    ...(onlyJoins
      ? joins.map((name) => sh`  addgroup ${spec.user} ${name}`)
      : [sh`  say 'usermod is missing here; change the user by hand'\n  exit 1`]),
    sh`fi`,
  ]);
}

export function removeUser(spec: UserSpec): Sh {
  return lines([
    tree,
    sh`if command -v userdel >/dev/null; then
  userdel "$@" ${spec.user}
else
  ${onlyHere}
  deluser ${spec.user}
fi`,
  ]);
}
