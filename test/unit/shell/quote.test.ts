import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { quote } from '../../../src/shell/quote.ts';
import { at, sh } from '../../../src/shell/sh.ts';

const shells: readonly (readonly [string, ...string[]])[] = [
  ['dash'],
  ['bash', '--posix'],
  ['busybox', 'sh'],
];
const alphabet = [
  'a',
  "'",
  '"',
  '\\',
  '$',
  '`',
  '\n',
  ' ',
  '\t',
  '*',
  '?',
  '[',
  '~',
  '-',
  '!',
  '#',
  '&',
  ';',
  '|',
  '>',
  '(',
  '{',
  '=',
  'é',
  '😀',
  '\x01',
  '\x7f',
  '$(id)',
  "'; echo PWNED #",
];

/** Small, fixed generator: a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

describe('quote', () => {
  it.each(shells)('gives back the exact bytes in %s', (shell, ...args) => {
    const next = random(42);
    const strings = Array.from({ length: 20000 }, () =>
      Array.from(
        { length: Math.floor(next() * 12) },
        () => alphabet[Math.floor(next() * alphabet.length)] ?? '',
      ).join(''),
    );
    const script = strings.map((value) => `printf '%s\\0' ${quote(value)}`).join('\n');
    const result = spawnSync(shell, [...args, '-s'], { input: script, maxBuffer: 1 << 28 });
    expect(result.error).toBeUndefined();
    expect(result.stdout.toString('utf8').split('\0').slice(0, -1)).toEqual(strings);
  });

  it('refuses NUL, which shells drop silently', () => {
    expect(() => quote('a\0b')).toThrow(/NUL/);
  });
});

describe('the sh template', () => {
  it('quotes text, inserts shell text, and keeps paths inside the working directory', () => {
    expect(sh`cp ${"it's"} ${at('/etc/x y')} ${['a b', 'c']} ${7}`.text).toBe(
      `cp 'it'\\''s' './etc/x y' 'a b' c 7`,
    );
  });

  it('refuses numbers that are not whole', () => {
    expect(() => sh`sleep ${0.5}`).toThrow(/whole number/);
  });
});
