import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { differences } from '../../../src/model/state.ts';
import { pbs_backups } from '../../../src/resources/pbs-backups.ts';
import { facts, parseFacts } from '../../../src/shell/facts.ts';
import { parseFrames } from '../../../src/shell/frames.ts';
import { observeScript } from '../../../src/shell/observe.ts';
import { runScript } from './tree.ts';

const context = { host: 'pbs', platform: 'pbs', live: true } as const;
const now = Date.parse('2026-11-20T10:00:00Z') / 1000;

const snapshot = (group: string, hoursAgo: number, over: object = {}) => {
  const [type, id] = group.split('/');
  return { 'backup-type': type, 'backup-id': id, 'backup-time': now - hoursAgo * 3600, size: 5, ...over };
};

function judged(spec: object, root: unknown, more: Record<string, unknown> = {}) {
  const full = { pbs_backups: 'store', groups: [], ...spec };
  const printed = Object.entries({ '': root, ...more }).map(
    ([ns, list]) => `store\tsnapshots\t${ns}\t${typeof list === 'string' ? list : JSON.stringify(list)}`,
  );
  const observed = pbs_backups.read(facts([`store\tnow\t${now}`, ...printed]), full, context);
  const told = pbs_backups.symptoms?.(observed, full as never) ?? [];
  if ('unknown' in observed) return { unknown: observed.unknown, told };
  return { differs: differences(pbs_backups.want(full, context), observed.have), have: observed.have, told };
}

describe('pbs_backups', () => {
  const groups = [{ group: 'vm/101' }];

  it('wants each group twice as fresh as its schedule, to the hour', () => {
    expect(judged({ groups }, [snapshot('vm/101', 48)]).differs).toEqual([]);
    expect(judged({ groups }, [snapshot('vm/101', 49)]).have).toMatchObject({
      old: 'vm/101 is 49 h old, at most 48 h are allowed',
    });
    expect(
      judged({ groups: [{ group: 'vm/101', max_age_hours: 12 }] }, [snapshot('vm/101', 13)]).differs,
    ).toEqual(['old']);
    expect(judged({ groups }, []).differs).toEqual(['missing']);
  });

  it('takes no backup of a time to come for a fresh one', () => {
    expect(judged({ groups }, [snapshot('vm/101', -23)]).differs).toEqual([]);
    const { have, told } = judged({ groups }, [snapshot('vm/101', 300), snapshot('vm/101', -9000)]);
    expect(have?.old).toContain('vm/101 is dated 2027-');
    expect(told).toMatchObject([{ code: 'backup-old', data: { groups: 'vm/101' } }]);
    const never = snapshot('vm/101', 0, { 'backup-time': 9e15 });
    expect(judged({ groups }, [never]).have?.old).toContain('second 9000000000000000');
  });

  it('takes an upload without an end for no backup, and reports it once it is old', () => {
    const open = { size: undefined };
    expect(judged({ groups }, [snapshot('vm/101', 1, open)]).differs).toEqual(['missing']);
    expect(judged({ groups }, [snapshot('vm/101', 30, open), snapshot('vm/101', 2)]).differs).toEqual([
      'unfinished',
    ]);
  });

  it('knows groups of each namespace by both names', () => {
    const spaced = [{ group: 'vm/200', ns: 'ruapehu' }];
    expect(judged({ groups: spaced }, [], { ruapehu: [snapshot('vm/200', 1)] }).differs).toEqual([]);
    expect(judged({ groups: spaced }, [snapshot('vm/200', 1)], { ruapehu: [] }).differs).toEqual([
      'missing',
      'undeclared',
    ]);
    expect(judged({ groups: spaced }, [])).toHaveProperty('unknown');
  });

  it('reports groups that nobody knows of, and retired ones that come back', () => {
    const decommissioned = [{ group: 'vm/330', reason: 'gone', since: '2026-03-01' }];
    expect(judged({ decommissioned }, [snapshot('vm/330', 9000)]).differs).toEqual([]);
    const back = judged({ decommissioned }, [snapshot('vm/330', 9000), snapshot('vm/330', 1000)]);
    expect(back.told).toMatchObject([
      { code: 'group-revived', of: 'datastore:store', data: { groups: 'vm/330' } },
    ]);
    const strangers = judged({ decommissioned }, [snapshot('ct/7', 1), snapshot('vm/9', 1)]);
    expect(strangers.told).toMatchObject([{ code: 'group-undeclared', data: { groups: 'ct/7 vm/9' } }]);
  });

  it('tells damage that verification found, and asks for one where that is wanted', () => {
    const failed = { verification: { state: 'failed', upid: 'x' } };
    expect(judged({ groups }, [snapshot('vm/101', 90, failed), snapshot('vm/101', 2)]).differs).toEqual([
      'damaged',
    ]);
    expect(judged({ groups, verified: true }, [snapshot('vm/101', 2)]).differs).toEqual(['unverified']);
    const good = { verification: { state: 'ok', upid: 'x' } };
    expect(judged({ groups, verified: true }, [snapshot('vm/101', 2, good)]).differs).toEqual([]);
  });

  it.each([['{"error": 1}'], ['[{"backup-type": "vm"}]'], ['[{'], ['']])('takes %s for no answer', (text) => {
    expect(judged({ groups }, text)).toHaveProperty('unknown');
  });
});

describe('asked of a server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pbs-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const spec = { pbs_backups: 'store', groups: [], namespaces: ['ruapehu'] };

  const asked = (program: string) => {
    const path = join(folder, 'proxmox-backup-debug');
    writeFileSync(path, `#!/bin/sh\n${program}\n`);
    chmodSync(path, 0o755);
    const script = observeScript([{ type: pbs_backups, specs: [spec] }], { nonce: 'n0nce', root: '/' });
    const frames = parseFrames(
      Buffer.from(runScript('dash', script.replace('PATH=', `PATH=${folder}:`))),
      'n0nce',
    );
    const frame = frames.find(({ name }) => name === 'look pbs_backups');
    return parseFacts(frame?.bytes ?? Buffer.of()).get('store')?.facts;
  };

  it('gets the list of each namespace in one line', () => {
    const found = asked('printf \'[\\n  {"backup-id": "%s"}\\n]\\n\' "$*"');
    expect(found?.all('snapshots')).toEqual([
      '\t[  {"backup-id": "api get /admin/datastore/store/snapshots --output-format json"}]',
      'ruapehu\t[  {"backup-id": "api get /admin/datastore/store/snapshots --ns ruapehu --output-format json"}]',
    ]);
  });

  it('tells what it complained of, which may be the chunk store', () => {
    const found = asked(
      'echo "Error: unable to open chunk store at \\"/x/.chunks\\" - No such file" >&2; exit 255',
    );
    const unknown = found?.get('unknown') ?? '';
    expect(unknown).toContain('unable to open chunk store');
    expect(pbs_backups.symptoms?.({ unknown }, spec as never)).toMatchObject([
      { code: 'chunk-store', of: 'datastore:store' },
    ]);
  });
});
