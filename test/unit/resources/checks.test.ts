import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Context } from '../../../src/model/host.ts';
import type { ResourceType } from '../../../src/model/resource.ts';
import { differences, type Observed } from '../../../src/model/state.ts';
import { command } from '../../../src/resources/command.ts';
import { path } from '../../../src/resources/path.ts';
import { address, port } from '../../../src/resources/port.ts';
import { parseFacts } from '../../../src/shell/facts.ts';
import { parseFrames } from '../../../src/shell/frames.ts';
import { observeScript } from '../../../src/shell/observe.ts';
import { hasBusybox, hostile, newTree, runScript, type ShellName, shells } from './tree.ts';

const nonce = 'c0ffee00c0ffee00c0ffee00c0ffee00';
const live: Context = { host: 'pve9', platform: 'linux', live: true };
const busyboxOrNot = shells.filter((shell) => shell === 'dash' || hasBusybox);

/** Looks at this machine itself; these types only read. */
function lookHere(shell: ShellName, type: ResourceType, spec: unknown): Observed {
  const output = Buffer.from(
    runScript(shell, observeScript([{ type, specs: [spec] }], { nonce, root: '/' })),
  );
  const frame = parseFrames(output, nonce).find((one) => one.name === `look ${type.name}`);
  const seen = parseFacts(frame?.bytes ?? Buffer.alloc(0)).get(type.identity(spec));
  return seen ? type.read(seen.facts, spec, live) : { unknown: 'nothing was printed' };
}

function outcome(shell: ShellName, type: ResourceType, spec: unknown): string {
  const seen = lookHere(shell, type, spec);
  if ('unknown' in seen) return `unknown: ${seen.unknown}`;
  const differs = differences(type.want(spec, live), seen.have);
  return differs.length === 0 ? 'pass' : `fail: ${differs.join(' ')}`;
}

describe.each(busyboxOrNot)('command on %s', (shell) => {
  it.each([
    [{ command: ['true'] }, 'pass'],
    [{ command: ['false'] }, 'fail: exit'],
    [{ command: ['sh', '-c', 'exit 3'], expect: { exit: 3 } }, 'pass'],
    [{ command: ['printf', 'a\nb\n\n'], expect: { stdout: 'a\nb' } }, 'pass'],
    [{ command: ['printf', 'a\nb'], expect: { stdout: 'a' } }, 'fail: stdout'],
    [{ command: ['printf', 'one two'], expect: { contains: 'e t' } }, 'pass'],
    [{ command: ['printf', 'one two'], expect: { contains: 'three' } }, 'fail: contains'],
    [{ command: ['printf', 'one\ntwo'], expect: { matches: '^t.o$' } }, 'pass'],
    [{ command: ['printf', 'one'], expect: { matches: '^t.o$' } }, 'fail: matches'],
    [{ command: ['printf', 'one'], expect: { matches: '(' } }, 'unknown: not a regular expression: ('],
    [{ command: ['no-such-program-here'] }, 'unknown: no-such-program-here was not found'],
    [{ command: ['no-such-program-here'], expect: { exit: 127 } }, 'pass'],
    [{ command: ['sleep', '30'], limit: 1 }, 'unknown: no answer in 1 s'],
    [{ command: ['sh', '-c', 'trap "" TERM; sleep 3; sleep 3'], limit: 1 }, 'unknown: no answer in 1 s'],
    [{ command: ['cat'], expect: { stdout: '' } }, 'pass'],
    [
      {
        command: ['sh', '-c', 'echo "$1" | wc -c', 'sh', 'tab\there\nand there'],
        expect: { contains: '19' },
      },
      'pass',
    ],
  ] as const)('%j: %s', (spec, expected) => {
    expect(outcome(shell, command, spec)).toBe(expected);
  });

  it('hands every argument over as it is', () => {
    for (const word of ['', ...hostile])
      expect(outcome(shell, command, { command: ['printf', '%s', word], expect: { stdout: word } })).toBe(
        'pass',
      );
  });

  it('brings 64 KiB back and no more', () => {
    const spec = { command: ['head', '-c', '200000', '/dev/zero'], expect: { stdout: 'x' } };
    const seen = lookHere(shell, command, spec);
    expect('have' in seen && String(seen.have?.stdout).length).toBe(65536);
  });

  it('runs nothing for a file tree', () => {
    const tree = newTree(shell);
    expect(tree.look(command, [{ command: ['true'] }]).size).toBe(0);
    expect(
      command.read({ get: () => '0', all: () => [] }, { command: ['true'] }, tree.context),
    ).toHaveProperty('unknown');
  });

  it('shows what a failing command complained of', () => {
    const seen = lookHere(shell, command, { command: ['sh', '-c', 'echo broken >&2; exit 4'] });
    expect(seen).toEqual({ have: { exit: 4, stderr: 'broken' } });
  });
});

it('gives commands identities of one line that tell them apart', () => {
  const words = [['a b'], ['a', 'b'], ['a\nb'], ['a\tb'], ["a'b"]];
  const identities = words.map((argv) => command.identity({ command: argv }));
  expect(new Set(identities).size).toBe(words.length);
  expect(identities.join('')).not.toMatch(/[\t\n]/);
});

let server: Server | undefined;
afterEach(() => server?.close());

describe.each(busyboxOrNot)('port on %s', (shell) => {
  it('finds what listens, and only that', async () => {
    server = createServer();
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const place = server.address();
    const number = typeof place === 'object' ? place?.port : 0;
    expect(outcome(shell, port, { port: `tcp:${number}` })).toBe('pass');
    expect(outcome(shell, port, { port: `tcp:${number}`, address: '127.0.0.1' })).toBe('pass');
    expect(outcome(shell, port, { port: `tcp:${number}`, address: '10.0.0.1' })).toBe('fail: address');
    expect(outcome(shell, port, { port: `tcp:${number}`, state: 'absent' })).toMatch(/fail/);
    server.close();
    expect(outcome(shell, port, { port: 'tcp:1' })).toMatch(/fail/);
    expect(outcome(shell, port, { port: 'tcp:1', state: 'absent' })).toBe('pass');
  });
});

it.each([
  ['0100007F', '127.0.0.1'],
  ['00000000', '0.0.0.0'],
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000001000000', '::1'],
  ['0000000000000000FFFF00000100007F', '127.0.0.1'],
  ['B80D0120000000000000000001000000', '2001:db8::1'],
  ['000080FE00000000FF565002BEADDEEF', 'fe80::250:56ff:efde:adbe'],
])('reads the address %s', (hex, text) => {
  expect(address(hex)).toBe(text);
});

describe.each(busyboxOrNot)('path on %s', (shell) => {
  it.each([
    [{ path: '/etc/f', kind: 'file', mode: '0640', owner: 'root', group: '0' }, ''],
    [{ path: '/etc/f', kind: 'directory' }, 'type'],
    [{ path: '/etc/f', min_size: 5, max_size: 5, not_empty: true }, ''],
    [{ path: '/etc/f', min_size: 6 }, 'min_size'],
    [{ path: '/etc/f', max_size: 4, not_empty: false }, 'max_size not_empty'],
    [{ path: '/etc/d', kind: 'directory', not_empty: false }, ''],
    [{ path: '/etc/d', not_empty: true }, 'not_empty'],
    [{ path: '/etc', not_empty: true }, ''],
    [{ path: '/etc/l', kind: 'link' }, ''],
    [{ path: '/etc/p', kind: 'pipe' }, ''],
    [{ path: '/etc/none' }, 'there'],
    [{ path: '/etc/none', state: 'absent', min_size: 1 }, ''],
    [{ path: '/etc/none', mounted: '/etc/d' }, 'there mounted'],
    [{ path: '/etc/f', mounted: '/etc/d' }, 'mounted'],
  ] as const)('%j differs in: %s', (spec, differs) => {
    const tree = newTree(shell);
    tree.sh('printf hello >etc/f; chmod 640 etc/f; mkdir etc/d; ln -s none etc/l; mkfifo etc/p');
    expect(tree.differs(path, spec).join(' ')).toBe(differs);
  });
});
