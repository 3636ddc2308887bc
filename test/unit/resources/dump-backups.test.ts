import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { differences } from '../../../src/model/state.ts';
import { dump_backups } from '../../../src/resources/dump-backups.ts';
import { facts } from '../../../src/shell/facts.ts';
import { hasBusybox, newTree, shells } from './tree.ts';

const context = { host: 'pve2', platform: 'pve', live: true } as const;
const now = 1_795_168_800;
const directory = '/mnt/pve/truenas-bu/dump';

const file = (guest: string, hoursAgo: number) => {
  const text = new Date((now - hoursAgo * 3600) * 1000).toISOString().slice(0, 19);
  const name = `vzdump-${guest}-${text.replace(/-/g, '_').replace('T', '-').replace(/:/g, '_')}.tar.zst`;
  return { name, row: (size: number) => `archive\t${name} ${size} ${now - hoursAgo * 3600}` };
};

function seen(spec: object, ...lines: string[]) {
  const full = { dump_backups: directory, ...spec };
  const printed = [`now\t${now}`, 'listed\tyes', ...lines].map((line) => `${directory}\t${line}`);
  const observed = dump_backups.read(facts(printed), full, context);
  const codes = (dump_backups.symptoms?.(observed, full as never) ?? []).map(({ code }) => code);
  const differs = 'unknown' in observed ? [] : differences(dump_backups.want(full, context), observed.have);
  return { observed, codes, differs };
}

describe('dump_backups', () => {
  const guests = [{ vmid: 1031, kind: 'ct' }];
  const fresh = file('lxc-1031', 48);

  it('counts the newest archive of each guest, to the hour', () => {
    expect(seen({ guests }, fresh.row(9), file('lxc-1031', 90).row(9)).differs).toEqual([]);
    expect(seen({ guests }, file('lxc-1031', 49).row(9)).codes).toEqual(['backup-old']);
    expect(seen({ guests, max_age_hours: 50 }, file('lxc-1031', 49).row(9)).differs).toEqual([]);
    expect(seen({ guests }, file('lxc-1031', -23).row(9)).differs).toEqual([]);
    // By a clock that was wrong it would be fresh for years.
    expect(seen({ guests }, fresh.row(9), file('lxc-1031', -9000).row(9)).codes).toEqual(['backup-old']);
    expect(seen({ guests }, file('qemu-1031', 1).row(9)).codes).toEqual(['no-backup']);
    expect(seen({ guests }, fresh.row(0)).codes).toEqual(['backup-empty']);
  });

  it('tells archives since the damage as suspect, and the newest before', () => {
    const since = new Date((now - 60 * 3600) * 1000).toISOString().slice(0, 19);
    const { observed, codes } = seen(
      { guests: [{ ...guests[0], suspect_since: `${since}Z` }] },
      ...[fresh.row(9), file('lxc-1031', 72).row(9)],
    );
    expect(codes).toEqual(['backup-suspect']);
    expect(JSON.stringify(observed)).toContain(`the newest before is ${file('lxc-1031', 72).name}`);
  });

  it('an archive that was not read to its end is not known to be whole', () => {
    const whole = { guests, whole: true };
    expect(seen(whole, fresh.row(9), `whole\t${fresh.name} ok`).differs).toEqual([]);
    expect(seen(whole, fresh.row(9), `whole\t${fresh.name} slow`).observed).toHaveProperty('unknown');
    expect(seen(whole, fresh.row(9)).observed).toHaveProperty('unknown');
    expect(seen(whole, fresh.row(9), `whole\t${fresh.name} premature end`).codes).toEqual(['backup-broken']);
  });
});

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('on %s', (shell) => {
  const tree = newTree(shell, { live: true });
  const at = tree.path('dump');
  const stamp = (hours: number): string => {
    const then = new Date(Date.now() - hours * 3_600_000);
    const two = (value: number) => String(value).padStart(2, '0');
    return `${then.getFullYear()}_${two(then.getMonth() + 1)}_${two(then.getDate())}-${two(then.getHours())}_${two(then.getMinutes())}_${two(then.getSeconds())}`;
  };
  const packed = (name: string): void => {
    writeFileSync(`${at}/plain`, 'x'.repeat(100_000));
    execFileSync('zstd', ['-qf', `${at}/plain`, '-o', `${at}/${name}`]);
  };

  it('reads the newest archive of each guest, and nothing else', () => {
    expect(tree.have(dump_backups, { dump_backups: '/none', guests: [] })).toBeNull();
    mkdirSync(at);
    packed(`vzdump-lxc-1031-${stamp(2)}.tar.zst`);
    const vm = `vzdump-qemu-111-${stamp(3)}.vma.zst`;
    packed(vm);
    writeFileSync(`${at}/vzdump-lxc-1031-${stamp(200)}.tar.zst`, 'old and broken');
    writeFileSync(`${at}/vzdump-lxc-1031-${stamp(1)}.log`, 'a log is no archive');
    writeFileSync(`${at}/vzdump-lxc-1031-${stamp(0)}.tar.dat`, 'nor is what is being written');
    const guests = [
      { vmid: 1031, kind: 'ct' },
      { vmid: 111, kind: 'vm' },
    ];
    const spec = { dump_backups: '/dump', guests, whole: true };
    expect(tree.have(dump_backups, spec)).toEqual({
      ...{ old: 'none', missing: 'none', empty: 'none', suspect: 'none', broken: 'none' },
    });
    truncateSync(`${at}/${vm}`, 20);
    expect(tree.differs(dump_backups, spec)).toEqual(['broken']);
  });
});
