import type { ComputedProcedure, Reason } from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';
import {
  backupServers,
  daemons,
  meantStores,
  type PbsState,
  pbsFound,
  pbsQuestion,
  plainSource,
  readPbs,
  servesReason,
  tasksReason,
} from './pbs-look.ts';
import { no, unknown } from './reasons.ts';
import { type DatastoreWish, hostNamed, type ProcedureSite } from './site.ts';

export const remount: ComputedProcedure<ProcedureSite> = {
  id: 'pbs/remount',
  about:
    'Mounts the file system of a datastore anew, with the services of the backup server stopped meanwhile.',
  notes: `No task may run. On the server one program stops both services, unmounts, mounts (the unit, or the line of fstab), proves source, type
and \`.chunks\`, and starts the services again; it goes on by itself when the connection is lost. Whatever fails in it: the services are
started again, unless the mount is not there as it should be. Then they stay stopped, because they would write to the empty directory
below, and the step says so.

A mount that is busy is told with who holds it, and left. With \`--set force=true\` it is taken away with \`umount -f\`, then \`umount -l\`, and tasks
that run, or of which nothing is known because the server does not answer, do not hold it up: they are lost.`,
  parameters: {
    datastore: {
      type: 'string',
      default: null,
      description: 'Name of the datastore, where there are several.',
    },
    force: { type: 'boolean', default: false, description: 'Unmount also what is busy or hangs.' },
  },
  positional: ['datastore'],
  expands: true,
  hosts: backupServers,
  questions: (site, host, { datastore }) => [
    pbsQuestion(host, meantStores(hostNamed(site, host), datastore)),
  ],
  plan: (site, host, { datastore, force }, answers) => {
    const stores = meantStores(hostNamed(site, host), datastore).filter(({ mount }) => mount !== null);
    const [store] = stores;
    const mount = store?.mount;
    const state = readPbs(answers, host, stores);
    const refuse = (refused: Reason, found: readonly string[] = []) => ({ found, steps: [], refused });
    if (!store || !mount)
      return refuse(
        no(`the inventory has no mounted datastore ${String(datastore ?? '')} on ${host}`.trim()),
      );
    if (new Set(stores.map((one) => one.mount?.path)).size > 1) {
      const names = stores.map(({ name }) => name).join(', ');
      return refuse(no(`${host} has several: ${names}`, `name one: provision run pbs/remount ${store.name}`));
    }
    if (typeof state === 'string') return refuse(unknown(state));
    const found = pbsFound(state);
    const busy = force === true ? null : tasksReason(state, host);
    const lost = `with --set force=true they are lost, and it is done`;
    if (busy) return refuse({ ...busy, hint: `${busy.hint ?? 'nothing was changed'}; ${lost}` }, found);
    const now = (judge: (state: PbsState) => Reason | null) => (answer: typeof answers) => {
      const seen = readPbs(answer, host, stores);
      return typeof seen === 'string' ? unknown(seen) : judge(seen);
    };
    const holds = (seen: PbsState): Reason | null =>
      seen.stores.find((one) => one.mount !== null)?.mount ?? servesReason(seen);
    return {
      found,
      steps: [
        {
          host,
          about: `stop the services, mount ${mount.path} anew, prove it, start them again`,
          run: remountShell(store, mount, force === true),
          limit: 500,
          guard: now((seen) => (force === true ? null : tasksReason(seen, host))),
          verify: now(holds),
          within: 90,
        },
      ],
    };
  },
};

type Mount = NonNullable<DatastoreWish['mount']>;

/** One program, so that the way back does not depend on a connection: the trap starts the services on every way out. */
function remountShell(store: DatastoreWish, mount: Mount, force: boolean) {
  const types = mount.type === 'nfs' ? 'nfs nfs4' : mount.type;
  return sh`point=${mount.path} store=${store.path} source=${plainSource(mount.source)} types=${types} force=${force ? 'yes' : ''}
set -f
in_table() { awk -v point="$point" '$5 == point { found = 1 } END { exit !found }' /proc/self/mountinfo; }
as_it_should_be() {
  awk -v point="$point" -v source="$source" -v types=" $types " '
    $5 == point {
      for (i = 7; i <= NF && $i != "-"; i++);
      found = $(i + 2)
      if (found != "/") sub(/\\/+$/, "", found)
      if ($4 != "/" && $(i + 1) != "none") found = found "[" $4 "]"
      good = index(types, " " $(i + 1) " ") && found == source
    }
    END { exit !good }' /proc/self/mountinfo && timeout -k 2 10 ls -d "$store/.chunks" >/dev/null 2>&1
}
way_back() {
  rc=$?
  trap '' TERM INT HUP
  if as_it_should_be; then
    timeout -k 5 90 systemctl start ${daemons} || { say 'the services could not be started'; rc=1; }
  else
    say "$point is not mounted as it should be: the services stay stopped, for they would write to the directory below it"
    rc=1
  fi
  exit "$rc"
}
trap way_back EXIT
trap 'exit 143' TERM INT HUP
timeout -k 5 120 systemctl stop ${daemons[1]} ${daemons[0]} || say 'the services did not stop in time'
if in_table; then timeout -k 5 30 umount "$point" || :; fi
if in_table; then
  say "$point is busy; held by:"
  set +f
  timeout -k 2 20 find /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/fd -maxdepth 1 '(' -lname "$point" -o -lname "$point/*" ')' -printf '%p %l\n' 2>/dev/null | head -n 20 || :
  set -f
  [ -n "$force" ] || { say 'nothing was forced'; exit 1; }
  timeout -k 5 30 umount -f "$point" || :
  if in_table; then timeout -k 5 30 umount -l "$point" || :; fi
  if in_table; then say 'it could not be unmounted'; exit 1; fi
fi
unit=$(systemd-escape -p --suffix=mount "$point")
if systemctl cat "$unit" >/dev/null 2>&1; then
  systemctl reset-failed "$unit" 2>/dev/null || :
  timeout -k 5 90 systemctl start "$unit"
else timeout -k 5 90 mount "$point"
fi`;
}
