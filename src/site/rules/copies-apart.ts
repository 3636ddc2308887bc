import type { Copy, DataSet } from '../declared.ts';
import type { Picture } from '../picture.ts';
import { defineRule, type Misfit } from '../rule.ts';

export const copiesApart = defineRule(
  {
    code: 'copies-apart',
    level: 'warning',
    about: 'Two copies of a data set on one host are on different disks.',
    why: 'A copy on the disk of the original is lost together with it.',
    compares: ['one copy of the data set', 'another one on the same host'],
  },
  (picture) =>
    picture.dataSets.flatMap((set) => [
      ...set.copies.flatMap((copy, index) =>
        set.copies
          .slice(index + 1)
          .filter(
            ({ on, disk }) => on === copy.on && (disk === undefined || disk === copy.disk || !copy.disk),
          )
          .map((other) => together(picture, set, copy, other)),
      ),
      ...set.copies.flatMap((copy) => strange(picture, set, copy)),
    ]),
);

function together(picture: Picture, { name }: DataSet, one: Copy, other: Copy): Misfit {
  const known = one.disk !== undefined && one.disk === other.disk;
  return {
    hosts: picture.hosts.filter((host) => host.name === one.on).map((host) => host.name),
    about: `data-set:${name}`,
    message: known
      ? `two copies of the data set ${name} are on the disk ${one.disk ?? ''} of ${one.on}`
      : `two copies of the data set ${name} are on ${one.on}, and it is not said that their disks differ`,
    hint: known
      ? 'move one of them to another disk'
      : 'give both a `disk:`, the serial of the disk (or of one disk of the array)',
    where: one.where,
    against: other.where,
  };
}

/** A serial that the host does not have says nothing. Hosts without declared disks are believed. */
function strange(picture: Picture, { name }: DataSet, { on, disk, where }: Copy): Misfit[] {
  const host = picture.hosts.find((one) => one.name === on);
  if (host === undefined || disk === undefined || host.disks.length === 0) return [];
  if (host.disks.some(({ serial }) => serial === disk)) return [];
  return [
    {
      hosts: [host.name],
      about: `data-set:${name}`,
      message: `a copy of the data set ${name} is on the disk ${disk} of ${on}, which has no such disk`,
      hint: `its disks have the serials ${host.disks.map(({ serial }) => serial).join(', ')}`,
      where,
      against: host.disks[0]?.where,
    },
  ];
}
