import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/model/host.ts';
import { differences, type State } from '../../../src/model/state.ts';
import { mount } from '../../../src/resources/mount.ts';
import { device, mountText } from '../../../src/resources/mount-text.ts';
import { facts } from '../../../src/shell/facts.ts';
import { hasBusybox, newTree, shells } from './tree.ts';

const context: Context = { host: 'pve9', platform: 'pve', live: true };
const nfs = {
  mount: '/mnt/pbs-datastore',
  what: '10.10.0.103:/mnt/Taupo/pbs',
  type: 'nfs',
  options: ['vers=4.2', 'hard'],
};
const ext4 = { mount: '/mnt/backup', what: 'UUID=0a-1B', type: 'ext4', options: ['nofail', 'noatime'] };

const plan = (spec: object, have: State | null, where = context) => {
  const want = mount.want(spec, where);
  return { spec, have, want, differs: differences(want, have), context: where };
};
const about = (spec: object, have: State | null) => mount.steps(plan(spec, have)).map((step) => step.about);

describe('the unit of a mount', () => {
  it('of a network file system waits for the network', () => {
    expect(mountText(nfs)).toBe(`# Kept by provision: changes made here are undone.
[Unit]
Description=10.10.0.103:/mnt/Taupo/pbs on /mnt/pbs-datastore
After=network-online.target
Wants=network-online.target

[Mount]
What=10.10.0.103:/mnt/Taupo/pbs
Where=/mnt/pbs-datastore
Type=nfs
Options=vers=4.2,hard
TimeoutSec=30

[Install]
WantedBy=remote-fs.target
`);
  });

  it('of a local one waits for its device; words of fstab are left out; % is doubled', () => {
    expect(mountText(ext4)).toContain('What=/dev/disk/by-uuid/0a-1B\n');
    expect(mountText(ext4)).toContain('Options=noatime\n');
    expect(mountText(ext4)).toContain('WantedBy=local-fs.target\n');
    expect(mountText(ext4)).not.toContain('network');
    expect(mountText({ ...ext4, options: ['_netdev'] })).toContain('WantedBy=remote-fs.target\n');
    expect(mountText({ ...nfs, mount: '/mnt/50%' })).toContain('Where=/mnt/50%%\n');
    expect(device({ mount: '/x', what: 'LABEL="a b"' })).toBe('/dev/disk/by-label/a b');
    expect(device(nfs)).toBeUndefined();
  });

  it('schema: a source and a type, options without commas, no values that a unit file cannot hold', () => {
    const valid = new Ajv({ strict: false }).compile(mount.schema);
    expect(valid(nfs)).toBe(true);
    expect(valid({ mount: '/mnt/x', state: 'absent' })).toBe(true);
    expect(valid({ mount: '/mnt/x' })).toBe(false);
    expect(valid({ ...nfs, mount: '/' })).toBe(false);
    expect(valid({ ...nfs, mount: '/mnt/x\\' })).toBe(false);
    expect(valid({ ...nfs, mount: '/mnt/x ' })).toBe(false);
    expect(valid({ ...nfs, what: 'a:/b\nOptions=soft' })).toBe(false);
    expect(valid({ ...nfs, options: ['rw,soft'] })).toBe(false);
  });
});

describe('mount', () => {
  const want = mount.want(nfs, context);

  it('gives its path, so that what lies below comes after it', () => {
    expect(mount.provides?.(nfs)).toContain('path:/mnt/pbs-datastore');
    expect(mount.needs?.(nfs)).toEqual(['path:/mnt', 'package:nfs-common']);
    expect(mount.needs?.({ ...ext4, what: '/srv/a', options: ['bind'] })).toEqual([
      'path:/mnt',
      'path:/srv/a',
    ]);
  });

  it('unmounts first, and only what must be mounted anew', () => {
    expect(about(nfs, null)).toEqual([
      'check mnt-pbs\\x2ddatastore.mount with systemd-analyze verify',
      'write /etc/systemd/system/mnt-pbs\\x2ddatastore.mount',
      'daemon-reload',
      'enable mnt-pbs\\x2ddatastore.mount',
      'mount /mnt/pbs-datastore',
    ]);
    expect(about(nfs, { ...want, source: '10.10.0.99:/x' })).toEqual([
      'unmount /mnt/pbs-datastore',
      'mount /mnt/pbs-datastore',
    ]);
    // A text that is refused must not leave the host without its mount.
    expect(about(nfs, { ...want, text: 'x' }).slice(0, 3)).toEqual([
      'check mnt-pbs\\x2ddatastore.mount with systemd-analyze verify',
      'unmount /mnt/pbs-datastore',
      'write /etc/systemd/system/mnt-pbs\\x2ddatastore.mount',
    ]);
    expect(about(nfs, { ...want, mode: '0600' })).toEqual([
      'write /etc/systemd/system/mnt-pbs\\x2ddatastore.mount',
      'daemon-reload',
    ]);
    expect(about({ ...nfs, active: false }, { ...want, mounted: true }).at(0)).toBe(
      'unmount /mnt/pbs-datastore',
    );
    expect(about({ mount: '/mnt/x', state: 'absent' }, { mounted: true }).at(0)).toBe('unmount /mnt/x');
  });

  it('is not given up for what lay hidden below it all the time', () => {
    const last = (have: State | null) => mount.steps(plan(nfs, have)).at(-1)?.run.text;
    expect(last(null)).toContain('is not empty');
    expect(last({ ...want, mounted: false })).toContain('is not empty');
    expect(last({ ...want, text: 'x' })).not.toContain('is not empty');
  });

  it('never forces and never detaches', () => {
    const steps = mount.steps(plan(nfs, { ...want, source: 'x' }));
    const shell = steps.map((step) => step.run.text).join('\n');
    expect(shell).toMatch(/umount -- \/mnt/);
    expect(shell).not.toMatch(/umount -[fl]|systemctl stop/);
  });

  it('refuses soft NFS without a reason, foreign mount points, a directory with files', () => {
    const refused = (spec: object, have: State | null, where = context) =>
      mount.refuse?.(plan(spec, have, where));
    expect(refused({ ...nfs, options: ['soft'] }, null)).toContain('allow_soft');
    expect(refused({ ...nfs, options: ['softerr'] }, null)).toContain('allow_soft');
    expect(refused({ ...nfs, options: ['soft'], allow_soft: 'read only media' }, null)).toBeNull();
    expect(refused({ ...nfs, mount: '/mnt/pve/bu' }, null)).toContain('PVE');
    expect(refused({ ...nfs, mount: '/mnt/pve/bu' }, null, { ...context, platform: 'pbs' })).toBeNull();
    expect(refused(nfs, { mounted: false, occupied: 'files' })).toContain('not empty');
    expect(refused({ ...nfs, active: false }, { mounted: false, occupied: 'files' })).toBeNull();
    expect(refused(nfs, { owned_by: '/etc/fstab' })).toContain('/etc/fstab');
    expect(
      refused(
        { mount: '/mnt/x', state: 'absent' },
        { links: 'x', from: '/run/systemd/generator/mnt-x.mount' },
      ),
    ).toContain('generator');
    expect(refused(nfs, null)).toBeNull();
  });

  const seen = (spec: object, ...lines: string[]) => {
    const observed = mount.read(facts(['load\tloaded', ...lines].map((line) => `x\t${line}`)), spec, context);
    return 'have' in observed ? observed.have : observed;
  };

  it('nfs4 is what nfs becomes; a UUID is its device; part of a file system is not the whole', () => {
    expect(seen(nfs, 'mount\tnfs4\t0:51\t/\t10.10.0.103:/mnt/Taupo/pbs/')).toMatchObject({
      source: nfs.what,
      type: 'nfs',
    });
    expect(seen({ ...nfs, type: 'nfs4' }, 'mount\tnfs\t0:51\t/\ta:/b')).toMatchObject({
      source: 'a:/b',
      type: 'nfs',
    });
    expect(seen(ext4, 'mount\text4\t253:16\t/\t/dev/mapper/b', 'device\tfd:10')).toMatchObject({
      source: 'UUID=0a-1B',
    });
    expect(seen(ext4, 'mount\text4\t253:17\t/\t/dev/mapper/b', 'device\tfd:10')).toMatchObject({
      source: '/dev/mapper/b',
    });
    expect(seen(ext4, 'mount\text4\t253:16\t/sub\t/dev/mapper/b', 'device\tfd:10')).toMatchObject({
      source: '/dev/mapper/b[/sub]',
    });
    const bind = { mount: '/mnt/x', what: '/srv/a', type: 'none', options: ['bind'] };
    expect(seen(bind, 'mount\text4\t8:1\t/srv/a\t/dev/sda1', 'origin\t8:1\t/\t/')).toMatchObject({
      source: '/srv/a',
    });
    expect(seen(bind, 'mount\text4\t8:1\t/vol/a\t/dev/sda1', 'origin\t8:1\t/vol\t/srv')).toMatchObject({
      source: '/srv/a',
    });
    expect(seen(bind, 'mount\text4\t8:1\t/srv/b\t/dev/sda1', 'origin\t8:1\t/\t/')).toMatchObject({
      source: '/dev/sda1[/srv/b]',
    });
  });

  it('not having seen the table of mounts is not "not mounted"', () => {
    expect(seen(nfs)).toHaveProperty('unknown');
    expect(seen(nfs, 'mount\tno', 'load\tnot-found')).toBeNull();
  });
});

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('in a tree, on %s', (shell) => {
  it('is the unit on disk, with fstab and the storages of PVE of the tree', () => {
    const tree = newTree(shell, { platform: 'pbs' });
    tree.sh('mkdir -p etc/systemd/system etc/pve mnt/full; touch mnt/full/x');
    tree.sh(`printf '%s\\n' '#x /mnt/no nfs' 's:/x /mnt/fs\\040tab nfs defaults 0 0' >etc/fstab`);
    tree.sh(`printf 'cifs: win\\n\\tserver a\\n\\nnfs: own\\n\\tpath /mnt/own\\n' >etc/pve/storage.cfg`);
    const at = (path: string) => ({ ...nfs, mount: path });
    expect(tree.refuse(mount, at('/mnt/fs tab'))).toContain('/etc/fstab');
    expect(tree.refuse(mount, at('/mnt/pve/win'))).toContain('storage win');
    expect(tree.refuse(mount, at('/mnt/own'))).toContain('storage own');
    expect(tree.have(mount, at('/mnt/no'))).toBeNull();
    expect(tree.have(mount, at('/mnt/full'))).toMatchObject({ occupied: 'files' });
    expect(tree.apply(mount, { ...nfs, enabled: false }).ok).toBe(true);
    expect(tree.differs(mount, { ...nfs, enabled: false })).toEqual([]);
    expect(tree.apply(mount, { mount: nfs.mount, state: 'absent' }).ok).toBe(true);
    expect(tree.have(mount, { mount: nfs.mount, state: 'absent' })).toBeNull();
  });
});
