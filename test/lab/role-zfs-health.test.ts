import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { checks, converges, ids, mends, outcomes, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

const world = '/var/lib/zfs-stand-ins';
const rc = '/etc/zfs/zed.d/zed.rc';
const members = ['ata-ACME_0001-part3', 'ata-ACME_0002-part3'];
const day = 86400;

describeLab('the role zfs-health on a node of Proxmox VE', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;
  const now = Math.floor(Date.now() / 1000);
  const vars = {
    pools: [{ name: 'rpool', members }],
    datasets: [
      { name: 'rpool/data', compression: 'lz4', atime: 'off', quota: '1G' },
      { name: 'rpool/data/vm-100-disk-0', compression: 'zstd' },
    ],
  };
  const write = (more = {}) =>
    inventoryFor([host], { roles: ['zfs-health'], vars: { 'zfs-health': { ...vars, ...more } } }, site);
  const pool = (more: object = {}, disk: object = {}) =>
    host.writeFile(
      `${world}/pools/rpool.json`,
      JSON.stringify({
        state: 'ONLINE',
        vdevs: [
          {
            name: 'mirror-0',
            state: 'ONLINE',
            vdevs: members.map((name, index) => ({
              path: `/dev/disk/by-id/${name}`,
              state: 'ONLINE',
              ...(index === 0 ? disk : {}),
            })),
          },
        ],
        scan: { function: 'SCRUB', state: 'FINISHED', start: now - 3 * day, end: now - 3 * day, errors: 0 },
        errors: [],
        ...more,
      }),
    );

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    watched = { host, dirs: ['/etc', '/root', '/dev/disk', `${world}/pools`, `${world}/datasets.json`] };
    await host.writeFile(rc, '# ZED_EMAIL_ADDR="nobody"\nZED_EMAIL_ADDR="root"  # who\n');
    await host.writeFile(`${world}/version`, '2.2.8\n');
    await host.writeFile(
      `${world}/datasets.json`,
      JSON.stringify({
        'rpool/data': { used: 1000 * 1024 * 1024 },
        'rpool/data/vm-100-disk-0': { type: 'volume' },
      }),
    );
    await host.sh(`mkdir -p /dev/disk
      printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/zfs-zed.service
      systemctl daemon-reload; systemctl enable --now zfs-zed 2>/dev/null`);
    await pool();
    site = write();
  });
  afterAll(stopAll);

  test.each(['2.2.8', '2.3.4'])(
    'with OpenZFS %s all is well, and looking changes nothing',
    async (version) => {
      await host.writeFile(`${world}/version`, `${version}\n`);
      if (version === '2.2.8') {
        const { diff } = await converges(site, watched);
        expect(ids(diff)).toEqual(['zfs_dataset:rpool/data', 'zfs_dataset:rpool/data/vm-100-disk-0']);
      }
      const all = await checks(site);
      expect(Object.keys(outcomes(all)).sort()).toEqual(
        ['daemon-mails', 'daemon-runs', 'no-swap-on-zvol', 'pool'].map((id) => `zfs-health/${id}`),
      );
    },
  );

  test.each([
    ['zfs_dataset:rpool/data', 'zfs set compression=off rpool/data'],
    ['zfs_dataset:rpool/data', 'zfs set atime=on quota=none rpool/data'],
    ['zfs_dataset:rpool/data/vm-100-disk-0', 'zfs set compression=lz4 rpool/data/vm-100-disk-0'],
  ])('%s is drift after: %s', async (id, edit) => {
    await mends(site, host, edit, id);
  });

  test('what would lose data or is not there is refused, and nothing is called', async () => {
    write({
      datasets: [
        { name: 'rpool/data', quota: '500M' },
        { name: 'rpool/gone', atime: 'off' },
        { name: 'rpool/data/vm-100-disk-0', atime: 'off' },
      ],
    });
    await host.sh(`rm ${world}/calls`);
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(5);
    expect(apply.said).toContain('quota of 524288000 bytes is not above the 1048576000 bytes that are used');
    expect(apply.said).toContain('there is no dataset rpool/gone; datasets are made by hand, never by apply');
    expect(apply.said).toContain('vm-100-disk-0 is a volume, which has no atime');
    expect(await host.sh(`grep -c 'zfs set' ${world}/calls || true`)).toBe('0\n');
    write();
    expect((await tell(site, 'diff')).exit).toBe(0);
  });

  test.each(['2.1.11', '2.3.4'])(
    'OpenZFS %s: whose data was damaged is named, with the first error',
    async (version) => {
      await host.writeFile(`${world}/version`, `${version}\n`);
      await pool({
        errors: [
          '/var/lib/vz/images/10006/vm-10006-disk-0.raw',
          '/mnt/ext/images/1034/vm-1034-disk-0.raw',
          'rpool/data/vm-100-disk-0:<0x1>',
        ],
        events: [{ time: 1795000000, class: 'ereport.fs.zfs.checksum' }],
      });
      const told = await checks(site, { exit: 4, notPassed: ['zfs-health/pool'] });
      expect(told.said).toContain('first error 2026-11-18 11:06 UTC');
      for (const vmid of [100, 1034, 10006]) expect(told.said).toContain(`guest ${vmid}: `);
      // Clearing counters mends nothing, a scrub that no longer meets the damage does.
      await host.sh('zpool clear rpool');
      await checks(site, { exit: 4, notPassed: ['zfs-health/pool'] });
      await host.sh('zpool scrub rpool');
      await checks(site);
    },
  );

  test.each([
    [
      'DEGRADED',
      { state: 'DEGRADED' },
      { state: 'UNAVAIL', was: '/dev/disk/by-id/ata-ACME_0001-part3' },
      'ata-ACME_0001-part3 UNAVAIL',
    ],
    ['repaired errors', {}, { checksum: 12 }, '12 checksum'],
    ['another disk', {}, { path: '/dev/sda3' }, '/dev/sda3'],
    [
      'no scrub',
      { scan: { function: 'SCRUB', state: 'FINISHED', start: 1, end: 1, errors: 0 } },
      {},
      'days ago',
    ],
  ])('the check of the pool fails after: %s', async (_, state, disk, message) => {
    await pool(state, disk);
    const told = await checks(site, { exit: 4, notPassed: ['zfs-health/pool'] });
    expect(told.said).toContain(message);
    await pool();
    await checks(site);
  });

  test('swap on a volume of ZFS, a daemon that does not run or has nobody to tell', async () => {
    await host.sh(`printf 'Filename Type Size Used Priority\n/dev/zd0 partition 8388604 0 -2\n' >/run/swaps
      mount --bind /run/swaps /proc/swaps; systemctl stop zfs-zed; sed -i s/root// ${rc}`);
    const failing = ['daemon-mails', 'daemon-runs', 'no-swap-on-zvol'].map((id) => `zfs-health/${id}`);
    const told = await checks(site, { exit: 4, notPassed: failing });
    expect(told.said).toContain('/dev/zd0 is swap on a volume of ZFS');
    write({ swap_on_zvol: 'accepted', mail: false });
    await checks(site, { exit: 4, notPassed: ['zfs-health/daemon-runs'] });
    await host.sh(`umount /proc/swaps; systemctl start zfs-zed; sed -i 's/=""/="root"/' ${rc}`);
    write();
    await checks(site);
  });

  test('a suspended pool costs one limit, and all that asks ZFS is unknown', {
    timeout: 120_000,
  }, async () => {
    write({ pools: [{ name: 'rpool', members }, { name: 'tank' }] });
    await pool({ state: 'SUSPENDED' });
    const started = Date.now();
    const told = await checks(site, { exit: 8, notPassed: ['zfs-health/pool', 'zfs-health/pool-2'] });
    expect(Date.now() - started).toBeLessThan(35_000);
    expect(told.said).toContain('no answer in 15 s');
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(8);
    await pool();
    write();
    await checks(site);
  });
});
