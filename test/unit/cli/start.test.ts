import { describe, expect, test } from 'vitest';
import { failure } from '../../../src/cli/failure.ts';
import { start } from '../../../src/cli/start.ts';
import { type ErrorCode, InputErrors, ProvisionError } from '../../../src/model/errors.ts';
import { screen } from './screen.ts';

describe('usage', () => {
  test('--version and --help answer on standard output and end well', async () => {
    const terminal = screen();
    expect(await start(['--version'], terminal)).toBe(0);
    expect(terminal.printed.out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await start(['--help'], terminal)).toBe(0);
    for (const name of ['diff', 'apply', 'check', 'list', 'explain', 'trust', 'run', 'secret']) {
      expect(terminal.printed.out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    }
    expect(terminal.printed.err).toBe('');
  });

  const mistakes: [string, string[], RegExp][] = [
    ['an option', ['diff', '--hots', 'x'], /unknown option '--hots'[\s\S]*Did you mean --host\?/],
    ['a command', ['dif'], /unknown command 'dif'[\s\S]*Did you mean diff\?/],
    ['a word too many', ['diff', 'pve2'], /too many arguments/],
    ['a word too few', ['run'], /missing required argument/],
    ['a format', ['diff', '--format', 'xml'], /Allowed choices are text, json, junit, tap/],
    ['forks', ['diff', '--forks', '0'], /whole number from 1 to 1000/],
    ['an empty name', ['diff', '--host', 'a,,b'], /empty name/],
    ['a setting', ['run', 'a/b', '--set', 'x'], /NAME=VALUE/],
    ['a setting twice', ['run', 'a/b', '--set', 'x=1', '--set', 'x=2'], /x is set twice/],
    ['no command', [], /Usage: provision/],
  ];
  for (const [name, argv, message] of mistakes) {
    test(`${name} that is wrong: exit 1, said on standard error`, async () => {
      const terminal = screen();
      expect(await start(argv, terminal)).toBe(1);
      expect(terminal.printed.err).toMatch(message);
      expect(terminal.printed.out).toBe('');
    });
  }

  test('apply without a terminal and without --yes reads nothing and contacts nobody', async () => {
    const terminal = screen();
    expect(await start(['apply', '--inventory', '/nonexistent'], terminal)).toBe(1);
    expect(terminal.printed.err).toContain('apply changes hosts, and there is no terminal to ask on');
    expect(terminal.printed.err).toContain('add --yes');
  });
});

describe('a command that ends in an error', () => {
  const options = { inventory: 'inventory', color: 'auto', verbose: false } as const;
  const codes: [ErrorCode, number][] = [
    ['input', 1],
    ['unreachable', 3],
    ['failed', 4],
    ['refused', 5],
    ['changed', 6],
    ['locked', 7],
    ['unknown', 8],
  ];
  for (const [code, exit] of codes) {
    test(`${code} is exit ${exit}`, () => {
      expect(failure('diff', new ProvisionError(code, 'x'), options, screen())).toBe(exit);
    });
  }

  test('a fault of the program is never a success, and asks to be reported', () => {
    const terminal = screen();
    expect(failure('diff', new TypeError('x is not a function'), options, terminal)).toBe(8);
    expect(terminal.printed.err).toContain('a mistake in provision itself');
  });

  test('mistakes in the input: position first, all of them, nothing contacted', () => {
    const terminal = screen();
    const where = { file: 'inventory/hosts/pve2.yaml', line: 12, column: 7 };
    const errors = [
      new ProvisionError('input', 'unknown key "mod"', { where, hint: 'did you mean "mode"?' }),
      new ProvisionError('input', 'the variable "tmpdir" is missing', { host: 'pve2' }),
    ];
    expect(failure('diff', new InputErrors(errors), options, terminal)).toBe(1);
    expect(terminal.printed.err).toBe(
      [
        'inventory/hosts/pve2.yaml:12:7: error: unknown key "mod"',
        '    did you mean "mode"?',
        'error: pve2: the variable "tmpdir" is missing',
        '2 mistakes; no host was contacted.',
        '',
      ].join('\n'),
    );
    expect(terminal.printed.out).toBe('');
  });

  test('machines get a document in their format', () => {
    for (const [format, head] of [
      ['json', '{\n  "schema": 1,\n  "command": "diff",\n  "exit": 1'],
      ['junit', '<?xml'],
      ['tap', 'TAP version 14\n1..1\nnot ok 1'],
    ] as const) {
      const terminal = screen();
      failure('diff', new ProvisionError('input', 'x'), { ...options, format }, terminal);
      expect(terminal.printed.out.startsWith(head)).toBe(true);
    }
  });
});
