import { expect, test } from 'vitest';
import { order } from '../../../src/plan/order.ts';
import { expandHost } from '../../../src/roles/expand.ts';
import { complaints, example } from './fleet.ts';

const names = [
  'hikurangi',
  'pbs',
  'pihanga',
  'pve',
  'pve2',
  'ruapehu',
  'synology',
  'truenas-bu',
  'truenas-hdd',
];

test('the example fleet is complete', async () => {
  const site = await example().catch((error: unknown) => complaints(error));
  expect(Array.isArray(site) ? site : site.hosts.map((host) => host.name).sort()).toEqual(names);
});

test.each(names)('%s: every role of it expands', async (name) => {
  const site = await example();
  const expanded = await expandHost(site, name).catch((error: unknown) => complaints(error));
  if (Array.isArray(expanded)) expect(expanded).toEqual([]);
  else expect(expanded.checks.length).toBeGreaterThan(0);
});

test('vzdump is told of a directory and a script only after they are there', async () => {
  const { host, resources } = await expandHost(await example(), 'pve2');
  const { before } = order(resources, { host: host.name, platform: host.platform, live: true });
  expect(before.get('file:/etc/vzdump.conf')).toEqual(
    expect.arrayContaining(['directory:/var/lib/vz/vzdump-tmp', 'file:/usr/local/bin/vzdump-hook.pl']),
  );
});

test('nothing on a NAS is given a mode or an owner', async () => {
  const site = await example();
  for (const name of ['synology', 'truenas-bu', 'truenas-hdd']) {
    const { resources } = await expandHost(site, name);
    for (const { spec } of resources) {
      expect(Object.keys(spec as object)).not.toEqual(expect.arrayContaining(['mode']));
      expect(Object.keys(spec as object)).not.toEqual(expect.arrayContaining(['owner']));
    }
    // Files of a TrueNAS are its own: only its middleware is spoken to.
    if (name !== 'synology')
      expect(new Set(resources.map(({ type }) => type.name))).toEqual(
        new Set(['truenas_dataset', 'truenas_share', 'truenas_service']),
      );
  }
});
