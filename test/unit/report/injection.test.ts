import { describe, expect, test } from 'vitest';
import { ProvisionError } from '../../../src/model/errors.ts';
import type { HostRun } from '../../../src/model/run.ts';
import { errorText } from '../../../src/report/errors.ts';
import { jsonReport } from '../../../src/report/json.ts';
import { palette } from '../../../src/report/palette.ts';
import { tapReport } from '../../../src/report/tap.ts';
import { textReport } from '../../../src/report/text.ts';
import { visible, visibleLine } from '../../../src/report/visible.ts';

// Title, clear screen, one-byte CSI, bell, backspace, return, direction override, a line of its own.
const evil = 'a\x1b]0;x\x07\x1b[2J\u009b31m\x08\rb\u202e\u2028c\u0000\u007f';
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028]/u;
const from = { file: `f${evil}`, line: 1, column: 1 };

const runs: readonly HostRun[] = [
  {
    host: `h${evil}`,
    seconds: 1,
    total: 3,
    changes: (['planned', 'failed', 'done'] as const).map((outcome) => ({
      id: `file:${evil}`,
      role: evil,
      from,
      cause: 'drift',
      action: 'change',
      properties: [{ name: evil, have: evil, want: `${evil}\nforged: line` }],
      text: `+${evil}`,
      steps: [evil],
      outcome,
      message: evil,
    })),
    unknown: [{ id: evil, from, reason: evil }],
    checks: (['pass', 'fail'] as const).map((outcome) => ({
      host: evil,
      id: evil,
      about: evil,
      outcome,
      message: evil,
      from,
    })),
    steps: [{ about: evil, command: evil, outcome: 'failed', message: evil }],
    orphans: [evil],
    notices: [evil],
    error: { code: 'failed', message: evil, hint: evil, where: from },
  },
];

describe('nothing that a host says reaches the terminal as a command', () => {
  for (const command of ['diff', 'apply', 'check', 'run'] as const) {
    for (const verbose of [false, true]) {
      test(`${command}${verbose ? ' --verbose' : ''} as text`, () => {
        const text = textReport(command, runs, { palette: palette(false), verbose });
        expect(text).not.toMatch(obeyed);
        expect(text).toContain('\\x1b]0;x\\x07');
      });
    }
  }

  test('JSON, TAP and errors', () => {
    const json = jsonReport('diff', 2, runs);
    expect(json).not.toMatch(obeyed);
    expect(JSON.parse(json).hosts[0].host).toBe(`h${evil}`);
    expect(tapReport('diff', runs)).not.toMatch(obeyed);
    const error = new ProvisionError('input', evil, { where: from, host: evil, hint: evil });
    expect(errorText([error], palette(false))).not.toMatch(obeyed);
  });

  test('tabs and line breaks stay in texts and are shown in lines', () => {
    expect(visible('a\tb\nc')).toBe('a\tb\nc');
    expect(visibleLine('a\tb\nc')).toBe('a\\tb\\nc');
  });
});
