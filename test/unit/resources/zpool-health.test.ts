import { describe, expect, it } from 'vitest';
import { differences, type Observed } from '../../../src/model/state.ts';
import { zpoolHealth } from '../../../src/resources/zpool-health.ts';
import { facts } from '../../../src/shell/facts.ts';
import { newWorld, type World } from './zfs-world.ts';

const members = ['ata-ACME_0001-part3', 'ata-ACME_0002-part3'];
const spec = { zpool_health: 'rpool', members, max_scrub_days: 35 };
const context = { host: 'pve9', platform: 'pve', live: true } as const;
const day = 86400;
const now = Math.floor(Date.now() / 1000);

function disk(name: string, more: object = {}) {
  return { path: `/dev/disk/by-id/${name}`, state: 'ONLINE', ...more };
}

function pool(more: object = {}, first: object = {}) {
  return {
    state: 'ONLINE',
    vdevs: [
      {
        name: 'mirror-0',
        state: 'ONLINE',
        vdevs: [disk('ata-ACME_0001-part3', first), disk('ata-ACME_0002-part3')],
      },
    ],
    scan: { function: 'SCRUB', state: 'FINISHED', start: now - 3 * day, end: now - 3 * day, errors: 0 },
    errors: [],
    ...more,
  };
}

function judged(observed: Observed): unknown {
  if ('unknown' in observed) return observed;
  const wanted = zpoolHealth.want(spec, context);
  return Object.fromEntries(
    differences(wanted, observed.have).map((key) => [key, observed.have?.[key] ?? null]),
  );
}

describe.each(['2.1.11', '2.2.8', '2.3.4'])('zpool_health with OpenZFS %s', (version) => {
  const world = newWorld('dash', ['zfs/zpool'], 'zfs-stand-ins.root');
  world.write('state/version', version);
  const look = (state: object, name = 'rpool') => {
    world.write(`state/pools/${name}.json`, state);
    return world.read(zpoolHealth, { ...spec, zpool_health: name });
  };

  it('a whole mirror is as wanted, whatever the order of its members', () => {
    expect(judged(look(pool()))).toEqual({});
    expect(world.calls()).toContain(
      version.startsWith('2.3') ? 'zpool status -j --json-int -P -p -v rpool' : 'zpool status -P -p -v rpool',
    );
    expect(
      judged(look(pool({ logs: [disk('nvme-LOG')], spares: [disk('ata-SPARE', { state: 'AVAIL' })] }))),
    ).toEqual({
      members: 'ata-ACME_0001-part3 ata-ACME_0002-part3 ata-SPARE nvme-LOG',
    });
  });

  it('tells members that are gone, ill or others, by the names they had', () => {
    const gone = pool(
      { state: 'DEGRADED' },
      { state: 'UNAVAIL', was: '/dev/disk/by-id/ata-ACME_0001-part3', read: 3 },
    );
    const seen = look(gone);
    expect(judged(seen)).toEqual({
      state: 'DEGRADED',
      unwell: 'ata-ACME_0001-part3 UNAVAIL',
      errors: 'ata-ACME_0001-part3: 3 read, 0 write, 0 checksum',
    });
    expect(zpoolHealth.symptoms?.(seen, spec as never)).toEqual([
      { code: 'zfs-degraded', of: 'pool:rpool', says: 'DEGRADED; members: ata-ACME_0001-part3 UNAVAIL' },
    ]);
    expect(judged(look(pool({}, { path: '/dev/sda3' })))).toEqual({
      members: '/dev/sda3 ata-ACME_0002-part3',
    });
    expect(judged(look(pool({}, { checksum: 12 })))).toEqual({
      errors: 'ata-ACME_0001-part3: 0 read, 0 write, 12 checksum',
    });
  });

  it('tells which guests were hit, and since when', () => {
    const errors = [
      'rpool/data/vm-100-disk-0:<0x1>',
      '/var/lib/vz/images/10006/vm-10006-disk-0.raw',
      '/mnt/ext/images/1034/vm-1034-disk-0.raw',
      '/rpool/data/subvol-1031-disk-0/etc/passwd',
      'rpool/data/subvol-1031-disk-0@before:/var/lib/x',
      '/var/lib/vz/dump/vzdump-lxc-1008-2026_11_01-02_00_00.tar.zst',
      '<metadata>:<0x3d>',
      '<0x5e>:<0x1>',
    ];
    const at = now - 2 * day;
    const events = [
      { time: at - day, class: 'sysevent.fs.zfs.config_sync' },
      { time: at, class: 'ereport.fs.zfs.checksum' },
      { time: at + 60, class: 'ereport.fs.zfs.data' },
    ];
    const seen = look(pool({ errors, events }));
    expect(Object.keys(judged(seen) as object)).toEqual(['damaged']);
    const damaged = 'have' in seen ? String(seen.have?.damaged) : '';
    expect(damaged).toMatch(/^first error 20\d\d-\d\d-\d\d \d\d:\d\d UTC; guest 100: rpool/);
    expect(damaged).toContain('backup of guest 1008: /var/lib/vz/dump/');
    expect(damaged).toContain('<0x5e>:<0x1> (of a dataset or snapshot that is gone)');
    const [symptom] = zpoolHealth.symptoms?.(seen, spec as never) ?? [];
    expect(symptom).toMatchObject({
      code: 'zfs-damage',
      of: 'pool:rpool',
      data: { guests: '100,1031,1034,10006', backups: '1008', since: String(at) },
    });
    const unknown = look(pool({ errors }));
    expect('have' in unknown && unknown.have?.damaged).toContain('at an unknown time');
    expect(zpoolHealth.symptoms?.(unknown, spec as never)[0]?.data?.since).toBe('');
  });

  it.each([
    ['never', null],
    [
      'finished 40 days ago',
      { function: 'SCRUB', state: 'FINISHED', start: now - 40 * day, end: now - 40 * day, errors: 0 },
    ],
    [
      /^7 errors not repaired by the scrub of /,
      { function: 'SCRUB', state: 'FINISHED', start: now, end: now, errors: 7 },
    ],
    [/^canceled of /, { function: 'SCRUB', state: 'CANCELED', start: now - day, end: now - day }],
    [/^paused of /, { function: 'SCRUB', state: 'SCANNING', start: now - day, pause: now - 60 }],
    [
      /^not since the resilver of .* \(finished\)$/,
      { function: 'RESILVER', state: 'FINISHED', start: now, end: now, errors: 0 },
    ],
    [
      /^not since the resilver of .* \(running\)$/,
      { function: 'RESILVER', state: 'SCANNING', start: now - 60 },
    ],
  ])('a scrub that is %s is not as wanted', (said, scan) => {
    const found = judged(look(pool({ scan }))) as { scrub: string };
    expect(found).toEqual({ scrub: typeof said === 'string' ? said : expect.stringMatching(said) });
  });

  it('one that runs and was begun in time is, and a pool that is not there is told', () => {
    expect(judged(look(pool({ scan: { function: 'SCRUB', state: 'SCANNING', start: now - 60 } })))).toEqual(
      {},
    );
    expect(world.read(zpoolHealth, { zpool_health: 'tank' })).toEqual({ have: null });
  });

  it('observing two prints for each what observing it alone prints', () => {
    world.write('state/pools/tank.json', pool({ errors: ['/tank/x'] }));
    world.write('state/pools/rpool.json', pool());
    const tank = { zpool_health: 'tank' };
    const stable = (text: string | undefined) => text?.replace(/\tnow\t\d+/, '');
    const both = world.look(zpoolHealth, [spec, tank]);
    for (const one of [spec, tank]) {
      const alone = world.look(zpoolHealth, [one]).get(one.zpool_health);
      expect(stable(both.get(one.zpool_health)?.text)).toBe(stable(alone?.text));
    }
  });
});

describe('an answer of another form', () => {
  const seen = (scan: object, errors: unknown = '0') => {
    const leaf = (name: string) => ({ ...disk(name), checksum_errors: errors });
    const status = {
      pools: {
        rpool: {
          state: 'ONLINE',
          vdevs: { rpool: { vdevs: Object.fromEntries(members.map((name) => [name, leaf(name)])) } },
          scan_stats: { function: 'SCRUB', state: 'FINISHED', errors: '0', ...scan },
          error_count: '0',
        },
      },
    };
    const lines = [`rpool\tjson\t${JSON.stringify(status)}`, `rpool\tnow\t${now}`];
    return judged(zpoolHealth.read(facts(lines), spec, context));
  };

  it('counts 1.2K as errors, and a scrub of a time to come as none', () => {
    expect(seen({ end_time: now - day })).toEqual({});
    expect(seen({ end_time: now - day }, '1.2K')).toMatchObject({
      errors: expect.stringContaining('1229 checksum'),
    });
    expect(seen({ end_time: now + 9 * day })).toEqual({ scrub: 'at an unknown time' });
    expect(seen({ end_time: 9e15, errors: '1' })).toMatchObject({
      scrub: expect.stringContaining('second 9'),
    });
  });
});

describe('a suspended pool', () => {
  const suspend = (world: World, name: string) => {
    world.write(`state/pools/${name}.json`, { ...pool(), state: 'SUSPENDED' });
    world.write(`proc/spl/kstat/zfs/${name}/state`, 'SUSPENDED\n');
  };

  it('is told by the kernel and not asked', () => {
    const world = newWorld('dash', ['zfs/zpool'], 'zfs-stand-ins.root');
    suspend(world, 'rpool');
    const seen = world.read(zpoolHealth, spec);
    expect(seen).toEqual({ have: { state: 'SUSPENDED' } });
    expect(world.calls()).toEqual([]);
    expect(zpoolHealth.symptoms?.(seen, spec as never)[0]?.code).toBe('zfs-suspended');
    expect(judged(seen)).toMatchObject({ state: 'SUSPENDED' });
  });

  it('holds up all others, at the cost of one limit', () => {
    const world = newWorld('dash', ['zfs/zpool'], 'zfs-stand-ins.root');
    suspend(world, 'tank');
    world.write('state/pools/rpool.json', pool());
    world.write('state/pools/other.json', pool());
    const started = Date.now();
    const seen = world.look(zpoolHealth, [spec, { zpool_health: 'other' }, { zpool_health: 'tank' }], 1);
    expect(Date.now() - started).toBeLessThan(4_000);
    for (const name of ['rpool', 'other'])
      expect(seen.get(name)?.facts.get('unknown')).toBe(
        'no answer in 15 s: the pool tank is suspended and holds up every question about ZFS; leave ZFS alone until its disks are back',
      );
    expect(seen.get('tank')?.facts.get('kernel')).toBe('SUSPENDED');
    expect(world.calls()).toHaveLength(1);
  });
});
