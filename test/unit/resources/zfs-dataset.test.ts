import { expect, it } from 'vitest';
import { zfsDataset } from '../../../src/resources/zfs-dataset.ts';
import { propertiesSchema } from '../../../src/resources/zfs-properties.ts';
import { newWorld } from './zfs-world.ts';

const world = newWorld('dash', ['zfs/zfs'], 'zfs-stand-ins.root');
const data = { zfs_dataset: 'rpool/data', properties: { compression: 'zstd', quota: '500G' } };
const disk = { zfs_dataset: 'rpool/data/vm-100-disk-0', properties: { compression: 'lz4' } };
const gone = { zfs_dataset: 'rpool/gone', properties: { atime: 'off' } };
const tank = { zfs_dataset: 'tank/x', properties: { atime: 'off' } };

it('asks once for all, tells what is not there, and leaves a suspended pool alone', () => {
  world.write('state/datasets.json', {
    'rpool/data': { used: 1000, props: { quota: 2000 } },
    'rpool/data/vm-100-disk-0': { type: 'volume' },
  });
  world.write('proc/spl/kstat/zfs/tank/state', 'SUSPENDED\n');
  const specs = [data, disk, gone, tank];
  const seen = world.look(zfsDataset, specs);
  expect(world.calls()).toHaveLength(1);
  const facts = seen.get('rpool/data')?.facts;
  expect([facts?.get('type'), facts?.get('compression'), facts?.get('quota')]).toEqual([
    'filesystem',
    'on',
    '2000',
  ]);
  expect(seen.get('rpool/data/vm-100-disk-0')?.facts.get('atime')).toBe('-');
  expect(seen.get('rpool/gone')?.facts.get('missing')).toContain('does not exist');
  expect(seen.get('tank/x')?.facts.get('unknown')).toBe('its pool is suspended: the disks do not answer');
  for (const spec of specs)
    expect(world.look(zfsDataset, [spec]).get(spec.zfs_dataset)?.text).toBe(seen.get(spec.zfs_dataset)?.text);
});

it('a zfs that hangs or knows nothing is not known', () => {
  world.write('state/pools/other.json', { state: 'SUSPENDED' });
  expect(world.look(zfsDataset, [data, gone], 1).get('rpool/gone')?.facts.get('unknown')).toContain(
    'no answer in',
  );
  world.write('state/pools/other.json', { state: 'ONLINE' });
  expect(world.read(zfsDataset, gone)).toMatchObject({
    have: null,
    blocked: expect.stringContaining('made by hand'),
  });
});

it('nothing that loses or hides data can be written down', () => {
  const allowed = Object.keys(propertiesSchema.properties);
  for (const name of [
    'volsize',
    'mountpoint',
    'canmount',
    'readonly',
    'acltype',
    'encryption',
    'keylocation',
    'sharenfs',
  ])
    expect(allowed).not.toContain(name);
  expect(propertiesSchema.properties).toMatchObject({ sync: { enum: ['standard', 'always'] } });
});
