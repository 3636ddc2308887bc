import { describe, expect, test } from 'vitest';
import type { Command, HostRun } from '../../../src/model/run.ts';
import { palette } from '../../../src/report/palette.ts';
import { textReport } from '../../../src/report/text.ts';
import { applyRuns, change, checkRuns, diffRuns, procedureRuns, run, wantedRuns } from './runs.ts';

const plain = { palette: palette(false), verbose: false };
const verbose = { palette: palette(false), verbose: true };
const golden = (name: string) => `../../golden/report/${name}`;

describe('the report for people', () => {
  const cases: [Command, readonly HostRun[], string][] = [
    ['diff', diffRuns, 'diff'],
    ['diff', wantedRuns, 'diff-as-wanted'],
    ['apply', applyRuns, 'apply'],
    ['check', checkRuns, 'check'],
    ['run', procedureRuns, 'run'],
  ];
  for (const [command, runs, name] of cases) {
    test(`${name} reads as kept`, async () => {
      await expect(textReport(command, runs, plain)).toMatchFileSnapshot(golden(`${name}.txt`));
      await expect(textReport(command, runs, verbose)).toMatchFileSnapshot(golden(`${name}-verbose.txt`));
    });
  }

  test('colours are only added: without them the text is the same', async () => {
    const coloured = textReport('diff', diffRuns, { palette: palette(true), verbose: false });
    expect(coloured).toContain('\x1b[3');
    expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(textReport('diff', diffRuns, plain));
  });

  test('what is wrong comes first, on the worst host first', () => {
    const text = textReport('diff', diffRuns, plain);
    const places = ['pve3\n', 'pve2\n', 'exports.d/backup', 'mount:/mnt/pbs', 'directory:/var/lib'].map(
      (part) => text.indexOf(part),
    );
    expect(places).not.toContain(-1);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });

  test('green lines only when asked for, counts always', () => {
    expect(textReport('check', checkRuns, plain)).not.toContain('pass ');
    expect(textReport('check', checkRuns, verbose)).toContain('pass    base/time');
    expect(textReport('check', checkRuns, plain)).toContain('1 failed, 1 unknown, 2 passed');
  });

  test('"could not look" never reads as fine', () => {
    const unknown = { id: 'mount:/x', from: { file: 'a', line: 1, column: 1 }, reason: 'no answer' };
    const text = textReport('diff', [run('pve2', { unknown: [unknown] })], plain);
    expect(text).toContain('1 unknown');
    expect(text).not.toContain('as wanted');
  });

  test('a long text diff is cut, and says by how much', () => {
    const text = Array.from({ length: 100 }, (_, index) => `+line ${index}`).join('\n');
    const report = textReport('diff', [run('pve2', { changes: [change('file:/a', { text })] })], plain);
    expect(report).toContain('... 40 more lines; --verbose shows all');
    expect(report).not.toContain('line 99');
  });

  test('an error says what is untouched and what to do next', () => {
    const error = { code: 'locked', message: 'someone is at work' } as const;
    expect(textReport('apply', [run('pve2', { error })], plain)).toContain(
      'error: someone is at work\n  Nothing on this host was changed.\n  Wait for',
    );
    const lost = { code: 'unknown', message: 'the connection went away' } as const;
    expect(textReport('apply', [run('pve2', { error: lost })], plain)).toContain(
      'How far it came is not known',
    );
    const half = run('pve2', {
      error: { code: 'failed', message: 'disk full' },
      changes: [change('file:/a', { outcome: 'done' }), change('file:/b', { outcome: 'skipped' })],
    });
    expect(textReport('apply', [half], plain)).toContain('1 change done before that, 1 not started.');
  });
});
