import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type PveGuestsSpec, pveGuests } from '../../../src/resources/pve-guests.ts';
import { hasBusybox, mountCluster, newTree, shells, type Tree } from './tree.ts';

const spec: PveGuestsSpec = {
  pve_guests: 'pve2',
  guests: [
    { vmid: 1031, type: 'ct' },
    { vmid: 111, type: 'vm' },
  ],
};
const present = shells.filter((shell) => shell !== 'busybox' || hasBusybox);

describe.each(present)('pve_guests in %s', (shell) => {
  const files = {
    'nodes/pve2/lxc/1031.conf': 'hostname: docker\n\n[vzdump]\nhostname: before\n',
    'nodes/pve2/qemu-server/111.conf': 'name: influxdb\n',
  };
  function cluster(more: Readonly<Record<string, string>> = {}): Tree {
    const tree = mountCluster(newTree(shell, { live: true, platform: 'pve', host: 'pve2' }));
    for (const [path, text] of Object.entries({ ...files, ...more })) {
      mkdirSync(dirname(tree.path(`/etc/pve/${path}`)), { recursive: true });
      writeFileSync(tree.path(`/etc/pve/${path}`), text);
    }
    return tree;
  }

  it('passes with exactly the guests of the inventory, whatever else lies beside them', () => {
    const tree = cluster({
      'nodes/pve2/lxc/1031.conf.tmp.9': '',
      'nodes/pve2/lxc/notes.conf': '',
      'nodes/pihanga/lxc/300.conf': 'hostname: far\n',
    });
    expect(tree.have(pveGuests, spec)).toEqual({ missing: 'none', unknown: 'none' });
  });

  it('names what the inventory does not know, by the name it has now and not in a snapshot', () => {
    const tree = cluster({
      'nodes/pve2/lxc/300.conf': '#about: x\nhostname: media\n[before]\nhostname: old\n',
      'nodes/pve2/qemu-server/9001.conf': '',
    });
    const seen = tree.read(pveGuests, spec);
    expect(seen).toEqual({ have: { missing: 'none', unknown: 'ct/300 media, vm/9001' } });
    expect(pveGuests.symptoms?.(seen, spec).map(({ code, of }) => `${code} of ${of}`)).toEqual([
      'guest-unknown of guest:300',
      'guest-unknown of guest:9001',
    ]);
  });

  it('names what is missing, and the node that it is on', () => {
    const more = [
      { vmid: 200, type: 'vm' },
      { vmid: 300, type: 'ct' },
    ] as const;
    const tree = cluster({ 'nodes/pihanga/lxc/300.conf': 'hostname: far\n', 'nodes/pve2/lxc/200.conf': '' });
    const wanted: PveGuestsSpec = { ...spec, guests: [...spec.guests, ...more] };
    expect(tree.have(pveGuests, wanted)).toEqual({
      missing: 'vm/200, ct/300 (it is on pihanga)',
      unknown: 'ct/200',
    });
  });

  it('knows nothing of an /etc/pve that is not mounted, nor of a node that is not there', () => {
    const bare = newTree(shell, { live: true, platform: 'pve', host: 'pve2' });
    mkdirSync(bare.path('/etc/pve/nodes/pve2/lxc'), { recursive: true });
    expect(bare.read(pveGuests, spec)).toEqual({
      unknown: expect.stringContaining('is not the cluster file system'),
    });
    expect(cluster().read(pveGuests, { ...spec, pve_guests: 'pve9' })).toEqual({
      unknown: expect.stringContaining('has no node pve9'),
    });
  });
});
