import type { Disk } from '../../inventory/data.ts';
import type { Where } from '../../model/errors.ts';
import { listing } from '../coverage.ts';
import type { PictureHost, Placed } from '../picture.ts';
import { defineRule } from '../rule.ts';

export const mirrorDisksMatch = defineRule(
  {
    code: 'mirror-disks-match',
    level: 'warning',
    about: 'The disks of a mirror have the same size and model.',
    why: 'The smaller one decides the size, the slower one the speed, and unlike controllers time out unlike.',
    compares: ['one disk of the mirror', 'another disk of it'],
  },
  ({ hosts }) =>
    hosts.flatMap((host) =>
      mirrors(host).flatMap(({ name, disks }) => {
        const [first, ...others] = disks;
        const unlike = others.find((disk) => disk.size !== first?.size || disk.model !== first?.model);
        if (first === undefined || unlike === undefined) return [];
        return [
          {
            hosts: [host.name],
            about: `pool:${name}`,
            message: `the mirror ${name} of ${host.name} is made of unlike disks: ${listing(disks.map(described))}`,
            hint: 'replace them one after the other by disks of one model and size',
            where: first.where,
            against: unlike.where,
          },
        ];
      }),
    ),
);

/** Members of a pool that are no half of a mirror of data. */
const aside = /^(log|cache|spare|special)$/;

interface Mirror {
  readonly name: string;
  readonly disks: readonly (Placed<Disk> & { readonly where: Where })[];
}

/** By the members that zpool_health names, and by `use: mirror NAME` of the disks. */
function mirrors(host: PictureHost): Mirror[] {
  const pools = host.pools.map(({ name, members }) => ({
    name,
    disks: members.flatMap(
      (member) =>
        host.disks.find(({ by_id, use }) => by_id === whole(member) && !aside.test(use ?? '')) ?? [],
    ),
  }));
  const named = host.disks.flatMap(({ use }) => /^mirror (\S+)$/.exec(use ?? '')?.[1] ?? []);
  const uses = [...new Set(named)]
    .filter((name) => !pools.some((pool) => pool.name === name))
    .map((name) => ({ name, disks: host.disks.filter(({ use }) => use === `mirror ${name}`) }));
  return [...pools, ...uses];
}

/** `/dev/disk/by-id/ata-X-part3` -> `ata-X` */
function whole(member: string): string {
  return member.replace(/^.*\//, '').replace(/-part[0-9]+$/, '');
}

function described({ model, size, serial }: Disk): string {
  return `${model ?? serial} (${size ?? 'no size given'})`;
}
