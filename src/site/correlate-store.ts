import type { Finding } from '../model/finding.ts';
import type { HostRun } from '../model/run.ts';
import {
  blindHosts,
  blindness,
  type Case,
  coded,
  datastoreOf,
  type Evidence,
  grouped,
  hostsOf,
  joined,
  serverOf,
  without,
} from './evidence.ts';
import type { Fleet, FleetDatastore } from './fleet.ts';

/** What clients of a backup server, or the server itself, show when backups to a datastore do not work. */
export const storeCodes = [
  ...['chunk-store', 'storage-inactive', 'storage-offline', 'storage-unreachable', 'stale-mount'],
  ...['no-space', 'denied'],
  ...['pbs-hangs', 'pbs-down', 'stale-handles', 'older-than-mount'],
];
/** What a mount shows that does not serve. */
export const mountCodes = ['mount-hangs', 'mount-absent', 'mount-stale', 'mount-wrong', 'store-absent'];
/** What follows from the other troubles of a datastore, and is no trouble of its own beside them. */
const consequences = ['backup-old', 'no-backup'];
const certificateCodes = ['fingerprint', 'certificate-changed', 'certificate-missing'];

/** Certificates that are not the ones that clients were told of: for each server one finding. */
export function certificateCases(
  fleet: Fleet,
  runs: readonly HostRun[],
  evidence: readonly Evidence[],
): Case[] {
  const about = coded(evidence, certificateCodes);
  const groups = grouped(about, (one) =>
    one.symptom.code === 'fingerprint' ? (serverOf(fleet, one) ?? `${one.host} ${one.symptom.of}`) : one.host,
  );
  return [...groups].map(([server, group]) => {
    const shown = group.filter(({ symptom }) => symptom.code !== 'fingerprint');
    // A storage that is only called inactive is explained by this, unless the server has a trouble that explains it too.
    const other = coded(evidence, [...mountCodes, 'pbs-down', 'stale-handles']).some(
      ({ host }) => host === server,
    );
    const explained =
      shown.length === 0 || other
        ? []
        : coded(evidence, ['storage-inactive']).filter((one) => serverOf(fleet, one) === server);
    const uses = [...group, ...explained];
    const clients = hostsOf(uses).filter((host) => host !== server);
    const users = usersOf(fleet, server);
    const name = server.split(' ')[0] ?? server;
    const changed = shown[0]?.symptom.says;
    const message =
      changed === undefined
        ? `${joined(clients)} does not trust the certificate of ${server}${users.length > clients.length ? ', others do or were not asked' : ''}: the fingerprint in the storage is not the one that the server shows`
        : `the certificate of ${server} is not the one that was agreed on: ${changed}${clients.length === 0 ? '' : `; backups of ${joined(clients)} fail for it`}`;
    return {
      uses,
      finding: warning({
        rule: 'certificate-changed',
        hosts: present(runs, fleet, [server, ...clients]),
        suspect: `pbs:${name}`,
        message: `${message}${blindHosts(runs, [server, ...users.filter((host) => !clients.includes(host))])}`,
        hint: 'compare the new fingerprint with what the server shows on its own console before it is accepted; a certificate that nobody renewed is somebody else’s',
        procedure: `provision run pbs/accept-fingerprint --host ${name}`,
      }),
    };
  });
}

/** Datastores that do not take backups: for each one finding, with the deepest component that explains it. */
export function storeCases(fleet: Fleet, runs: readonly HostRun[], evidence: readonly Evidence[]): Case[] {
  const about = coded(evidence, [...storeCodes, ...mountCodes]);
  const stores = new Map<string, FleetDatastore>();
  const groups = grouped(about, (one) => {
    const store = datastoreOf(fleet, one);
    if (store === undefined) return undefined;
    const key = `${store.host} ${store.name}`;
    stores.set(key, store);
    return key;
  });
  const cases: Case[] = [];
  for (const [key, group] of groups) {
    const store = stores.get(key);
    if (store === undefined) continue;
    const made = storeCase(fleet, runs, store, group, without(evidence, cases));
    if (made !== null) cases.push(made);
  }
  return cases;
}

function storeCase(
  fleet: Fleet,
  runs: readonly HostRun[],
  store: FleetDatastore,
  group: readonly Evidence[],
  rest: readonly Evidence[],
): Case | null {
  const { host: server, name, nas } = store;
  // That daemons are older than their mount explains a failure and is none.
  if (group.every(({ symptom }) => symptom.code === 'older-than-mount')) return null;
  const failing = hostsOf(group).filter((host) => host !== server);
  const users = fleet.storages
    .filter((one) => one.server === server && one.datastore === name)
    .map(({ host }) => host);
  const others = [...new Set(users)].filter((host) => !failing.includes(host));
  const own = group.filter(({ host }) => host === server);
  const following = coded(rest, consequences).filter((one) =>
    one.host === server ? datastoreOf(fleet, one)?.name === name : failing.includes(one.host),
  );
  const mount = coded(own, mountCodes);
  const alsoThere =
    mount.length === 0 || nas === undefined
      ? []
      : coded(rest, [...mountCodes, 'storage-inactive', 'stale-mount']).filter(
          (one) => !group.includes(one) && serverOf(fleet, one) === nas,
        );
  const several =
    new Set(fleet.datastores.filter((one) => one.host === server).map((one) => one.mount)).size > 1;
  const which = several ? `${name} ` : '';
  const cause = causeOf(runs, store, own, group, failing, others, alsoThere.length > 0, which);
  const whom = failing.length === 0 ? '' : `; backups of ${joined(failing)} fail for it`;
  const more = hostsOf(alsoThere).filter((host) => host !== server && !failing.includes(host));
  const unseen = blindHosts(runs, [...(cause.asked ?? []), ...others]);
  const alone = cause.rule === 'one-host-only';
  // What the server shows of old backups is not explained by the trouble of one client.
  const explained = alone ? following.filter((one) => one.host !== server) : following;
  return {
    uses: [...group, ...explained, ...alsoThere],
    finding: warning({
      rule: cause.rule,
      hosts: present(runs, fleet, alone ? failing : [server, ...failing, ...more]),
      suspect: cause.suspect,
      message: `${cause.message}${alone || cause.named ? '' : whom}${unseen}`,
      hint: cause.hint,
      procedure: cause.procedure,
    }),
  };
}

interface Cause {
  readonly rule: string;
  readonly suspect: string;
  readonly message: string;
  readonly hint: string;
  readonly procedure?: string;
  /** Hosts that should have been looked at to be sure. */
  readonly asked?: readonly string[];
  /** The message names the clients already. */
  readonly named?: true;
}

function causeOf(
  runs: readonly HostRun[],
  { host, name, mount: point, nas }: FleetDatastore,
  own: readonly Evidence[],
  group: readonly Evidence[],
  failing: readonly string[],
  others: readonly string[],
  nasElsewhere: boolean,
  /** Name of the datastore for the command line, with a blank, where the server has several. */
  which: string,
): Cause {
  const store = `the datastore ${name} of ${host}`;
  const [mount] = coded(own, mountCodes);
  if (mount !== undefined) {
    const nasDown = nas !== undefined && (nasElsewhere || runs.some((run) => run.host === nas && run.error));
    return {
      rule: 'datastore-mount',
      suspect: nasDown ? `host:${nas}` : `mount:${point ?? 'of the datastore'}`,
      message: `${store} cannot be reached on its mount${nas === undefined ? '' : ` from ${nas}`}: ${mount.symptom.says}`,
      hint: `${nas === undefined ? '' : `see whether ${nas} serves it; then `}mount it anew: the server is stopped for it and started only with the store in place`,
      procedure: `provision run pbs/remount ${which}--host ${host}`,
      ...(nas === undefined ? {} : { asked: [nas] }),
    };
  }
  const [down] = coded(own, ['pbs-down']);
  if (down !== undefined)
    return {
      rule: 'backup-server',
      suspect: `pbs:${host}`,
      message: `the backup server ${host} is not running: ${down.symptom.says}`,
      hint: 'see with `journalctl -u proxmox-backup-proxy` why, and start it once its datastore is mounted',
    };
  const [stale] = coded(own, ['stale-handles']);
  const older = coded(own, ['older-than-mount']);
  if (stale !== undefined || (older.length > 0 && coded(group, ['chunk-store']).length > 0))
    return {
      rule: 'stale-nfs-handles',
      suspect: `pbs:${host}`,
      message: `${store} is there and answers, but its server holds stale NFS handles: ${stale?.symptom.says ?? 'it was started before the present mount'}`,
      hint: 'restart the backup server: its mount is proven healthy first, and no task is cut off',
      procedure: `provision run pbs/restart-stale --host ${host}`,
    };
  const blind = blindness(runs, host);
  const elsewhereFine = others.some((one) => blindness(runs, one) === null);
  const line = group[0]?.symptom.says ?? '';
  const first = failing[0] ?? host;
  const silent = own.length === older.length;
  if (failing.length === 1 && silent && (elsewhereFine || blind === null))
    return {
      rule: 'one-host-only',
      suspect: group[0]?.symptom.of ?? `host:${first}`,
      message: `only ${first} has trouble with ${store}: ${line}`,
      hint: `look at ${first} itself: its network, its storage configuration, its rights on the server`,
    };
  const who = failing.length > 0 ? `${joined(failing)} cannot use ${store}` : `${store} does not work`;
  return {
    rule: 'backup-server',
    suspect: `pbs:${host}`,
    message: `${who}: ${line}; ${blind === null && silent ? `${host} itself shows nothing` : `the cause lies with ${host}`}`,
    hint: `run the checks of ${host}: \`provision check --host ${host}\``,
    asked: [host],
    named: true,
  };
}

function usersOf(fleet: Fleet, server: string): string[] {
  return [...new Set(fleet.storages.filter((one) => one.server === server).map(({ host }) => host))];
}

/** Hosts of the site, each once: a server may be none. */
export function present(runs: readonly HostRun[], fleet: Fleet, names: readonly string[]): string[] {
  const known = new Set([
    ...runs.map(({ host }) => host),
    ...[...fleet.storages, ...fleet.datastores, ...fleet.mounts].map(({ host }) => host),
  ]);
  return [...new Set(names)].filter((name) => known.has(name));
}

export function warning(finding: Omit<Finding, 'level'>): Finding {
  return { ...finding, level: 'warning' };
}
