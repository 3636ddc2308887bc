import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { actions } from '../../../src/engine/actions.ts';
import { apply } from '../../../src/engine/apply.ts';
import { diff } from '../../../src/engine/diff.ts';
import { exitCode } from '../../../src/engine/outcome.ts';
import { readPlan, writePlan } from '../../../src/engine/saved.ts';
import type { PlannedChange } from '../../../src/model/plan.ts';
import { defineType } from '../../../src/model/resource.ts';
import { directory } from '../../../src/resources/directory.ts';
import { file } from '../../../src/resources/file.ts';
import { sh } from '../../../src/shell/sh.ts';
import { resource, testEngine, treeHost, workOf } from './tree.ts';

const yes = { approve: null };

function fixture() {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'etc'), { mode: 0o755 });
  chmodSync(join(root, 'etc'), 0o755);
  chmodSync(root, 0o755);
  const resources = [
    resource(file, { file: '/etc/vzdump.conf', content: 'tmpdir: /x\n' }),
    resource(file, { file: "/etc/it's $(odd) name", content: 'a\n', mode: '0600' }),
  ];
  return { host, root, resources, work: workOf(host, resources) };
}

describe('apply into a tree', () => {
  it('shows, makes, proves, and then has nothing left to do', async () => {
    const { root, work } = fixture();
    const engine = testEngine();
    const first = await diff([work], engine);
    expect(first.runs[0]?.error).toBeUndefined();
    expect(first.runs[0]?.changes.map(({ id, action, cause }) => [id, action, cause])).toEqual([
      ['file:/etc/vzdump.conf', 'create', 'new'],
      ["file:/etc/it's $(odd) name", 'create', 'new'],
    ]);
    expect(exitCode('diff', first.runs)).toBe(2);
    expect(existsSync(join(root, 'etc/vzdump.conf'))).toBe(false);

    const applied = await apply([work], engine, yes);
    expect(applied[0]?.error).toBeUndefined();
    expect(applied[0]?.changes.map(({ outcome, message }) => [outcome, message])).toEqual([
      ['done', undefined],
      ['done', undefined],
    ]);
    expect(exitCode('apply', applied)).toBe(0);
    expect(readFileSync(join(root, 'etc/vzdump.conf'), 'utf8')).toBe('tmpdir: /x\n');
    expect(statSync(join(root, "etc/it's $(odd) name")).mode & 0o7777).toBe(0o600);

    const before = statSync(join(root, 'etc/vzdump.conf'));
    const runs = readdirSync(join(root, 'var/lib/provision/runs'));
    const second = await apply([work], engine, yes);
    const after = statSync(join(root, 'etc/vzdump.conf'));
    expect(second[0]?.changes).toEqual([]);
    expect([after.ino, after.mtimeMs, after.ctimeMs]).toEqual([before.ino, before.mtimeMs, before.ctimeMs]);
    expect(readdirSync(join(root, 'var/lib/provision/runs'))).toEqual(runs);
    expect(exitCode('diff', (await diff([work], engine)).runs)).toBe(0);
  });

  it('tells drift, pending and conflict apart, and keeps the edited copy', async () => {
    const { host, root, work } = fixture();
    const engine = testEngine();
    await apply([work], engine, yes);
    writeFileSync(join(root, 'etc/vzdump.conf'), 'edited by hand\n');
    const drifted = await diff([work], engine);
    expect(drifted.runs[0]?.changes.map(({ id, cause }) => [id, cause])).toEqual([
      ['file:/etc/vzdump.conf', 'drift'],
    ]);
    expect(drifted.runs[0]?.changes[0]?.text).toContain('-edited by hand\n+tmpdir: /x');
    const moved = workOf(host, [resource(file, { file: '/etc/vzdump.conf', content: 'tmpdir: /y\n' })]);
    expect((await diff([moved], engine)).runs[0]?.changes[0]?.cause).toBe('conflict');
    await apply([work], engine, yes);
    expect(readFileSync(join(root, 'etc/vzdump.conf'), 'utf8')).toBe('tmpdir: /x\n');
    expect((await diff([moved], engine)).runs[0]?.changes[0]?.cause).toBe('pending');
    const runs = join(root, 'var/lib/provision/runs');
    const kept = readdirSync(runs).flatMap((run) => {
      const folder = join(runs, run, 'kept');
      return existsSync(folder)
        ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
        : [];
    });
    expect(kept).toContain('edited by hand\n');
  });

  it('leaves alone what changed between looking and changing', async () => {
    const { root, work } = fixture();
    const engine = testEngine();
    const approve = async (): Promise<boolean> => {
      writeFileSync(join(root, 'etc/vzdump.conf'), 'in the window\n');
      return true;
    };
    const runs = await apply([work], engine, { approve });
    expect(runs[0]?.changes.map(({ outcome }) => outcome)).toEqual(['changed-since-plan', 'done']);
    expect(exitCode('apply', runs)).toBe(6);
    expect(readFileSync(join(root, 'etc/vzdump.conf'), 'utf8')).toBe('in the window\n');
  });

  it('asks first, and does nothing without a yes', async () => {
    const { root, work } = fixture();
    const runs = await apply([work], testEngine(), { approve: async () => false });
    expect(runs[0]?.changes.map(({ outcome }) => outcome)).toEqual(['planned', 'planned']);
    expect(existsSync(join(root, 'etc/vzdump.conf'))).toBe(false);
    expect(existsSync(join(root, 'var'))).toBe(false);
  });

  it('applies a saved plan exactly, or refuses it', async () => {
    const { root, work } = fixture();
    const engine = testEngine();
    const { plans } = await diff([work], engine);
    const saved = readPlan(writePlan(plans, { role: [], only: [] }), 'plan.json');
    writeFileSync(join(root, 'etc/vzdump.conf'), 'moved\n');
    await expect(apply([work], engine, { ...yes, saved })).rejects.toThrow(/tree: file:\/etc\/vzdump.conf/);
    expect(existsSync(join(root, "etc/it's $(odd) name"))).toBe(false);
    const again = readPlan(
      writePlan((await diff([work], engine)).plans, { role: [], only: [] }),
      'plan.json',
    );
    expect(exitCode('apply', await apply([work], engine, { ...yes, saved: again }))).toBe(0);
  });

  it('never removes a directory or follows a link to make room', async () => {
    const { root, work } = fixture();
    const engine = testEngine();
    mkdirSync(join(root, 'etc/vzdump.conf'));
    const runs = await apply([work], engine, yes);
    expect(runs[0]?.changes.map(({ outcome }) => outcome)).toEqual(['refused', 'done']);
    expect(exitCode('apply', runs)).toBe(5);
    expect(statSync(join(root, 'etc/vzdump.conf')).isDirectory()).toBe(true);
  });

  it('refuses a directory that others may write to', async () => {
    const { host, root } = fixture();
    mkdirSync(join(root, 'shared'));
    chmodSync(join(root, 'shared'), 0o777);
    const runs = await apply(
      [workOf(host, [resource(file, { file: '/shared/x', content: 'x' })])],
      testEngine(),
      yes,
    );
    expect(runs[0]?.changes[0]?.outcome).toBe('failed');
    expect(runs[0]?.changes[0]?.message).toContain('others than root can write to /shared');
    expect(readdirSync(join(root, 'shared'))).toEqual([]);
  });

  it('leaves it alone too where a change before it in the plan could have altered it', async () => {
    const { host, root } = fixture();
    mkdirSync(join(root, 'etc/d'), { mode: 0o700 });
    writeFileSync(join(root, 'etc/d/x'), 'old\n');
    const resources = [
      resource(directory, { directory: '/etc/d' }),
      resource(file, { file: '/etc/d/x', content: 'new\n' }),
      resource(file, { file: '/etc/d/y', content: 'new\n' }),
    ];
    const approve = async (): Promise<boolean> => {
      writeFileSync(join(root, 'etc/d/x'), 'in the window\n');
      return true;
    };
    const runs = await apply([workOf(host, resources)], testEngine(), { approve });
    expect(runs[0]?.changes.map(({ outcome }) => outcome)).toEqual(['done', 'changed-since-plan', 'done']);
    expect(readFileSync(join(root, 'etc/d/x'), 'utf8')).toBe('in the window\n');
    expect(readdirSync(join(root, 'etc/d'))).toEqual(['x', 'y']);
  });

  it('gives file work on a network mount a limit', () => {
    const change = (path: string): PlannedChange => ({
      resource: resource(file, { file: path, content: 'x' }),
      have: null,
      want: { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: '' },
      observed: null,
      differs: ['sha256'],
      cause: 'new',
      refused: null,
      dependsOn: [],
      seen: '',
    });
    const context = { host: 'x', platform: 'linux', live: true } as const;
    const mounts = [
      { point: '/', type: 'ext4', source: '/dev/sda1', readOnly: false },
      { point: '/mnt/nas', type: 'nfs4', source: 'nas.lan:/x', readOnly: false },
    ];
    const limits = actions([change('/etc/x'), change('/mnt/nas/x')], context, mounts).map(
      ({ limit }) => limit,
    );
    expect(limits).toEqual([null, 120]);
    // What hung when it was looked at is not asked again by each of its changes: there is nothing to compare.
    const hung = {
      ...change('/mnt/nas/x'),
      seen: '/mnt/nas/x\tunknown\tno answer',
      dependsOn: ['mount:/mnt/nas'],
    };
    expect(actions([hung], context, mounts)[0]?.guard).toBeNull();
  });

  it('keeps the lock from the programs that look: one that is stuck in the kernel would keep it', async () => {
    const { host, root } = fixture();
    const probe = defineType<{ probe: string }>({
      name: 'probe',
      about: '',
      example: '',
      schema: {},
      identity: () => 'x',
      want: () => ({ locks: '0' }),
      observe: () => sh`printf 'x\tlocks\t%s\n' "$(ls -l /proc/self/fd/ | grep -c provision/lock)"`,
      read: (facts) => ({ have: { locks: facts.get('locks') ?? null } }),
      steps: () => [],
    });
    const work = workOf(host, [resource(probe, {}), resource(file, { file: '/etc/x', content: 'x' })]);
    const [run] = await apply([work], testEngine(), yes);
    expect(run?.changes.map(({ outcome }) => outcome)).toEqual(['done']);
    expect(run?.notices).toEqual([]);
    expect(existsSync(join(root, 'var/lib/provision/lock'))).toBe(true);
  });

  it('does not keep its state outside of the tree', async () => {
    const { host, root } = fixture();
    const outside = treeHost().root;
    symlinkSync(outside, join(root, 'var'));
    const [run] = await apply(
      [workOf(host, [resource(file, { file: '/etc/x', content: 'x' })])],
      testEngine(),
      yes,
    );
    expect(run?.error).toMatchObject({
      code: 'failed',
      message: expect.stringContaining('outside of the tree'),
    });
    expect(existsSync(join(root, 'etc/x'))).toBe(false);
  });

  it('runs the validator on the new bytes before anything is touched, in diff too', async () => {
    const { host, root } = fixture();
    const bad = resource(file, { file: '/etc/x.sh', content: 'if then\n', verify: ['sh', '-n', '{file}'] });
    const engine = testEngine();
    const shown = await diff([workOf(host, [bad])], engine);
    expect(shown.runs[0]?.changes[0]?.outcome).toBe('refused');
    expect(shown.runs[0]?.changes[0]?.message).toContain('rejects the new content');
    expect(exitCode('apply', await apply([workOf(host, [bad])], engine, yes))).toBe(5);
    expect(existsSync(join(root, 'etc/x.sh'))).toBe(false);
    const good = resource(file, { file: '/etc/x.sh', content: 'true\n', verify: ['sh', '-n', '{file}'] });
    expect(exitCode('apply', await apply([workOf(host, [good])], engine, yes))).toBe(0);
  });

  it('does not write a file that names something that is not there, unless the same plan makes it', async () => {
    const { host, root } = fixture();
    const names = resource(file, {
      file: '/etc/names.conf',
      content: 'script: /etc/hook\n',
      refers_to: ['/etc/hook', null],
    });
    const hook = resource(file, { file: '/etc/hook', content: '#!/bin/sh\n', mode: '0755' });
    const engine = testEngine();
    const alone = await apply([workOf(host, [names])], engine, yes);
    expect(alone[0]?.changes[0]?.outcome).toBe('refused');
    expect(alone[0]?.changes[0]?.message).toContain('names /etc/hook, which is not there');
    expect(existsSync(join(root, 'etc/names.conf'))).toBe(false);
    const both = await apply([workOf(host, [names, hook])], engine, yes);
    expect(both[0]?.changes.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['file:/etc/hook', 'done'],
      ['file:/etc/names.conf', 'done'],
    ]);
  });

  it('shows a link in the way and leaves it', async () => {
    const { root, work } = fixture();
    symlinkSync('/etc/passwd', join(root, 'etc/vzdump.conf'));
    const runs = await apply([work], testEngine(), yes);
    expect(runs[0]?.changes[0]?.message).toContain('symbolic link');
    expect(runs[0]?.changes[0]?.outcome).toBe('refused');
  });
});
