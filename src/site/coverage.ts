import type { Guest } from '../inventory/data.ts';
import type { Job, Storage } from './parts.ts';
import { hostAt, type Picture, type PictureHost, type Placed } from './picture.ts';

/** That one job backs one guest up. */
export interface Backup {
  readonly guest: Placed<Guest>;
  readonly job: Job;
  /** Id of the storage it goes to. */
  readonly storage: string;
  readonly mode: 'snapshot' | 'suspend' | 'stop' | string;
}

/** Jobs that run on a host. In a cluster a job may be written down on one node and run on another. */
export function jobsOn(picture: Picture, host: PictureHost): Job[] {
  const own = host.jobs.filter(({ node }) => node === undefined || node === host.name);
  const lent = picture.hosts
    .filter((other) => other !== host)
    .flatMap((other) => other.jobs.filter(({ node }) => node === host.name));
  return [...own, ...lent].filter(({ enabled }) => enabled);
}

/** Each guest with each job that takes it. Members of a pool are not in the inventory: such jobs take nobody that we know. */
export function backupsOn(picture: Picture, host: PictureHost): Backup[] {
  return jobsOn(picture, host).flatMap((job) =>
    host.guests
      .filter(({ vmid }) => takes(job, vmid))
      .map((guest) => ({ guest, job, storage: storageOf(host, job), mode: modeOf(host, job) })),
  );
}

function takes(job: Job, vmid: number): boolean {
  return job.vmids.includes(vmid) || (job.all && !job.exclude.includes(vmid));
}

/** What the job says, else /etc/vzdump.conf, else what Proxmox VE falls back on. */
export function storageOf(host: PictureHost, job: Job): string {
  return job.storage ?? host.vzdump?.storage ?? 'local';
}

function modeOf(host: PictureHost, job: Job): string {
  return job.mode ?? host.vzdump?.mode ?? 'snapshot';
}

/** Ids of the storages that a guest is backed up to: by jobs, or, where no job takes it, as the inventory says. */
export function targetsOf(guest: Placed<Guest>, backups: readonly Backup[]): string[] {
  const taken = backups.filter((backup) => backup.guest === guest).map(({ storage }) => storage);
  if (taken.length > 0) return [...new Set(taken)].sort();
  return guest.storage === undefined || guest.excluded !== undefined ? [] : [guest.storage];
}

/** A storage by its id: of the host, or of one that shares its configuration and lends it to this node. */
export function storageNamed(picture: Picture, host: PictureHost, id: string): Storage | undefined {
  const own = host.storages.find((storage) => storage.id === id);
  if (own !== undefined) return own;
  return picture.hosts
    .flatMap(({ storages }) => storages)
    .find((storage) => storage.id === id && storage.nodes.includes(host.name));
}

/** The datastore and namespace that a storage writes into, the same text for the same place. */
export function groupPlace(picture: Picture, storage: Storage): string {
  const server = storage.server ?? '';
  const name = hostAt(picture, server)?.name ?? server.toLowerCase();
  return [name, storage.datastore ?? '', storage.namespace].join(' ');
}

/** `109, 400 and 401` */
export function numbers(guests: readonly Pick<Guest, 'vmid'>[]): string {
  return listing(guests.map(({ vmid }) => `${vmid}`));
}

/** `a, b and c` */
export function listing(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}
