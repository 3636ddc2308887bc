import type { Answers, Question, Reason } from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';
import { type GuestSeen, readGuests } from './pve-backup.ts';
import { no, unknown } from './reasons.ts';
import { fact, rows, saidBy } from './said.ts';
import { hostAt, type ProcedureHost, type ProcedureSite } from './site.ts';

/** A storage of a node that lies on a backup server. */
export interface PbsClient {
  readonly host: string;
  readonly storage: string;
  readonly datastore: string;
  readonly namespace: string;
}

/** The storages of all nodes that point to this server and are in use. */
export function clientsOf(site: ProcedureSite, pbs: string): PbsClient[] {
  return site.hosts.flatMap((host) =>
    host.storages
      .filter(
        ({ type, server, disable }) => type === 'pbs' && !disable && hostAt(site, server ?? '')?.name === pbs,
      )
      .map(({ id, datastore, namespace }) => ({
        host: host.name,
        storage: id,
        datastore: datastore ?? '',
        namespace: namespace ?? '',
      })),
  );
}

export interface TestBackup {
  readonly guest: GuestSeen;
  readonly client: PbsClient;
  /** Of the guest's node, when it was asked; epoch seconds. */
  readonly clock: number;
  readonly found: readonly string[];
}

/** The guest of the test: the one that is named, or the one with the smallest disks of those that may be backed up. */
export function smallest(
  clients: readonly PbsClient[],
  answers: Answers,
  named: unknown,
  pbs: string,
): TestBackup | Reason {
  const found: string[] = [];
  const all = clients.flatMap((client) => {
    const seen = readGuests(answers, client.host);
    if (typeof seen === 'string') {
      found.push(seen);
      return [];
    }
    return seen.guests.map((guest) => ({ guest, client, clock: seen.clock }));
  });
  const meant = all.filter(({ guest }) => named === undefined || `${guest.type}/${guest.vmid}` === named);
  const fit = meant
    // The server is not to be backed up to itself while it is put to the test.
    .filter(({ guest }) => guest.fit && guest.name !== pbs && (guest.size > 0 || named !== undefined))
    .sort((a, b) => a.guest.size - b.guest.size);
  const [first, second] = fit;
  if (first === undefined) {
    const why =
      named === undefined
        ? 'no guest can be used for a test backup'
        : `${String(named)} cannot be used for a test backup`;
    const told = [why, ...found].join('; ');
    const hint = 'it has to be there, without a lock, and no template. Nothing was changed';
    return found.length > 0 ? unknown(told, hint) : no(told, hint);
  }
  if (named !== undefined && second && second.guest.host !== first.guest.host) {
    return no(
      `${String(named)} is on ${first.guest.host} and on ${second.guest.host}`,
      'name a guest that is on one node only',
    );
  }
  const { guest } = first;
  const size =
    guest.size >= 2 ** 30
      ? `${(guest.size / 2 ** 30).toFixed(0)} GiB`
      : `${(guest.size / 2 ** 20).toFixed(0)} MiB`;
  return {
    ...first,
    found: [
      ...found,
      `for the test: ${guest.type} ${guest.vmid} (${guest.name || 'no name'}) on ${guest.host}, disks of ${size}`,
    ],
  };
}

/**
 * What vzdump is told, call by call, to back up a node: what its jobs to this storage say, else all guests. Jobs differ in their modes, and
 * what is declared for stop mode must not be made in another one; their further options go along. Nothing is pruned: without the
 * retention of its job, that of the storage or of vzdump.conf would count, and remove what the job keeps; `--remove 0` would not help, for
 * then a guest that has as many backups as its retention keeps gets no further one.
 */
export function fullRuns(client: PbsClient, host: ProcedureHost | undefined): string[][] {
  const jobs = (host?.jobs ?? []).filter(
    ({ storage, enabled, node }) =>
      storage === client.storage && enabled !== false && (node === undefined || node === client.host),
  );
  const common = ['--storage', client.storage, '--prune-backups', 'keep-all=1', '--quiet', '1'];
  if (jobs.length === 0) return [['--all', '1', '--mode', 'snapshot', ...common]];
  return jobs.map(({ all, vmid = [], exclude = [], pool, mode, options = [] }) => [
    ...vmid.map(String),
    ...(all ? ['--all', '1'] : []),
    ...(exclude.length > 0 ? ['--exclude', exclude.join(',')] : []),
    ...(pool === undefined ? [] : ['--pool', pool]),
    ...(mode === undefined ? [] : ['--mode', mode]),
    ...options,
    ...common,
  ]);
}

/** `snapshots list JSON` of one group. */
export function snapshotQuestion(pbs: string, client: PbsClient, guest: GuestSeen): Question {
  const ns = client.namespace === '' ? [] : ['--ns', client.namespace];
  const command = sh`proxmox-backup-debug api get ${`/admin/datastore/${client.datastore}/snapshots`} --backup-type ${guest.type} --backup-id ${guest.vmid} ${ns} --output-format json`;
  return {
    host: pbs,
    limit: 30,
    look: sh`if said=$(ask pbs-api 20 ${command.text}); then printf 'snapshots\tlist\t%s\n' "$(printf '%s' "$said" | tr '\n\t' '  ')"; fi`,
  };
}

/** Why there is no finished snapshot of the guest since then; null: there is one. An upload that goes on has no size yet. */
export function snapshotReason(
  now: Answers,
  pbs: string,
  client: PbsClient,
  guest: GuestSeen,
  since: number,
): Reason | null {
  const said = saidBy(now, pbs);
  if (typeof said === 'string') return unknown(said);
  const list = rows(fact(said, 'snapshots', 'list'));
  if (list === null) return unknown(`${pbs} does not say which snapshots it has`);
  const fresh = list.some((one) => Number(one['backup-time']) >= since && typeof one.size === 'number');
  return fresh ? null : no(`${client.datastore} has no new snapshot of ${guest.type}/${guest.vmid}`);
}
