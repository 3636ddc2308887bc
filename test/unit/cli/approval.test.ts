import { describe, expect, test } from 'vitest';
import { approval, needsYes, questionOf } from '../../../src/cli/approval.ts';
import { change, procedureRuns, run } from '../report/runs.ts';
import { screen } from './screen.ts';

const options = {
  inventory: 'inventory',
  color: 'auto',
  verbose: false,
  format: 'text',
  yes: false,
} as const;
const runs = [run('pve2', { changes: [change('file:/a'), change('file:/b')] }), run('pve3')];

describe('the yes', () => {
  test('without a terminal it must be given beforehand', () => {
    expect(() => needsYes('apply', options, screen())).toThrow('there is no terminal to ask on');
    expect(() => needsYes('apply', { ...options, yes: true }, screen())).not.toThrow();
    expect(() => needsYes('apply', options, screen({ interactive: true }))).not.toThrow();
  });

  test('the plan is shown before the question, and only "yes" is one', async () => {
    for (const [answer, expected] of [
      ['yes', true],
      [' yes ', true],
      ['y', false],
      ['', false],
      ['Yes!', false],
    ] as const) {
      const terminal = screen({ interactive: true, answers: [answer] });
      expect(await approval(runs, options, terminal)).toBe(expected);
      expect(terminal.printed.out).toContain('file:/a');
      expect(terminal.asked).toEqual(['Make 2 changes on pve2? Only "yes" goes on: ']);
      expect(terminal.printed.err).toBe(expected ? '' : 'Nothing was changed.\n');
    }
  });

  test('nobody is asked for nothing, nor after --yes', async () => {
    const terminal = screen({ interactive: true });
    const refused = [run('pve2', { changes: [change('file:/a', { outcome: 'refused' })] })];
    expect(await approval(refused, options, terminal)).toBe(true);
    expect(await approval(runs, { ...options, yes: true }, terminal)).toBe(true);
    expect(terminal.asked).toEqual([]);
    expect(terminal.printed.out).toBe('');
  });

  test('with --format json standard output stays one document', async () => {
    const terminal = screen({ interactive: true, answers: ['yes'] });
    await approval(runs, { ...options, format: 'json' }, terminal);
    expect(terminal.printed.out).toBe('');
    expect(terminal.printed.err).toContain('file:/a');
  });

  test('the question names the hosts and counts what will be done', () => {
    const [procedure] = procedureRuns;
    const steps = procedure?.steps.map((step) => ({ ...step, outcome: 'planned' as const })) ?? [];
    expect(questionOf([run('pve2', { steps })])).toBe('Run 4 steps on pve2?');
    expect(questionOf([...runs, run('pve4', { changes: [change('file:/c')] })])).toBe(
      'Make 3 changes on 2 hosts (pve2, pve4)?',
    );
  });
});
