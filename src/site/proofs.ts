import type { Where } from '../model/errors.ts';
import { everySeconds, parseCalendar } from '../resources/calendar.ts';
import { type Backup, backupsOn, groupPlace, storageNamed } from './coverage.ts';
import type { Datastore, Storage } from './parts.ts';
import type { Picture, PictureHost } from './picture.ts';

/** A check that no role writes down: it follows from the jobs of the whole site. */
export interface Proof {
  /** `pbs/backups-pbs-datastore` */
  readonly id: string;
  readonly about: string;
  readonly role: string;
  /** Name of the resource type that looks. */
  readonly type: string;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly where: Where;
}

/** Seconds that reading one archive to its end may take. */
const readLimit = 3600;

/**
 * What must be seen on a host if the jobs of all hosts did their work: on a node the log of each guest, the archives in its
 * directories and what it mounts for them, on a backup server the groups of every host that writes there. How old the newest may be follows from the
 * schedule of its job: twice the longest time between two runs.
 */
export function proofsOf(picture: Picture, host: PictureHost): Proof[] {
  const backups = backupsOn(picture, host);
  const proofs = [
    ...backups.map((backup) => logProof(host, backup)),
    ...directoryProofs(picture, host, backups),
    ...mountProofs(host),
    ...host.datastores.map((store) => datastoreProof(picture, host, store)),
  ];
  // A role that looks itself knows what it wants to see.
  return proofs.filter(({ type, spec }) => !host.looked.has(`${type}:${String(spec[type])}`));
}

function logProof(host: PictureHost, backup: Backup): Proof {
  const { guest, job, storage } = backup;
  const tolerate = host.policy.get(guest.class)?.tolerate ?? [];
  return {
    id: `backup-jobs/log-${guest.vmid}`,
    about: `The last backup of guest ${guest.vmid} by the job ${job.id} ended well, and is not too old`,
    role: 'backup-jobs',
    type: 'backup_log',
    spec: {
      backup_log: guest.vmid,
      kind: guest.type,
      storage,
      ...ageOf(host, backup),
      ...(tolerate.length === 0 ? {} : { tolerate }),
    },
    where: job.where,
  };
}

/** Storages that are a directory on the node: what vzdump wrote can be seen there. */
function directoryProofs(picture: Picture, host: PictureHost, backups: readonly Backup[]): Proof[] {
  const ids = [...new Set(backups.map(({ storage }) => storage))];
  return ids.flatMap((id) => {
    const storage = storageNamed(picture, host, id);
    if (storage?.path === undefined || !['dir', 'nfs', 'cifs'].includes(storage.type)) return [];
    const own = backups.filter((backup) => backup.storage === id);
    const guests = own.map((backup) => ({
      vmid: backup.guest.vmid,
      kind: backup.guest.type,
      ...ageOf(host, backup),
    }));
    const whole = host.readArchives ? { whole: true, whole_limit: readLimit } : {};
    return [
      {
        id: `backup-jobs/archives-${id}`,
        about: `In ${id} lies a backup of every guest that goes there, and none is too old`,
        role: 'backup-jobs',
        type: 'dump_backups',
        spec: { dump_backups: `${storage.path}/dump`, guests, ...whole },
        where: storage.where,
      },
    ];
  });
}

/** What Proxmox VE mounts for backups, where no role watches it already: the right source, and files keep their times and modes. */
function mountProofs(host: PictureHost): Proof[] {
  return host.storages
    .filter(({ type, disabled, content }) => type === 'nfs' && !disabled && content.includes('backup'))
    .filter(({ path }) => !host.watched.some((one) => one.path === path))
    .map(({ id, path, server, export: exported, where }) => ({
      id: `pve-storage/mount-${id}`,
      about: `${id} is mounted from ${server}, answers, and a file written there keeps its time and its mode`,
      role: 'pve-storage',
      type: 'mount_health',
      spec: {
        mount_health: path,
        source: `${server}:${exported}`,
        type: 'nfs',
        expect_entry: 'dump',
        write_test: true,
        limit: 20,
      },
      where,
    }));
}

/** Guests that do not, or no longer, go there are known all the same: a group of theirs is no group of nobody. */
function datastoreProof(picture: Picture, host: PictureHost, store: Datastore): Proof {
  const groups: Record<string, unknown>[] = [];
  const others: Record<string, unknown>[] = [];
  for (const client of picture.hosts) {
    const backups = backupsOn(picture, client);
    for (const guest of client.guests) {
      const group = `${guest.type}/${guest.vmid}`;
      const here = backups.flatMap((backup) => {
        const storage = backup.guest === guest ? storageNamed(picture, client, backup.storage) : undefined;
        return storage !== undefined && liesIn(picture, storage, host, store) ? [{ backup, storage }] : [];
      });
      for (const { backup, storage } of here)
        groups.push({ group, ...nsOf(storage.namespace), ...ageOf(client, backup) });
      if (here.length === 0)
        others.push({ group, reason: guest.excluded ?? `no job of ${client.name} backs it up to here` });
    }
  }
  const taken = new Set(groups.map(({ group, ns }) => `${ns} ${group}`));
  const known = others.filter(({ group, ns }) => !taken.has(`${ns} ${group}`));
  const declared = host.decommissioned.map(({ group, reason, ns, since }) => ({
    group,
    reason,
    ...nsOf(ns ?? ''),
    ...(since === undefined ? {} : { since }),
  }));
  return {
    id: `pbs/backups-${store.name}`,
    about: `In ${store.name} lies a backup of every guest that goes there, none too old, and nothing that nobody knows`,
    role: 'pbs',
    type: 'pbs_backups',
    spec: { pbs_backups: store.name, groups, decommissioned: distinct([...declared, ...known]) },
    where: store.where,
  };
}

function liesIn(picture: Picture, storage: Storage, host: PictureHost, { name }: Datastore): boolean {
  return (
    storage.type === 'pbs' && groupPlace(picture, { ...storage, namespace: '' }) === `${host.name} ${name} `
  );
}

function nsOf(namespace: string): { ns?: string } {
  return namespace === '' ? {} : { ns: namespace };
}

/** Two hosts may have a guest of one kind and number. */
function distinct(groups: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return [...new Map(groups.map((one) => [`${one.ns} ${one.group}`, one])).values()];
}

/** Hours, as the policy of its class says, or twice the longest time between two runs of its job. */
function ageOf(host: PictureHost, { guest, job }: Backup): { max_age_hours?: number } {
  const given = host.policy.get(guest.class)?.maxAge;
  if (given !== undefined) return { max_age_hours: given };
  const event = job.schedule === undefined ? null : parseCalendar(job.schedule);
  const gap = event === null ? null : everySeconds(event);
  return gap === null ? {} : { max_age_hours: Math.max(1, Math.ceil((2 * gap) / 3600)) };
}
