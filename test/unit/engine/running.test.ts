import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { apply } from '../../../src/engine/apply.ts';
import { file } from '../../../src/resources/file.ts';
import { resource, testEngine, treeHost, workOf } from './tree.ts';

const script = (word: string): string =>
  `echo ${word}\n${'# padding that takes time to read\n'.repeat(2000)}echo ${word}\n`;

it('a program that is replaced while it runs is always run as a whole: the old one or the new one', async () => {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'bin'), { mode: 0o755 });
  for (const path of [root, join(root, 'bin')]) chmodSync(path, 0o755);
  writeFileSync(join(root, 'bin/hook'), script('old'), { mode: 0o755 });
  const loop = `n=0; while [ ! -e ${root}/stop ] && [ $n -lt 20000 ]; do n=$((n+1)); echo $(sh ${root}/bin/hook 2>&1); done`;
  const runner = spawn('sh', ['-c', loop], { stdio: ['ignore', 'pipe', 'ignore'] });
  const heard: Buffer[] = [];
  runner.stdout.on('data', (chunk: Buffer) => heard.push(chunk));
  const ended = new Promise((resolve) => runner.on('close', resolve));
  for (const word of ['one', 'two', 'three', 'four', 'five', 'six']) {
    const runs = await apply(
      [workOf(host, [resource(file, { file: '/bin/hook', content: script(word), mode: '0755' })])],
      testEngine(),
      { approve: null },
    );
    expect(runs[0]?.changes[0]?.outcome).toBe('done');
  }
  writeFileSync(join(root, 'stop'), '');
  await ended;
  const lines = Buffer.concat(heard).toString('utf8').trim().split('\n');
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => !/^(\w+) \1$/.test(line))).toEqual([]);
}, 60_000);
