import { afterAll, beforeAll, expect, test } from 'vitest';
import { mount } from '../../src/resources/mount.ts';
import { mount_health } from '../../src/resources/mount-health.ts';
import { have, lookAt, make } from './drive.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { describeLab } from './suite.ts';

describeLab('mount', () => {
  let host: LabHost;
  const look = async (...specs: unknown[]) => lookAt(host, mount, specs);
  const bind = { mount: '/mnt/bind-here', what: '/srv/origin', type: 'none', options: ['bind'] };
  const memory = { mount: '/mnt/with blank', what: 'tmpfs', type: 'tmpfs', options: ['size=1m'] };

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'mount1' });
    await host.sh('mkdir -p /srv/origin /srv/other; echo a >/srv/origin/a; echo b >/srv/other/b');
  });
  afterAll(stopAll);

  test('mounted, enabled, and seen as what was asked for', async () => {
    expect((await look(bind, memory)).map((seen) => seen.observed)).toEqual([{ have: null }, { have: null }]);
    for (const spec of [bind, memory]) {
      const made = await make(host, mount, spec);
      expect(made).toMatchObject({ outcome: 'done', after: { differs: [] } });
      expect(have(made.after)).toMatchObject({
        mounted: true,
        enabled: 'enabled',
        wanted_by: 'local-fs.target',
      });
    }
    expect(await host.sh('ls /mnt/bind-here')).toBe('a\n');
    expect(await host.sh('findmnt -n -o FSTYPE "/mnt/with blank"')).toBe('tmpfs\n');
  });

  test('another source: unmounted when idle, and refused with a name when in use', async () => {
    const other = { ...bind, what: '/srv/other' };
    expect((await look(other))[0]?.differs).toEqual(['text', 'source']);
    await host.sh('setsid sh -c "cd /mnt/bind-here && exec sleep 77" >/dev/null 2>&1 &');
    await host.sh('until grep -qx sleep /proc/[0-9]*/comm; do sleep 0.1; done');
    const busy = await make(host, mount, other);
    expect(busy.outcome).toMatch(/^failed/);
    expect(busy.said).toMatch(/used by:\n {2}process [0-9]+ sleep/);
    expect(busy.after.differs).toEqual(['text', 'source']);
    await host.sh('kill "$(pgrep -x -f "sleep 77")"; while pgrep -x -f "sleep 77"; do sleep 0.1; done');
    expect(await make(host, mount, other)).toMatchObject({ outcome: 'done', after: { differs: [] } });
    expect(await host.sh('ls /mnt/bind-here')).toBe('b\n');
    expect((await make(host, mount, bind)).after.differs).toEqual([]);
  });

  test('changed options, and a run that was killed before the new mount', async () => {
    const bigger = { ...memory, options: ['size=2m'] };
    for (const steps of [2, 3, 4]) {
      const { after } = await make(host, mount, bigger, steps);
      expect(after.differs).toContain('mounted');
      expect((await make(host, mount, bigger)).after.differs).toEqual([]);
      expect(await host.sh('df -k --output=size "/mnt/with blank" | tail -n 1')).toMatch(/2048/);
      expect((await make(host, mount, memory)).after.differs).toEqual([]);
    }
    // The unit's text is new and the mount is old: what is in force is not what is on disk.
    const unit = '/etc/systemd/system/mnt-with\\\\x20blank.mount';
    await host.sh(`sed -i s/size=1m/size=3m/ ${unit}; systemctl daemon-reload`);
    expect((await look(memory))[0]?.differs).toEqual(['text', 'runs']);
    expect((await make(host, mount, memory)).after.differs).toEqual([]);
  });

  test('never over files, never where somebody else mounts', async () => {
    await host.sh('mkdir -p /var/lib/local /mnt/full && echo x >/mnt/full/x && mkdir -p /etc/pve');
    await host.sh('printf "%s\\n" "server:/x /mnt/fs\\040tab nfs defaults 0 0" >>/etc/fstab');
    await host.sh(
      'printf "dir: local\\n\\tpath /var/lib/local\\n\\nnfs: bu\\n\\tserver a\\n\\nnfs: own\\n\\tpath /mnt/own\\n" >/etc/pve/storage.cfg',
    );
    const at = (path: string) => ({ ...bind, mount: path });
    const seen = await look(
      at('/mnt/full'),
      at('/mnt/fs tab'),
      at('/mnt/pve/bu'),
      at('/mnt/own'),
      at('/var/lib/local'),
    );
    expect(seen.map((one) => one.refused)).toEqual([
      expect.stringContaining('/mnt/full is not empty'),
      expect.stringContaining('mounted by /etc/fstab'),
      expect.stringContaining('the storage bu of PVE'),
      expect.stringContaining('the storage own of PVE'),
      null,
    ]);
    await host.sh('rm /etc/fstab /etc/pve/storage.cfg');
  });

  test('unmounted by hand is seen; not active means unmounted', async () => {
    await host.sh('umount /mnt/bind-here');
    expect((await look(bind))[0]?.differs).toEqual(['mounted', 'source', 'runs']);
    expect((await make(host, mount, bind)).after.differs).toEqual([]);
    const off = { ...bind, active: false, enabled: false };
    expect((await make(host, mount, off)).about).toEqual([
      'unmount /mnt/bind-here',
      'disable mnt-bind\\x2dhere.mount',
    ]);
    expect((await look(off))[0]?.differs).toEqual([]);
    expect((await make(host, mount, bind)).after.differs).toEqual([]);
  });

  test('several together print what each prints alone', async () => {
    const specs = [
      bind,
      memory,
      { mount: '/mnt/full', what: 'x', type: 'tmpfs' },
      { mount: '/mnt/bind-here/sub', state: 'absent' },
    ];
    const together = await look(...specs);
    for (const [index, spec] of specs.entries()) {
      expect(together[index]?.text).not.toBe('');
      expect((await look(spec))[0]?.text).toBe(together[index]?.text);
    }
  });

  test('health: mounted, answers, and a write test that leaves nothing', async () => {
    const health = { mount_health: '/mnt/bind-here', expect_entry: 'a', write_test: true };
    const check = async (spec: unknown) => (await lookAt(host, mount_health, [spec]))[0];
    expect(await check(health)).toMatchObject({ differs: [] });
    expect(await host.sh('ls -A /srv/origin')).toBe('a\n');
    expect((await check({ ...health, expect_entry: '.chunks' }))?.differs).toEqual(['entry']);
    expect((await check({ ...health, type: 'nfs' }))?.differs).toEqual(['type']);
    expect((await check({ ...health, mount_health: '/mnt/full' }))?.differs).toContain('mounted');
    expect(await host.sh('ls -A /mnt/full')).toBe('x\n');
    await host.sh('mount -o remount,ro,bind /mnt/bind-here');
    expect((await check(health))?.differs).toEqual(['writable', 'keeps_times', 'keeps_modes']);
    await host.sh('mount -o remount,rw,bind /mnt/bind-here');
  });

  test('removal leaves nothing', async () => {
    for (const { mount: point } of [bind, memory]) {
      const made = await make(host, mount, { mount: point, state: 'absent' });
      expect(made).toMatchObject({ outcome: 'done', after: { observed: { have: null } } });
    }
    expect(
      await host.sh(
        'find /etc/systemd /run/provision -name "mnt-*"; grep -c /mnt/ /proc/self/mountinfo || :',
      ),
    ).toBe('0\n');
  });
});
