import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/model/host.ts';
import { differences } from '../../../src/model/state.ts';
import { mount_health } from '../../../src/resources/mount-health.ts';
import { facts, parseFacts } from '../../../src/shell/facts.ts';
import { parseFrames } from '../../../src/shell/frames.ts';
import { observeScript } from '../../../src/shell/observe.ts';
import { hasBusybox, runScript, shells } from './tree.ts';

const context: Context = { host: 'pbs9', platform: 'pbs', live: true };
const spec = {
  mount_health: '/mnt/x',
  source: 's:/x',
  type: 'nfs',
  expect_entry: '.chunks',
  write_test: true,
};

function judged(...lines: string[]) {
  const observed = mount_health.read(facts(lines.map((line) => `/mnt/x\t${line}`)), spec, context);
  return 'have' in observed ? differences(mount_health.want(spec, context), observed.have) : observed;
}

const mounted = 'mount\tnfs4\t0:51\t/\ts:/x';

describe('mount_health', () => {
  it('passes only when every probe answered well', () => {
    expect(
      judged(mounted, 'answers\tyes', 'entry\tyes', 'write\tyes', 'write\ttimes', 'write\tmodes'),
    ).toEqual([]);
    expect(judged(mounted, 'answers\tyes', 'entry\tyes', 'write\tyes', 'write\tmodes')).toEqual([
      'keeps_times',
    ]);
    expect(judged(mounted, 'answers\tyes', 'entry\tyes', 'write\tno: Permission denied')).toEqual([
      ...['writable', 'keeps_times', 'keeps_modes'],
    ]);
    expect(judged(mounted, 'answers\tyes', 'entry\tNo such file or directory', 'write\tyes')).toContain(
      'entry',
    );
  });

  it('not mounted and stale are failures, silence is not known', () => {
    expect(judged('mount\tno')).toContain('mounted');
    expect(judged(mounted, 'answers\tStale file handle')).toContain('answers');
    expect(judged('mount\text4\t8:1\t/\t/dev/sda1', 'answers\tyes')).toEqual(
      expect.arrayContaining(['source', 'type']),
    );
    expect(judged(mounted)).toHaveProperty('unknown');
    expect(judged()).toHaveProperty('unknown');
  });

  it('tells what it saw as a symptom of the mount, the first thing that is wrong', () => {
    const tell = (...lines: string[]) => {
      const observed = mount_health.read(facts(lines.map((line) => `/mnt/x\t${line}`)), spec, context);
      return (mount_health.symptoms?.(observed, spec as never) ?? []).map(({ code, of }) => `${code} ${of}`);
    };
    const good = [mounted, 'answers\tyes', 'entry\tyes'];
    expect(tell(...good, 'write\tyes', 'write\ttimes', 'write\tmodes')).toEqual([]);
    expect(tell('mount\tno')).toEqual(['mount-absent mount:/mnt/x']);
    expect(tell(mounted, 'answers\tStale file handle')).toEqual(['mount-stale mount:/mnt/x']);
    expect(tell('mount\tnfs4\t0:51\t/\ts:/y', 'answers\tyes')).toEqual(['mount-wrong mount:/mnt/x']);
    expect(tell(mounted, 'answers\tyes', 'entry\tNo such file or directory')).toEqual([
      'store-absent mount:/mnt/x',
    ]);
    expect(tell(...good, 'write\tyes', 'write\ttimes')).toEqual(['not-permitted mount:/mnt/x']);
    const hangs = { unknown: 'no answer in 10 s: the mount hangs' };
    expect(mount_health.symptoms?.(hangs, spec as never)).toMatchObject([{ code: 'mount-hangs' }]);
  });

  it('does not end before its own probes may', () => {
    expect(mount_health.limit?.(spec)).toBeGreaterThan(30);
    expect(mount_health.limit?.({ ...spec, limit: 2 })).toBeLessThan(15);
  });
});

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('on %s', (shell) => {
  const look = (wanted: object, edit: (script: string) => string = (script) => script) => {
    const script = observeScript([{ type: mount_health, specs: [wanted] }], { nonce: 'n0nce', root: '/' });
    const frames = parseFrames(Buffer.from(runScript(shell, edit(script))), 'n0nce');
    const frame = frames.find(({ name }) => name === 'look mount_health');
    return parseFacts(frame?.bytes ?? Buffer.of())
      .values()
      .next().value;
  };

  it('looks at a mount that every Linux has', () => {
    const seen = look({ mount_health: '/proc', type: 'proc', expect_entry: 'self/mountinfo' });
    expect(seen?.facts.get('answers')).toBe('yes');
    expect(seen?.facts.get('entry')).toBe('yes');
    expect(seen?.facts.get('mount')).toMatch(/^proc\t/);
    expect(look({ mount_health: '/proc', expect_entry: 'no/such' })?.facts.get('entry')).toBe(
      'No such file or directory',
    );
  });

  it('touches nothing below a path where nothing is mounted', () => {
    const seen = look({ mount_health: '/etc', write_test: true });
    expect(seen?.text).toBe('/etc\tmount\tno');
  });

  it('a probe that hangs is given up, said to hang, and the others are not tried', () => {
    // In place of a dead server: stat that never comes back.
    const hang = (script: string) => script.replace('stat -f -- "$1"', 'sleep 30');
    const started = Date.now();
    const seen = look({ mount_health: '/proc', expect_entry: 'self', limit: 1 }, hang);
    expect(Date.now() - started).toBeLessThan(8000);
    expect(seen?.facts.get('unknown')).toBe('no answer in 1 s: the mount hangs');
    expect(seen?.facts.get('entry')).toBeUndefined();
  });
});
