import { describe, expect, test } from 'vitest';
import { note } from '../../../src/cli/engine.ts';
import { interruptText, type Stage, watchInterrupt } from '../../../src/cli/interrupt.ts';
import { progressLines, startProgress } from '../../../src/cli/progress.ts';
import { screen } from './screen.ts';

const doing = new Map([
  ['pve2', { doing: 'change 1 of 3: file:/etc/hosts', since: 1000 }],
  ['truenas1', { doing: 'connecting\x1b[2J', since: 3500 }],
]);

describe('progress', () => {
  test('one line per host: what it does, since when, nothing for the terminal to obey', () => {
    expect(progressLines(doing, 4000, { columns: 80, rows: 24 })).toEqual([
      'pve2         3 s  change 1 of 3: file:/etc/hosts',
      'truenas1     0 s  connecting\\x1b[2J',
    ]);
  });

  test('lines are cut to the screen, and so is their number', () => {
    for (const line of progressLines(doing, 4000, { columns: 20, rows: 24 }))
      expect(line.length).toBeLessThan(20);
    const many = new Map(Array.from({ length: 30 }, (_, index) => [`h${index}`, { doing: 'x', since: 0 }]));
    const lines = progressLines(many, 0, { columns: 80, rows: 10 });
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toBe('and 23 more hosts');
  });

  test('silent when standard error is no terminal', async () => {
    const terminal = screen();
    const progress = await startProgress(terminal);
    progress.set('pve2', 'connecting');
    progress.clear();
    expect(terminal.printed).toEqual({ out: '', err: '' });
  });
});

describe('^C', () => {
  test('says that the run goes on where something is being changed, and ends', () => {
    const terminal = screen();
    const stage: Stage = { working: [] };
    const unwatch = watchInterrupt('apply', stage, terminal, () => {});
    note(stage, 'pve2', 'looking at 40 resources');
    expect(interruptText('apply', stage.working)).toBe('Interrupted. Nothing was changed.');
    note(stage, 'pve2', 'change 1 of 3');
    note(stage, 'pve3', 'change 2 of 3: file:/etc/hosts');
    terminal.interrupt();
    expect(terminal.printed.err).toContain('the run goes on on pve2, pve3');
    expect(terminal.printed.err).toContain('provision diff --host pve2,pve3');
    expect(terminal.ended).toEqual([130]);
    unwatch();
    terminal.interrupt();
    expect(terminal.ended).toEqual([130]);
  });

  test('a host that is finished is not named', () => {
    const stage: Stage = { working: [] };
    note(stage, 'pve2', 'change 1 of 3');
    note(stage, 'pve2', 'proving 4 checks');
    expect(stage.working).toEqual([]);
  });
});
