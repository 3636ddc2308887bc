import type { Where } from '../../model/errors.ts';
import { jobsOn, storageOf } from '../coverage.ts';
import { covers } from '../exports.ts';
import type { PbsUser, Storage } from '../parts.ts';
import { hostAt, type Picture, type PictureHost } from '../picture.ts';
import { defineRule } from '../rule.ts';

/** Roles of a backup server that may remove backups. */
const mayPrune = ['Admin', 'DatastoreAdmin', 'DatastorePowerUser'];

export const pruneRights = defineRule(
  {
    code: 'prune-rights',
    level: 'error',
    about: 'Whoever may only back up to a backup server is not told to prune there.',
    why: 'Proxmox VE prunes after each guest, the server refuses, and every backup ends as failed.',
    compares: ['prune_backups of the job, storage or vzdump.conf', 'the ACL of the user or token'],
  },
  (picture) =>
    picture.hosts.flatMap((host) =>
      host.storages
        .filter(({ type }) => type === 'pbs')
        .flatMap((storage) => {
          const pbs = hostAt(picture, storage.server ?? '');
          const user = pbs?.users.find(({ name }) => name === storage.username?.split('!')[0]);
          if (pbs === undefined || user === undefined || allowed(user, storage)) return [];
          return prunings(picture, host, storage).map(({ who, where }) => ({
            hosts: [host.name, pbs.name],
            about: `storage:${storage.id}`,
            message: `${who} of ${host.name} prunes in the storage ${storage.id}, where ${storage.username ?? ''} may not`,
            hint: `set prune_backups: {keep-all: 1} for the storage and prune by a job of ${pbs.name}`,
            where,
            against: user.where,
          }));
        }),
    ),
);

/** The rights of a token are those that both it and its user have. */
function allowed(user: PbsUser, { username, datastore, namespace }: Storage): boolean {
  const token = username?.split('!')[1];
  const path = ['', 'datastore', datastore, ...namespace.split('/')].filter((step, at) => at === 0 || step);
  const rights = (who: string | undefined): boolean => {
    const at = path.join('/');
    const above = user.acl.filter(
      (entry) => entry.token === who && (entry.path === at || (entry.propagate && aclCovers(entry.path, at))),
    );
    const longest = Math.max(0, ...above.map((entry) => entry.path.length));
    return above.some((entry) => entry.path.length === longest && mayPrune.includes(entry.role));
  };
  return rights(undefined) && (token === undefined || rights(token));
}

function aclCovers(above: string, path: string): boolean {
  return covers(above.length > 1 ? above.replace(/\/+$/, '') : above, path);
}

/** Everything that makes vzdump prune there: the job wins over the storage, and that over /etc/vzdump.conf. */
function prunings(
  picture: Picture,
  host: PictureHost,
  storage: Storage,
): { readonly who: string; readonly where: Where }[] {
  const jobs = jobsOn(picture, host).filter((job) => storageOf(host, job) === storage.id);
  const own = jobs
    .filter(({ prune }) => prunes(prune))
    .map(({ id, where }) => ({ who: `the job ${id}`, where }));
  const silent = jobs.length === 0 || jobs.some(({ prune }) => prune === undefined);
  if (!silent) return own;
  if (storage.prune !== undefined)
    return prunes(storage.prune) ? [...own, { who: 'the storage itself', where: storage.where }] : own;
  const { vzdump } = host;
  return jobs.length > 0 && vzdump !== undefined && prunes(vzdump.prune)
    ? [...own, { who: '/etc/vzdump.conf', where: vzdump.where }]
    : own;
}

/** Zeros only mean that everything is kept. */
function prunes(keep: ReadonlyMap<string, number> | undefined): boolean {
  if (keep === undefined || keep.get('keep-all') === 1) return false;
  return [...keep].some(([name, count]) => name !== 'keep-all' && count > 0);
}
