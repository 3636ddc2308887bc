import type { Answers, ComputedProcedure, ComputedStep, Question, Reason } from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';
import { clientsOf, fullRuns, smallest, snapshotQuestion, snapshotReason } from './pbs-clients.ts';
import {
  backupServers,
  daemons,
  meantStores,
  type PbsState,
  pbsFound,
  pbsQuestion,
  readPbs,
  servesReason,
  tasksReason,
} from './pbs-look.ts';
import { type BackupRun, backupQuestion, backupReason, backupShell, guestsQuestion } from './pve-backup.ts';
import { no, unknown } from './reasons.ts';
import { type DatastoreWish, hostNamed, type ProcedureSite } from './site.ts';

export const restartStale: ComputedProcedure<ProcedureSite> = {
  id: 'pbs/restart-stale',
  about:
    'Restarts the services of a backup server that hold files of a mount that is gone, and proves it with a backup of the smallest guest.',
  notes: `After a disruption of NFS the services can hold handles of a file system that is no more: by hand all files are there, and every backup
fails with "unable to open chunk store". The mounts of all datastores must be proven healthy (source, type, \`.chunks\`, an answer in 10 s) and no
task may run; else it is refused. Then the services are restarted, and the API must answer for every datastore without an error.

The test backup runs on the node of the guest in a unit of its own and is followed by its UPID: its log must end with TASK OK, and the
datastore must have a new snapshot, for vzdump ends with 0 also when it did nothing. With \`--set all=true\` all nodes that
back up to this server do so afterwards, one after the other; what a node backs up is what its jobs say, or all of its guests where it has none.
None of these backups prunes: the next run of a job does, by its own retention.`,
  parameters: {
    guest: {
      type: 'string',
      pattern: '^(vm|ct)/[0-9]+$',
      default: null,
      description: 'The guest of the test backup, as vm/200; without it the one with the smallest disks.',
    },
    all: { type: 'boolean', default: false, description: 'Back up all guests of all nodes afterwards.' },
    test: { type: 'boolean', default: true, description: 'Make a test backup.' },
  },
  expands: true,
  hosts: backupServers,
  questions: (site, host, { test }) => [
    pbsQuestion(host, meantStores(hostNamed(site, host), undefined)),
    ...(test === false ? [] : clientsOf(site, host).map((client) => guestsQuestion(client.host))),
  ],
  plan: (site, host, parameters, answers) => {
    const stores = meantStores(hostNamed(site, host), undefined);
    const state = readPbs(answers, host, stores);
    const refuse = (refused: Reason, found: readonly string[] = []) => ({ found, steps: [], refused });
    if (stores.length === 0) return refuse(no(`the inventory has no datastore on ${host}`));
    if (typeof state === 'string') return refuse(unknown(state));
    const found = pbsFound(state);
    const blocked = mayRestart(state, host);
    if (blocked) return refuse(blocked, found);
    const steps = [restartStep(host, stores, state)];
    const clients = clientsOf(site, host);
    if (parameters.test === false) return { found, steps };
    if (clients.length === 0) {
      const why = `no node of the inventory has a storage on ${host}: there is nothing to test it with`;
      return refuse(no(why, 'with --set test=false it is only restarted'), found);
    }
    const test = smallest(clients, answers, parameters.guest, host);
    if ('why' in test) return refuse(test, found);
    found.push(...test.found);
    steps.push(testStep(host, test));
    if (parameters.all === true) {
      const runs = clients.flatMap((client) =>
        fullRuns(client, hostNamed(site, client.host)).map((argv) => ({ client, argv })),
      );
      for (const [index, { client, argv }] of runs.entries()) {
        const vmids = argv.filter(
          (word, place) => /^[0-9]+$/.test(word) && /^[0-9]+$/.test(argv[place - 1] ?? '0'),
        );
        const run = {
          host: client.host,
          unit: `provision-backup-all-${test.clock}-${index + 1}`,
          argv,
          id: vmids.length === 1 ? (vmids[0] ?? '') : '',
        };
        steps.push(
          backupStep(run, `back up ${client.host} to ${client.storage}, and follow it to its end`, 24 * 3600),
        );
      }
    }
    return { found, steps };
  },
};

function mayRestart(state: PbsState, host: string): Reason | null {
  const bad = state.stores.find(({ mount }) => mount !== null)?.mount;
  if (bad)
    return {
      ...bad,
      hint: `mend the mount first: provision run pbs/remount --host ${host}. Nothing was changed`,
    };
  return tasksReason(state, host);
}

function restartStep(host: string, stores: readonly DatastoreWish[], before: PbsState): ComputedStep {
  const old = new Map(before.daemons.map(({ unit, pid }) => [unit, pid]));
  const judge = (check: (state: PbsState) => Reason | null) => (now: Answers) => {
    const state = readPbs(now, host, stores);
    return typeof state === 'string' ? unknown(state) : check(state);
  };
  return {
    host,
    about: 'restart both services, until the API answers for every datastore',
    run: sh`systemctl restart ${daemons}`,
    limit: 240,
    questions: [pbsQuestion(host, stores)],
    guard: judge((state) => mayRestart(state, host)),
    verify: judge((state) => {
      const same = state.daemons.find(({ unit, pid, active }) => active && pid === old.get(unit));
      return same ? no(`${same.unit} is still process ${same.pid}`) : servesReason(state);
    }),
    within: 90,
  };
}

/** Shared by the test and by the backups of whole nodes. */
function backupStep(
  run: BackupRun,
  about: string,
  within: number,
  more: { questions: readonly Question[]; verify(now: Answers): Reason | null } = {
    questions: [],
    verify: () => null,
  },
): ComputedStep {
  return {
    host: run.host,
    about,
    run: backupShell(run),
    limit: 60,
    questions: [backupQuestion(run), ...more.questions],
    guard: () => null,
    verify: (now) => backupReason(now, run) ?? more.verify(now),
    within,
  };
}

function testStep(pbs: string, test: Exclude<ReturnType<typeof smallest>, Reason>): ComputedStep {
  const { guest, client, clock } = test;
  const run = {
    host: guest.host,
    unit: `provision-backup-${guest.vmid}-${clock}`,
    // A test must not push out of the storage what its retention would keep otherwise.
    argv: [
      String(guest.vmid),
      '--storage',
      client.storage,
      '--mode',
      'snapshot',
      '--prune-backups',
      'keep-all=1',
    ],
    id: String(guest.vmid),
  };
  const about = `back up ${guest.type} ${guest.vmid} of ${guest.host} to ${client.storage}, and see that it is there`;
  return backupStep(run, about, 4 * 3600, {
    questions: [snapshotQuestion(pbs, client, guest)],
    verify: (now) => snapshotReason(now, pbs, client, guest, clock),
  });
}
