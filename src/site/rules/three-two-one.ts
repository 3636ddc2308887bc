import { backupsOn, listing, numbers, storageNamed, targetsOf } from '../coverage.ts';
import type { Copy, DataSet } from '../declared.ts';
import type { Storage } from '../parts.ts';
import { hostAt, type Picture, type PictureHost } from '../picture.ts';
import { defineRule, type Misfit } from '../rule.ts';

export const threeTwoOne = defineRule(
  {
    code: 'three-two-one',
    level: 'warning',
    about:
      'Every data set has three copies, on two media, one of them in another place; the one in use counts.',
    why: 'One disk, one machine, one fire: each takes everything that lies in one place only.',
    compares: ['the data set, or the guests of a host', 'the copies that are known of it'],
  },
  (picture) => [...picture.dataSets.flatMap((set) => declared(picture, set)), ...derived(picture)],
);

function declared(picture: Picture, { name, copies, excluded, where }: DataSet): Misfit[] {
  const lacks = missing(copies);
  if (excluded !== undefined || lacks.length === 0) return [];
  return [
    {
      hosts: hostsOf(picture, copies),
      about: `data-set:${name}`,
      message: `the data set ${name} lacks ${listing(lacks)}`,
      hint: 'add the copies it has, make another one, or say in `excluded:` why it needs none',
      where,
      against: copies[0]?.where,
    },
  ];
}

function missing(copies: readonly Copy[]): string[] {
  const media = new Set(copies.map(({ medium }) => medium)).size;
  return [
    ...(copies.length < 3 ? [`${count(3 - copies.length, 'copy', 'copies')}`] : []),
    ...(media < 2 ? ['a second kind of medium'] : []),
    ...(copies.some(({ offsite }) => offsite) ? [] : ['a copy in another place']),
  ];
}

function hostsOf(picture: Picture, copies: readonly Copy[]): string[] {
  const names = copies.map(({ on }) => on).filter((on) => picture.hosts.some(({ name }) => name === on));
  return [...new Set(names)];
}

/** Guests that no declared data set speaks of, those with the same storages together: one finding, however many they are. */
function derived(picture: Picture): Misfit[] {
  return picture.hosts.flatMap((host) => {
    const backups = backupsOn(picture, host);
    const groups = new Map<string, typeof host.guests>();
    for (const guest of host.guests) {
      const ids = targetsOf(guest, backups);
      if (ids.length === 0 || ids.some((id) => isDeclared(picture, host, id))) continue;
      const key = ids.join(' ');
      groups.set(key, [...(groups.get(key) ?? []), guest]);
    }
    return [...groups].map(([key, guests]) => {
      const ids = key.split(' ');
      const storages = ids.flatMap((id) => storageNamed(picture, host, id) ?? []);
      const synced = storages.flatMap((storage) => syncsOf(picture, storage));
      const copies = 1 + ids.length + synced.length;
      const where = ['what runs', ...ids.map((id) => storageWords(picture, host, id)), ...synced];
      const whose = guests.length === 1 ? 'guest' : 'guests';
      const verb = guests.length === 1 ? 'has' : 'have';
      return {
        hosts: [host.name],
        about: `storage:${ids[0] ?? ''}`,
        message: `the ${whose} ${numbers(guests)} of ${host.name} ${verb} ${count(copies, 'known copy', 'known copies')} (${listing(where)}), and none is said to be in another place`,
        hint: `declare their copies: \`data_sets: [{name: ..., storages: [${ids.join(', ')}], copies: [...]}]\` in site.yaml`,
        where: guests[0]?.where,
        against: storages[0]?.where,
      };
    });
  });
}

/** A copy beside the original is one all the same, and it goes with it. */
function storageWords(picture: Picture, host: PictureHost, id: string): string {
  const { server, type } = storageNamed(picture, host, id) ?? {};
  const beside = id === 'local' || (server === undefined && type !== undefined);
  return `the storage ${id}${beside ? ' on the same host' : ''}`;
}

function isDeclared({ dataSets }: Picture, host: PictureHost, id: string): boolean {
  return dataSets.some(
    ({ storages, hosts }) => storages.includes(id) && (hosts.length === 0 || hosts.includes(host.name)),
  );
}

/** Backup servers that fetch this datastore, or get it pushed. */
function syncsOf(picture: Picture, { type, server, datastore }: Storage): string[] {
  if (type !== 'pbs' || server === undefined) return [];
  const own = hostAt(picture, server);
  const fetched = picture.hosts
    .filter((host) => host !== own)
    .filter(({ pbsJobs }) =>
      pbsJobs.some(({ kind, spec }) => kind === 'sync' && spec.remote_store === datastore && spec.remote),
    )
    .map(({ name }) => `${name}, which fetches it`);
  const pushed = (own?.pbsJobs ?? [])
    .filter(
      ({ kind, store, spec }) => kind === 'sync' && store === datastore && spec.sync_direction === 'push',
    )
    .map(({ spec }) => `${String(spec.remote)}, which it is pushed to`);
  return [...fetched, ...pushed];
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
