import { describe, expect, it } from 'vitest';
import type { Resource } from '../../../src/model/resource.ts';
import type { Observed, State } from '../../../src/model/state.ts';
import { compare } from '../../../src/plan/compare.ts';
import { parseMounts } from '../../../src/plan/mounts.ts';
import { order } from '../../../src/plan/order.ts';
import { context, resource } from './types.ts';

function plan(
  resources: readonly Resource[],
  observed: Record<string, Observed>,
  extra: { record?: ReadonlyMap<string, State | null>; mounts?: string } = {},
) {
  const view = {
    observed: new Map(Object.entries(observed).map(([name, one]) => [`fake:${name}`, one])),
    seen: new Map<string, string>(),
    mounts: parseMounts(extra.mounts ?? ''),
    record: extra.record ?? new Map(),
  };
  return compare(order(resources, context), view, context, () => true);
}

const there = { have: { there: true } };
const absent = { have: null };

describe('compare', () => {
  it('says nothing of what is as wanted, and ignores properties nobody asked for', () => {
    expect(plan([resource({ name: 'a' })], { a: { have: { there: true, size: 7 } } }).changes).toEqual([]);
  });

  it('could not look is not absent', () => {
    const { changes, unknown } = plan([resource({ name: 'a' })], { a: { unknown: 'no answer in 5 s' } });
    expect(changes).toEqual([]);
    expect(unknown.map(({ reason }) => reason)).toEqual(['no answer in 5 s']);
  });

  it('a host that says nothing about a resource has not been looked at', () => {
    expect(plan([resource({ name: 'a' })], {}).unknown).toHaveLength(1);
  });

  it('plans as created what cannot be seen before the change it depends on', () => {
    const dir = resource({ name: 'dir', provides: ['path:/srv/x'] });
    const file = resource({ name: 'file', needs: ['path:/srv/x/f'] });
    const { changes, unknown } = plan([dir, file], {
      dir: absent,
      file: { unknown: 'exportfs is not installed' },
    });
    expect(unknown).toEqual([]);
    expect(changes.map(({ resource: { id }, dependsOn }) => [id, dependsOn])).toEqual([
      ['fake:dir', []],
      ['fake:file', ['fake:dir']],
    ]);
  });

  it('does not take what hangs for absent because something else is to be made first', () => {
    const user = resource({ name: 'user', provides: ['user:backup'] });
    const tool = resource({ name: 'tool', provides: ['package:nfs-common'] });
    const file = resource({ name: 'file' }, { after: ['fake:user', 'fake:tool'] });
    const hung = { unknown: 'no answer in 5 s: the network mount it lies on hangs' };
    const { changes, unknown } = plan([user, tool, file], { user: absent, tool: absent, file: hung });
    expect(changes.map(({ resource: { id } }) => id)).toEqual(['fake:user', 'fake:tool']);
    expect(unknown.map(({ resource: { id } }) => id)).toEqual(['fake:file']);
    const missing = { unknown: 'exportfs is not installed on this host' };
    expect(plan([user, tool, file], { user: there, tool: absent, file: missing }).unknown).toHaveLength(0);
  });

  it('a unit whose configuration this plan changes is part of the plan', () => {
    const config = resource({ name: 'config', provides: ['path:/etc/a.conf'] });
    const unit = resource({
      name: 'unit',
      follows: ['path:/etc/a.conf'],
      want: { runs: 'current' },
      after: { runs: 'stale' },
    });
    const running = { have: { runs: 'current' } };
    expect(plan([config, unit], { config: there, unit: running }).changes).toEqual([]);
    expect(
      plan([config, unit], { config: absent, unit: running }).changes.map(({ resource: { id } }) => id),
    ).toEqual(['fake:config', 'fake:unit']);
  });

  it('refuses what depends on something refused or unseen, and says on which', () => {
    const first = resource({ name: 'first', refuse: 'it is a directory' });
    const second = resource({ name: 'second' }, { after: ['fake:first'] });
    expect(
      plan([first, second], { first: absent, second: absent }).changes.map(({ refused }) => refused),
    ).toEqual(['it is a directory', 'it depends on fake:first, which is refused']);
    const unseen = resource({ name: 'first' });
    expect(plan([unseen, second], { first: { unknown: 'x' }, second: absent }).changes[0]?.refused).toContain(
      'could not be looked at',
    );
  });

  it('what has no directory to lie in is refused, unless this plan makes one', () => {
    const dir = resource({ name: 'dir', provides: ['path:/srv/x'] });
    const file = resource({ name: 'file', needs: ['path:/srv/x'] });
    const homeless = { have: null, blocked: 'the directory /srv/x does not exist' };
    expect(plan([file], { file: homeless }).changes[0]?.refused).toContain('/srv/x does not exist');
    expect(plan([dir, file], { dir: absent, file: homeless }).changes.map(({ refused }) => refused)).toEqual([
      null,
      null,
    ]);
  });

  it('refuses to write below a read-only mount and over a bind-mounted file', () => {
    const mounts = [
      '22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
      '30 22 8:2 / /mnt/nas\\040share ro,relatime - nfs4 nas:/x rw',
      '31 22 8:1 /x /etc/hosts rw - ext4 /dev/sda1 rw',
    ].join('\n');
    const below = resource({
      name: 'below',
      provides: ['path:/mnt/nas share/f', 'content:/mnt/nas share/f'],
    });
    const over = resource({ name: 'over', provides: ['path:/etc/hosts', 'content:/etc/hosts'] });
    const fine = resource({ name: 'fine', provides: ['path:/etc/f', 'content:/etc/f'] });
    const refused = plan(
      [below, over, fine],
      { below: absent, over: absent, fine: absent },
      { mounts },
    ).changes.map((c) => c.refused);
    expect(refused[0]).toContain('read-only');
    expect(refused[1]).toContain('mount point');
    expect(refused[2]).toBeNull();
  });

  it('tells who moved', () => {
    const want = { v: 'new' };
    const causes = (have: State | null, recorded: State | null | undefined): string | undefined =>
      plan(
        [resource({ name: 'a', want })],
        { a: { have } },
        { record: new Map(recorded === undefined ? [] : [['fake:a', recorded]]) },
      ).changes[0]?.cause;
    expect(causes({ v: 'old' }, undefined)).toBe('new');
    expect(causes({ v: 'edited' }, { v: 'new' })).toBe('drift');
    expect(causes({ v: 'old' }, { v: 'old' })).toBe('pending');
    expect(causes({ v: 'edited' }, { v: 'old' })).toBe('conflict');
    expect(causes(null, { v: 'new' })).toBe('drift');
  });

  it('compares secrets of the record by hash', () => {
    const secret = resource({ name: 'a', want: { v: 'new' } }, { secret: true });
    const record = new Map([
      ['fake:a', { v: '11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437' }],
    ]);
    const view = {
      observed: new Map([['fake:a', { have: { v: 'edited' } }]]),
      seen: new Map(),
      mounts: [],
      record,
    };
    expect(compare(order([secret], context), view, context, () => true).changes[0]?.cause).toBe('drift');
  });
});
