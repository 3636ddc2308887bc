import type { Answers, ComputedStep, Question, Reason } from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';
import { never, no, unknown } from './reasons.ts';
import { allFacts, fact, namesOf, saidBy } from './said.ts';
import { parseUpid } from './upid.ts';

/** A guest as its configuration file has it. */
export interface GuestSeen {
  readonly host: string;
  readonly vmid: number;
  readonly type: 'vm' | 'ct';
  readonly name: string;
  /** Bytes of the disks that a backup reads. */
  readonly size: number;
  /** A template, or locked: not for a test. */
  readonly fit: boolean;
}

/** Guests and clock of a node: `clock now EPOCH`, `guest:vm/200 line KEY: VALUE`; the part of snapshots is left out. */
export function guestsQuestion(host: string): Question {
  return {
    host,
    limit: 20,
    look: sh`printf 'clock\tnow\t%s\n' "$(date +%s)"
rc=0
ask pmxcfs 5 'cd ./etc/pve || exit 3
[ -d qemu-server ] || [ -d lxc ] || exit 3
set +f
for f in qemu-server/*.conf lxc/*.conf; do
  [ -f "$f" ] || continue
  kind=\${f%%/*} id=\${f##*/}
  [ "$kind" = lxc ] && kind=ct || kind=vm
  awk -v id="guest:$kind/\${id%.conf}" "
    /^\\[/ { exit }
    /^(name|hostname|lock|template|rootfs|mp[0-9]+|(scsi|virtio|sata|ide|efidisk)[0-9]+):/ { gsub(/\\t/, \\" \\"); print id \\"\\t\\" \\"line\\" \\"\\t\\" \\$0 }
    END { print id \\"\\t\\" \\"is\\" \\"\\t\\" \\"there\\" }" "$f"
done' || rc=$?
[ "$rc" -eq 0 ] && printf 'guests\tlooked\tyes\n' || printf 'guests\tunknown\t/etc/pve gave no answer (exit %s)\n' "$rc"`,
  };
}

/** The guests of a node and its clock; a text: why they are not known. */
export function readGuests(
  answers: Answers,
  host: string,
): { readonly guests: readonly GuestSeen[]; readonly clock: number } | string {
  const said = saidBy(answers, host);
  if (typeof said === 'string') return said;
  if (fact(said, 'guests', 'looked') !== 'yes')
    return `the guests of ${host}: ${fact(said, 'guests', 'unknown') || 'it gave no answer'}`;
  const guests = namesOf(said, 'guest').flatMap((key): GuestSeen[] => {
    const [type = '', vmid = ''] = key.split('/');
    if (!/^[0-9]+$/.test(vmid)) return [];
    const lines = allFacts(said, `guest:${key}`, 'line').map((line) =>
      /^([a-z]+)([0-9]*): *(.*)$/.exec(line),
    );
    const values = lines.flatMap((match) => (match ? [[match[1] ?? '', match[3] ?? ''] as const] : []));
    const has = (name: string): boolean => values.some(([key]) => key === name);
    return [
      {
        host,
        vmid: Number(vmid),
        type: type === 'ct' ? 'ct' : 'vm',
        name: values.find(([key]) => key === 'name' || key === 'hostname')?.[1] ?? '',
        size: values.reduce((sum, [key, value]) => sum + bytesRead(key, value), 0),
        fit: !has('lock') && !has('template'),
      },
    ];
  });
  return { guests, clock: Number(fact(said, 'clock', 'now')) };
}

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** What a backup reads of this volume: mount points of containers only with backup=1, disks of VMs unless backup=0, never a CD. */
function bytesRead(key: string, value: string): number {
  const options = value.split(',');
  if (key === 'mp' && !options.includes('backup=1')) return 0;
  if (options.includes('backup=0') || options.includes('media=cdrom')) return 0;
  const [, number = '0', unit = ''] = /(?:^|,)size=([0-9.]+)([KMGT]?)/.exec(value) ?? [];
  return Math.round(Number(number) * (units[unit] ?? 1));
}

/** A backup that is begun on a node in a unit of its own: it goes on whatever becomes of the connection. */
export interface BackupRun {
  readonly host: string;
  /** Name of the unit, without `.service`: new for each. */
  readonly unit: string;
  /** Arguments of vzdump. */
  readonly argv: readonly string[];
  /** What its UPID names: a guest, or '' for several. */
  readonly id: string;
}

/**
 * `unit since EPOCH` from when it was begun; `unit state WORD`; `task:UPID last LINE` of the task logs that were written to since then. The
 * UPID of the worker is known by its kind, its guest and its start: vzdump itself does not tell it. A start is told in seconds, and
 * the backup before may have begun in the same one: its log is older.
 */
export function backupQuestion({ host, unit, id }: BackupRun): Question {
  return {
    host,
    limit: 30,
    look: sh`since=
{ read -r since <${`/run/${unit}`}; } 2>/dev/null
printf 'unit\tsince\t%s\n' "$since"
printf 'unit\tstate\t%s\n' "$(limited 10 'systemctl is-active "$1"' ${unit})"
find /var/log/pve/tasks -mindepth 2 -maxdepth 2 -name ${`UPID:*:vzdump:${id}:*`} -newer ${`/run/${unit}`} | while IFS= read -r log; do
  printf 'task:%s\tlast\t%s\n' "\${log##*/}" "$(tail -n 1 "$log" | tr '\t\r' '  ')"
done
printf 'tasks\tlooked\tyes\n'`,
  };
}

/** Starts the unit and writes down when. systemd would take what follows a dollar sign for a variable, and two of them for one. */
export function backupShell({ unit, argv }: BackupRun): ComputedStep['run'] {
  const words = argv.map((word) => word.replaceAll('$', () => '$$'));
  return sh`date +%s >${`/run/${unit}`}
systemd-run --quiet --collect ${`--unit=${unit}`} vzdump ${words}`;
}

/** Why the backup is not proven to have ended well; null: its task log says that it has. */
export function backupReason(answers: Answers, run: BackupRun): Reason | null {
  const said = saidBy(answers, run.host);
  if (typeof said === 'string') return unknown(said);
  const since = Number(fact(said, 'unit', 'since'));
  if (!since) return no('it was not begun');
  const task = namesOf(said, 'task')
    .flatMap((text) => parseUpid(text) ?? [])
    .filter(({ began, id }) => began >= since && id === run.id)
    .sort((a, b) => a.began - b.began)[0];
  const active = /^(active|activating)$/.test(fact(said, 'unit', 'state'));
  if (task === undefined) {
    if (active) return no('its task has not begun yet');
    return never('vzdump ended without a task', `journalctl -u ${run.unit} on ${run.host} tells why`);
  }
  const last = fact(said, `task:${task.text}`, 'last');
  if (/TASK (OK|WARNINGS: [0-9]+)$/.test(last)) return null;
  if (/TASK ERROR/.test(last))
    return never(`${task.text}: ${last}`, `its log is in /var/log/pve/tasks on ${run.host}`);
  if (!active) return never(`${task.text} ended without saying how: ${last}`);
  return no(`${task.text} goes on: ${last}`);
}
