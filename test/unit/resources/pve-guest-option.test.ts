import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pveGuestOption } from '../../../src/resources/pve-guest-option.ts';
import type { GuestOptionSpec } from '../../../src/resources/pve-guest-option-state.ts';
import { hasBusybox, mountCluster, newTree, shells, type Tree } from './tree.ts';

const node = hostname().replace(/\..*/, '');

const docker = `# the media stack
arch: amd64
hostname: docker
mp0: /mnt/Main,mp=/mnt/Main
mp1: local-lvm:vm-1031-disk-1,mp=/srv/data,size=32G
mp2: local-lvm:vm-1031-disk-2,mp=/srv/cache,backup=1,size=8G
rootfs: local-lvm:vm-1031-disk-0,size=16G
unprivileged: 1

[vzdump]
lock: snapshot
mp1: local-lvm:vm-1031-disk-1,mp=/srv/data,backup=1,size=32G
`;
const influx = `agent: 0,fstrim_cloned_disks=1
boot: order=scsi0
ide2: none,media=cdrom
scsi0: local-lvm:vm-111-disk-0,iothread=1,size=32G
scsi1: local-lvm:vm-111-disk-1,backup=0,size=500G
`;
const ct: GuestOptionSpec = {
  pve_guest_option: 1031,
  kind: 'ct',
  mount_points: [
    { id: 'mp0', backup: false },
    { id: 'mp1', backup: false },
    { id: 'mp2', backup: true },
  ],
  hookscript: 'none',
  unlocked: true,
};
const vm: GuestOptionSpec = { pve_guest_option: 111, kind: 'vm', agent: true, unlocked: true };

const present = shells.filter((shell) => shell !== 'busybox' || hasBusybox);

describe.each(present)('pve_guest_option in %s', (shell) => {
  function cluster(files: Readonly<Record<string, string>> = {}): Tree {
    const tree = mountCluster(newTree(shell, { live: true, platform: 'pve', host: 'pve2' }));
    const all = {
      [`nodes/${node}/lxc/1031.conf`]: docker,
      [`nodes/${node}/qemu-server/111.conf`]: influx,
      ...files,
    };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(tree.path(`/etc/pve/${path}`)), { recursive: true });
      writeFileSync(tree.path(`/etc/pve/${path}`), text);
    }
    return tree;
  }
  const container = (from: string, to: string) => {
    expect(docker).toContain(from);
    return cluster({ [`nodes/${node}/lxc/1031.conf`]: docker.replace(from, to) });
  };
  const machine = (from: string, to: string) => {
    expect(influx).toContain(from);
    return cluster({ [`nodes/${node}/qemu-server/111.conf`]: influx.replace(from, to) });
  };
  const steps = (tree: Tree, spec: GuestOptionSpec): string[] => {
    const change = {
      spec,
      have: tree.have(pveGuestOption, spec),
      want: pveGuestOption.want(spec, tree.context),
      differs: tree.differs(pveGuestOption, spec),
      context: tree.context,
    };
    return pveGuestOption.steps(change).map((step) => step.run.text.replaceAll("'", ''));
  };
  const symptoms = (tree: Tree, spec: GuestOptionSpec): string[] =>
    (pveGuestOption.symptoms?.(tree.read(pveGuestOption, spec), spec) ?? []).map(
      ({ code, of }) => `${code} of ${of}`,
    );

  it('reads the current part of the file alone: snapshots have locks and flags of their own', () => {
    expect(cluster().differs(pveGuestOption, ct)).toEqual([]);
    expect(symptoms(cluster(), ct)).toEqual([]);
  });

  it('changes only the flag of a mount point: the rest of its text is repeated', () => {
    const points = [
      { id: 'mp1', backup: true },
      { id: 'mp2', backup: false },
    ];
    expect(steps(cluster(), { ...ct, mount_points: points })).toEqual([
      'pct set 1031 --mp1 local-lvm:vm-1031-disk-1,mp=/srv/data,size=32G,backup=1 >/dev/null',
      'pct set 1031 --mp2 local-lvm:vm-1031-disk-2,mp=/srv/cache,size=8G,backup=0 >/dev/null',
    ]);
  });

  it('takes disks of a VM for backed up unless they say otherwise', () => {
    const points = [
      { id: 'scsi0', backup: true },
      { id: 'scsi1', backup: true },
    ];
    const spec: GuestOptionSpec = { pve_guest_option: 111, kind: 'vm', mount_points: points };
    expect(cluster().differs(pveGuestOption, spec)).toEqual(['scsi1']);
    expect(steps(cluster(), spec)).toEqual([
      'qm set 111 --scsi1 local-lvm:vm-111-disk-1,size=500G,backup=1 >/dev/null',
    ]);
  });

  it.each([
    [
      '1031',
      { ...ct, mount_points: [{ id: 'mp0', backup: true }] },
      'mp0 of CT 1031 is in no backup, whatever its flag says: it is a bind mount of /mnt/Main',
    ],
    ['1031', { ...ct, mount_points: [{ id: 'mp7', backup: true }] }, 'CT 1031 has no mp7'],
    ['111', { ...vm, agent: false, mount_points: [{ id: 'ide2', backup: true }] }, 'it is a CD-ROM drive'],
    ['111', { ...vm, kind: 'ct', agent: undefined }, '111 is a VM, not a container'],
    ['1031', { ...ct, kind: 'vm', mount_points: undefined }, '1031 is a container, not a VM'],
    [
      '200',
      { ...vm, pve_guest_option: 200 },
      'no guest has the number 200; guests are made or restored by Proxmox VE',
    ],
  ])('refuses for %s what cannot be: %j', (_, spec, message) => {
    expect(cluster().refuse(pveGuestOption, spec)).toContain(message);
  });

  it('refuses a guest of another node', () => {
    const tree = cluster({ 'nodes/pihanga/qemu-server/300.conf': 'agent: 1\n' });
    expect(tree.refuse(pveGuestOption, { ...vm, pve_guest_option: 300 })).toContain(
      'VM 300 is on the node pihanga, not on pve2',
    );
  });

  it.each([
    ['agent: 0,fstrim_cloned_disks=1', 'enabled=1,fstrim_cloned_disks=1'],
    ['agent: 0,fstrim_cloned_disks=1\n', 'enabled=1'],
    ['agent: 0,', 'enabled=1,fstrim_cloned_disks=1'],
  ])('turns the agent on and keeps its other settings', (from, to) => {
    const kept = { 'agent: 0,fstrim_cloned_disks=1\n': '', 'agent: 0,': 'agent: enabled=0,' }[from] ?? from;
    expect(steps(machine(from, kept), vm)).toEqual([`qm set 111 --agent ${to} >/dev/null`]);
    for (const on of ['agent: 1', 'agent: enabled=1,type=virtio', 'agent: type=isa,enabled=1'])
      expect(machine('agent: 0,fstrim_cloned_disks=1', on).differs(pveGuestOption, vm)).toEqual([]);
  });

  it('counts what waits for the next start as done, and tells of it', () => {
    const tree = machine(
      'size=500G\n',
      'size=500G\n\n[PENDING]\nagent: 1\ndelete: hookscript\n\n[old]\nagent: 0\n',
    );
    expect(tree.differs(pveGuestOption, vm)).toEqual([]);
    expect(symptoms(tree, vm)).toEqual(['waits-for-restart of guest:111']);
    const other = container(
      'unprivileged: 1\n',
      'unprivileged: 1\n\n[pve:pending]\nmp1: local-lvm:vm-1031-disk-1,mp=/srv/data,backup=1,size=32G\n',
    );
    expect(other.differs(pveGuestOption, ct)).toEqual(['mp1']);
  });

  it('knows nothing of a lock while the backup runs that may have it; a task of another guest, or a dead one, is none', () => {
    const tree = container('hostname: docker', 'hostname: docker\nlock: backup');
    const [, start = ''] =
      / (\d+)$/.exec(
        tree.sh(`set -- $(sed 's/^.*) //' /proc/${process.pid}/stat); echo "x ${'$'}{20}"`).trim(),
      ) ?? [];
    const hex = (number: number) => number.toString(16).toUpperCase().padStart(8, '0');
    const active = (pid: number, began: number, id: string) => {
      mkdirSync(tree.path('/var/log/pve/tasks'), { recursive: true });
      const upid = `UPID:pve2:${hex(pid)}:${hex(began)}:691EF000:vzdump:${id}:root@pam:`;
      writeFileSync(tree.path('/var/log/pve/tasks/active'), `junk\n${upid} 0\n`);
    };
    for (const id of ['1031', '']) {
      active(process.pid, Number(start), id);
      expect(tree.read(pveGuestOption, ct)).toEqual({
        unknown: expect.stringContaining('a backup runs now'),
      });
      expect(symptoms(tree, ct)).toEqual([]);
    }
    active(process.pid, Number(start), '1034');
    expect(tree.differs(pveGuestOption, ct)).toEqual(['lock']);
    active(process.pid, Number(start) + 1, '1031');
    expect(tree.differs(pveGuestOption, ct)).toEqual(['lock']);
  });

  it('clears no lock: it names the procedure that proves first that nothing runs', () => {
    const tree = container('hostname: docker', 'hostname: docker\nlock: backup');
    expect(tree.differs(pveGuestOption, ct)).toEqual(['lock']);
    expect(tree.refuse(pveGuestOption, ct)).toContain('provision run vzdump/unstick 1031 --host pve2');
    expect(symptoms(tree, ct)).toEqual(['guest-locked of guest:1031']);
    // Nothing else is set on a locked guest either: Proxmox refuses it.
    const { unlocked: _, ...rest } = ct;
    expect(tree.differs(pveGuestOption, rest)).toEqual([]);
    expect(tree.refuse(pveGuestOption, { ...rest, hookscript: 'local:snippets/x.sh' })).toContain(
      'is locked (backup)',
    );
  });

  it('sets and takes away a hook script', () => {
    const set: GuestOptionSpec = { ...ct, hookscript: 'local:snippets/x.sh' };
    expect(steps(cluster(), set)).toEqual(['pct set 1031 --hookscript local:snippets/x.sh >/dev/null']);
    const has = container('hostname: docker', 'hookscript: local:snippets/y.sh\nhostname: docker');
    expect(steps(has, ct)).toEqual(['pct set 1031 --delete hookscript >/dev/null']);
  });

  it('prints for one of several what it prints for it alone, and knows nothing where /etc/pve is not mounted', () => {
    const tree = cluster();
    const both = tree.look(pveGuestOption, [ct, vm]);
    for (const one of [ct, vm]) {
      const id = String(one.pve_guest_option);
      expect(both.get(id)?.text).toBe(tree.look(pveGuestOption, [one]).get(id)?.text);
    }
    mountCluster(tree, 'ext4');
    expect(tree.read(pveGuestOption, ct)).toHaveProperty('unknown');
  });
});

describe('what no guest has', () => {
  it.each([
    [{ ...ct, agent: true }, 'agent', 'only VMs have a guest agent'],
    [{ ...vm, hookscript: 'local:backup/x' }, 'hookscript', 'content type snippets'],
    [{ ...ct, mount_points: [{ id: 'rootfs', backup: true }] }, 'mount_points.0.id', 'in every backup'],
    [{ ...ct, mount_points: [{ id: 'scsi0', backup: true }] }, 'mount_points.0.id', 'no container has'],
    [{ ...ct, mount_points: [{ id: 'mp256', backup: true }] }, 'mount_points.0.id', 'no container has'],
    [{ ...vm, mount_points: [{ id: 'mp0', backup: true }] }, 'mount_points.0.id', 'no VM has'],
    [
      {
        ...ct,
        mount_points: [
          { id: 'mp1', backup: true },
          { id: 'mp1', backup: false },
        ],
      },
      'mount_points.1.id',
      'twice',
    ],
  ])('%j', (spec, at, says) => {
    const [mistake] = pveGuestOption.mistakes?.(spec) ?? [];
    expect(mistake?.at.join('.')).toBe(at);
    expect(mistake?.says).toContain(says);
  });

  it('a bind mount that is said to be in the backup is refused before any host is asked', () => {
    const spec = { ...ct, mount_points: [{ id: 'mp0', path: '/mnt/Main', bind: true, backup: true }] };
    expect(pveGuestOption.mistakes?.(spec)).toMatchObject([{ at: ['mount_points', '0', 'backup'] }]);
  });

  it('nothing is wrong with what is meant', () => {
    expect(pveGuestOption.mistakes?.(ct)).toEqual([]);
    expect(pveGuestOption.mistakes?.(vm)).toEqual([]);
  });
});
