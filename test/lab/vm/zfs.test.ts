import { afterAll, beforeAll, expect, test } from 'vitest';
import { inventoryFor } from '../site.ts';
import { notPassed, type Told, tell } from '../story.ts';
import { describeVm } from './suite.ts';
import { segment, startVm, stopVms, type Vm } from './vm.ts';

/** Minutes, not seconds: the machine runs under emulation. */
const limit = 600_000;

/** Pools of ZFS itself: damage, a missing disk, a suspended pool, as OpenZFS 2.1 tells them. */
describeVm('ZFS for real', () => {
  let host: Vm;
  let site: string;

  beforeAll(async () => {
    host = await startVm({
      name: 'pve2',
      platform: 'linux',
      lan: '10.99.0.1',
      segment: segment(),
      disks: { ZFSA0001: '512M', ZFSB0001: '512M', ZFSC0001: '256M' },
    });
    // A pool on one disk beside the mirror: what is damaged there cannot be repaired.
    await host.sh(`modprobe zfs; cd /dev/disk/by-id
zpool create -o ashift=12 -O mountpoint=/rpool rpool mirror virtio-ZFSA0001 virtio-ZFSB0001
dmsetup create tankdisk --table "0 $(blockdev --getsz virtio-ZFSC0001) linear $(readlink -f virtio-ZFSC0001) 0"
zpool create -o ashift=12 -O mountpoint=/var/lib/vz tank /dev/mapper/tankdisk
mkdir -p /var/lib/vz/images/10006
head -c 8M /dev/urandom >/var/lib/vz/images/10006/vm-10006-disk-0.raw
zpool scrub -w rpool; zpool scrub -w tank
systemctl is-active --quiet zfs-zed || systemctl start zfs-zed`);
    site = inventoryFor([host], {
      hosts: {
        pve2: {
          roles: ['zfs-health'],
          vars: {
            'zfs-health': {
              pools: [
                { name: 'rpool', members: ['virtio-ZFSA0001-part1', 'virtio-ZFSB0001-part1'] },
                { name: 'tank' },
              ],
            },
          },
        },
      },
    });
  }, limit);
  afterAll(stopVms);

  const messageOf = (told: Told, id: string): string =>
    told.checks.find((check) => check.id === id)?.message ?? `no check ${id}`;

  test(
    'whole pools pass',
    async () => {
      const told = await tell(site, 'check');
      expect(notPassed(told), told.said).toEqual([]);
      expect(told.exit, told.said).toBe(0);
    },
    limit,
  );

  test(
    'a disk that is offline: the mirror is degraded, and the other pool is fine',
    async () => {
      await host.sh('zpool offline rpool virtio-ZFSB0001');
      const told = await tell(site, 'check');
      expect(told.exit, told.said).toBe(4);
      expect(notPassed(told), told.said).toEqual(['zfs-health/pool']);
      expect(messageOf(told, 'zfs-health/pool')).toContain('DEGRADED');
      // What the disk has missed counts as errors of it, until somebody has seen them.
      await host.sh(
        'zpool online rpool virtio-ZFSB0001; zpool wait -t resilver rpool; zpool scrub -w rpool; zpool clear rpool',
      );
      const mended = await tell(site, 'check');
      expect(mended.exit, mended.said).toBe(0);
    },
    limit,
  );

  test(
    'data destroyed behind the back of ZFS: the file is told by its guest, also in what is suspected',
    async () => {
      // Past the labels, in the middle of the random data.
      await host.sh(`sync; zpool sync tank
for at in 40 60 80 100 120 140 160; do
  dd if=/dev/urandom of=/dev/disk/by-id/virtio-ZFSC0001 bs=1M seek=$at count=12 conv=notrunc oflag=direct status=none
done
zpool scrub -w tank || :`);
      const damaged = await host.sh('zpool status -v tank');
      expect(damaged).toContain('vm-10006-disk-0.raw');
      const told = await tell(site, 'check');
      expect(told.exit, told.said).toBe(4);
      expect(notPassed(told), told.said).toEqual(['zfs-health/pool-2']);
      expect(messageOf(told, 'zfs-health/pool-2'), told.said).toContain('10006');
    },
    limit,
  );

  test(
    'a pool that ZFS has suspended is told from the kernel, within the limits',
    async () => {
      await host.sh(`dmsetup suspend --noflush tankdisk
dmsetup reload tankdisk --table "0 $(blockdev --getsz /dev/disk/by-id/virtio-ZFSC0001) error"
dmsetup resume tankdisk
(timeout 20 sh -c 'echo x >/var/lib/vz/x; zpool sync tank' || :) >/dev/null 2>&1 </dev/null &
for _ in $(seq 60); do [ "$(cat /proc/spl/kstat/zfs/tank/state)" != SUSPENDED ] || break; sleep 1; done
cat /proc/spl/kstat/zfs/tank/state`);
      const began = Date.now();
      const told = await tell(site, 'check');
      expect((Date.now() - began) / 1000).toBeLessThan(60);
      expect(messageOf(told, 'zfs-health/pool-2'), told.said).toContain('SUSPENDED');
      expect(told.checks.find(({ id }) => id === 'zfs-health/pool')?.outcome, told.said).toBe('pass');
    },
    limit,
  );
});
