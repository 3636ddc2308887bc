import { covers, nearest } from '../exports.ts';
import { remote } from '../parts.ts';
import { defineRule } from '../rule.ts';

export const datastoreMountAgrees = defineRule(
  {
    code: 'datastore-mount-agrees',
    level: 'error',
    about: 'A datastore lies on the mount that it says it lies on.',
    why: 'A datastore is never made on an unmounted path; with the wrong source it would be made on the wrong machine.',
    compares: ['the datastore', 'the mount unit of the same host'],
  },
  ({ hosts }) =>
    hosts.flatMap((host) =>
      host.datastores.flatMap(({ name, path, mount, where }) => {
        const unit = nearest(host.units, path);
        const place = { hosts: [host.name], about: `datastore:${name}`, where, against: unit?.where };
        if (mount === undefined) {
          if (unit === undefined || remote(unit.source ?? '') === undefined) return [];
          return [
            {
              ...place,
              message: `the datastore ${name} of ${host.name} says that it is on a disk of its own, and ${path} is mounted from ${unit.source ?? ''}`,
              hint: 'give it `mount: {path, source, type}` instead of `local: true`',
            },
          ];
        }
        if (!covers(mount.path, path))
          return [
            {
              ...place,
              against: undefined,
              message: `the datastore ${name} of ${host.name} is at ${path}, which is not on its mount ${mount.path}`,
              hint: 'the path of a datastore is its mount point or lies below it',
            },
          ];
        if (unit === undefined || (unit.path === mount.path && sameSource(unit.source, mount.source)))
          return [];
        return [
          {
            ...place,
            message: `the datastore ${name} of ${host.name} wants ${mount.source} at ${mount.path}, and ${unit.source ?? ''} is mounted at ${unit.path}`,
            hint: 'correct whichever of the two is wrong',
          },
        ];
      }),
    ),
);

function sameSource(one: string | undefined, other: string): boolean {
  const strip = (source: string) => (source.length > 1 ? source.replace(/\/+$/, '') : source);
  return one !== undefined && strip(one) === strip(other);
}
