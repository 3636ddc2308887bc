import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { file } from '../../../src/resources/file.ts';
import { ended, frame, parseFrames } from '../../../src/shell/frames.ts';
import { observeScript } from '../../../src/shell/observe.ts';

const nonce = 'f00dfeed';

describe('frames', () => {
  it('keeps exact bytes, drops noise before them, and does not believe forged marks', () => {
    const binary = Buffer.from([0, 255, 10, 10, 13, 0x1b]);
    const output = Buffer.concat([
      Buffer.from('Welcome!\nlast login\n'),
      Buffer.from(`\n${nonce} one\n`),
      binary,
      Buffer.from(`\n${nonce} two\nf00dbeef end\n${nonce}x end\n`),
      Buffer.from(`\n${nonce} end\n`),
    ]);
    const frames = parseFrames(output, nonce);
    expect(frames.map(({ name }) => name)).toEqual(['one', 'two', 'end']);
    expect(frame(frames, 'one')).toEqual(binary);
    expect(ended(frames)).toBe(true);
    expect(ended(parseFrames(output.subarray(0, output.length - 5), nonce))).toBe(false);
  });
});

describe('a script cut in transit', () => {
  const script = observeScript([{ type: file, specs: [{ file: '/etc/hostname' }] }], { nonce, root: '/' });

  it('runs nothing, wherever it is cut', () => {
    for (let cut = 1; cut < script.length - 2; cut += 97) {
      const { stdout } = spawnSync('/bin/sh', ['-s'], { input: script.slice(0, cut) });
      expect(stdout.toString(), `cut at ${cut}`).toBe('');
    }
    expect(ended(parseFrames(spawnSync('/bin/sh', ['-s'], { input: script }).stdout, nonce))).toBe(true);
  });

  it('would run in part without its braces: the test notices', () => {
    const bare = script.replace(/^\{/, '').replace(/\}\n$/, '');
    expect(
      spawnSync('/bin/sh', ['-s'], { input: bare.slice(0, bare.length - 60) }).stdout.toString(),
    ).not.toBe('');
  });
});
