import type { Sh } from '../model/sh.ts';
import { atAll, sh } from '../shell/sh.ts';
import { processOfTask } from './vzdump-process.ts';

/** A guest whose newest backup is looked up. */
export interface GuestLog {
  /** First column of what is printed. */
  readonly identity: string;
  readonly kind: 'vm' | 'ct';
  readonly vmid: number;
}

/** Lines of each sort that are brought back of one log: errors, and what else says something. */
const keptLines = 40;
/** Characters of one line. */
const keptLength = 400;
/** Tasks of a guest, or of several guests, that are looked through for the newest that is about it. */
const keptTasks = 8;

/**
 * Prints for each guest: `now EPOCH` · `log EPOCH` (when its log was last written), `line TEXT` for those of its lines that say how it
 * went · of the newest task that is about it `task UPID`, `started EPOCH`, `runs STATE` (the letter of its process, while that is the
 * one that the UPID names) with `wrote EPOCH` (its log), `taskline TEXT`. Nothing is asked of a daemon: these are files of the root file system.
 */
export function lookGuestLogs(guests: readonly GuestLog[]): Sh {
  const rows = guests.map(
    ({ identity, kind, vmid }) => `guest\t${identity}\t${vmid}\t${logFile(kind, vmid)}`,
  );
  const files = guests.map(({ kind, vmid }) => logFile(kind, vmid));
  return sh`export ROOT
{
printf 'now\t%s\n' "$(date +%s)"
stat -c 'mtime	%n	%Y' -- ${atAll(files)}
printf '%s\n' ${rows}
} | awk ${program}`;
}

function logFile(kind: 'vm' | 'ct', vmid: number): string {
  return `/var/log/vzdump/${kind === 'vm' ? 'qemu' : 'lxc'}-${vmid}.log`;
}

/**
 * A task over several guests has no id in its UPID: its log says whose it is. One that ended before its first guest is about all that
 * its job may hold. The numbers of a UPID have a fixed width, so that they compare as text.
 */
const program = String.raw`BEGIN { FS = "\t"; OFS = "\t" }
${processOfTask}
function remember(key, upid, since,  i) {
  for (i = 1; i <= count[key]; i++) if (task[key, i] == upid) return
  for (i = count[key]; i >= 1 && begun[key, i] < since; i--) {
    task[key, i + 1] = task[key, i]; begun[key, i + 1] = begun[key, i]
  }
  task[key, i + 1] = upid; begun[key, i + 1] = since
  if (count[key] < ${keptTasks}) count[key]++
}
function tasks(file,  line, word, part) {
  while ((getline line < file) > 0) {
    split(line, word, " ")
    if (split(word[1], part, ":") >= 8 && part[6] == "vzdump" && word[1] !~ /\//) remember(part[7], word[1], part[5])
  }
  close(file)
}
function worth(line) {
  if (line ~ /(^|[0-9] )(ERROR|WARN|TASK [A-Z]+):? ?/) return 2
  return line ~ /Starting Backup|Finished Backup|Failed|failed|creating .*archive|starting new backup job|lock|vanished|[Nn]ot permitted|mode |mount point|[Ss]tale|[Ss]torage|space|quota|[Ff]ingerprint|certificate|chunk store|agent|freeze|hook|signal|[Ii]nterrupt|cancel|connect|route|denied|error|refused|40[13] /
}
function show(name, line,  sort) {
  sort = worth(line)
  if (!sort || ++shown[sort] > ${keptLines}) return
  gsub(/[\t\r]/, " ", line)
  print who, name, substr(line, 1, ${keptLength})
}
function whole(name, file,  line) {
  shown[1] = shown[2] = 0
  while ((getline line < file) > 0) show(name, line)
  close(file)
}
function about(upid, vmid,  file, line, section, mine, some, part) {
  split(upid, part, ":")
  file = "./var/log/pve/tasks/" substr(part[5], length(part[5])) "/" upid
  section = 1; mine = some = other = 0
  kept = 0
  while ((getline line < file) > 0) {
    if (line ~ /Starting Backup of (VM|CT) [0-9]+ /) {
      some = 1
      section = index(line, " " vmid " ") > 0
      if (section) mine = 1
    }
    if (line ~ /starting new backup job: vzdump /) other = elsewhere(line, vmid)
    if (line ~ /^TASK /) section = 1
    if (section) keep[++kept] = line
  }
  close(file)
  return mine || (!some && !other && kept > 0)
}
function elsewhere(line, vmid,  word, n, i, listed, named, all) {
  n = split(line, word, " ")
  listed = named = all = 0
  for (i = 1; i <= n; i++) {
    if (word[i] == "--all") all = 1
    if (word[i] == "--exclude" && index("," word[i + 1] ",", "," vmid ",")) return 1
    if (word[i] ~ /^--/) { i++; continue }
    if (word[i] ~ /^[0-9]+$/) listed = 1
    if (word[i] == vmid) named = 1
  }
  return !all && listed && !named
}
function quiet(upid,  part, command, epoch) {
  if (upid !~ /^[A-Za-z0-9:@._!-]+$/) return ""
  split(upid, part, ":")
  command = "stat -c %Y -- ./var/log/pve/tasks/" substr(part[5], length(part[5])) "/" upid
  epoch = ""
  command | getline epoch
  close(command)
  return epoch
}
$1 == "now" { now = $2 }
$1 == "mtime" { mtime[$2] = $3 }
$1 == "guest" {
  if (!read) { tasks("./var/log/pve/tasks/active"); tasks("./var/log/pve/tasks/index"); tasks("./var/log/pve/tasks/index.1"); read = 1 }
  who = $2
  print who, "now", now
  if (("." $4) in mtime) { print who, "log", mtime["." $4]; whole("line", "." $4) }
  i = j = 1
  while (i <= count[$3] || j <= count[""]) {
    if (j > count[""] || (i <= count[$3] && begun[$3, i] >= begun["", j])) upid = task[$3, i++]
    else upid = task["", j++]
    if (!about(upid, $3)) continue
    split(upid, part, ":")
    print who, "task", upid
    print who, "started", number(part[5])
    state = process(upid)
    if (state != "") { print who, "runs", state; print who, "wrote", quiet(upid) }
    shown[1] = shown[2] = 0
    for (k = 1; k <= kept; k++) show("taskline", keep[k])
    break
  }
}`;
