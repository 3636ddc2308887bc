import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Context } from '../../../src/model/host.ts';
import type { ResourceType } from '../../../src/model/resource.ts';
import { differences, type Observed } from '../../../src/model/state.ts';
import { parseFacts, type Seen } from '../../../src/shell/facts.ts';
import { parseFrames } from '../../../src/shell/frames.ts';
import { observePrelude, observeScript, opening } from '../../../src/shell/observe.ts';
import { applyPrelude } from '../../../src/shell/prelude.ts';
import type { ShellName } from './tree.ts';

/** The scratch directory of a look is named after it: test files that run at the same time must not share one. */
const nonce = randomBytes(16).toString('hex');
const standIns = new URL('../../lab/stand-ins/synology/', import.meta.url).pathname;
const context: Context = { host: 'nas', platform: 'synology', live: true };
const made: string[] = [];
afterAll(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** A DSM as the stand-ins play it, in a directory: looks and steps of the types run on it in a real shell. */
export interface World {
  readonly root: string;
  /** Path of a file of the stand-ins' world. */
  at(name: string): string;
  look(type: ResourceType, specs: readonly unknown[]): Map<string, Seen>;
  read(type: ResourceType, spec: unknown): Observed;
  refuse(type: ResourceType, spec: unknown): string | null;
  /** Looks and makes the change; answers with what the steps said, and whether they ended well. */
  apply(type: ResourceType, spec: unknown): { readonly ok: boolean; readonly said: string };
  sh(text: string): string;
}

export function newWorld(shell: ShellName): World {
  const root = mkdtempSync(join(tmpdir(), 'dsm-'));
  made.push(root);
  for (const name of ['bin', 'world', 'stage', 'volume1', 'etc', 'etc.defaults']) mkdirSync(join(root, name));
  for (const name of readdirSync(standIns)) {
    copyFileSync(join(standIns, name), join(root, 'bin', name));
    chmodSync(join(root, 'bin', name), 0o755);
  }
  writeFileSync(join(root, 'bin/stand-ins.root'), `${join(root, 'world')}\n`);
  writeFileSync(
    join(root, 'etc.defaults/VERSION'),
    'productversion="7.2.1"\nbuildnumber="69057"\nsmallfixnumber="5"\n',
  );
  writeFileSync(join(root, 'mountinfo'), '36 1 0:30 / /volume1 rw - btrfs /dev/mapper/vol1 rw\n');
  const env = {
    PATH: process.env.PATH,
    STAND_IN_ROOT: root,
    STAND_IN_UID: '0',
    EXPORTS_FILE: join(root, 'etc/exports'),
  };
  let busybox = '';
  if (shell === 'busybox') {
    busybox = join(root, 'applets');
    mkdirSync(busybox);
    spawnSync('busybox', ['--install', '-s', busybox]);
  }

  function run(script: string): string {
    const input = script
      .replace(/PATH=/, `PATH=${join(root, 'bin')}:${busybox === '' ? '' : `${busybox}:`}`)
      .replace(/^ROOT=.*$/m, 'ROOT=')
      .replaceAll('/proc/self/mountinfo', join(root, 'mountinfo'));
    const argv = shell === 'busybox' ? ['sh', '-s'] : ['-s'];
    const result = spawnSync(shell, argv, { input, env, encoding: 'utf8' });
    if (result.stderr !== '') throw new Error(`the shell complained: ${result.stderr}`);
    return result.stdout;
  }

  function look(type: ResourceType, specs: readonly unknown[]): Map<string, Seen> {
    const frames = parseFrames(Buffer.from(run(observeScript([{ type, specs }], { nonce, root }))), nonce);
    return parseFacts(
      Buffer.concat(frames.filter(({ name }) => name === `look ${type.name}`).map(({ bytes }) => bytes)),
    );
  }

  function read(type: ResourceType, spec: unknown): Observed {
    const seen = look(type, [spec]).get(type.identity(spec));
    return seen === undefined ? { unknown: 'nothing was printed' } : type.read(seen.facts, spec, context);
  }

  function change(type: ResourceType, spec: unknown) {
    const observed = read(type, spec);
    if ('unknown' in observed) throw new Error(observed.unknown);
    const want = type.want(spec, context);
    return { spec, have: observed.have, want, differs: differences(want, observed.have), context };
  }

  return {
    root,
    at: (name) => join(root, 'world', name),
    look,
    read,
    refuse: (type, spec) => type.refuse?.(change(type, spec)) ?? null,
    apply: (type, spec) => {
      const todo = change(type, spec);
      if (todo.differs.length === 0) return { ok: true, said: 'as wanted' };
      const steps = type.steps(todo).map(({ run: one }) => one);
      for (const { hash, bytes } of steps.flatMap(({ blobs }) => blobs))
        writeFileSync(join(root, 'stage', hash), bytes);
      const body = steps.map(({ text }) => `(set -eu\n${text}\n) || exit 9`).join('\n');
      const script = `{ exec </dev/null\n${opening({ nonce, root })}\nRUN=r RUNDIR=${root} STAGE=${root}/stage CHANGE=0\n${observePrelude}\n${applyPrelude}
(${body}\n) 2>&1\nprintf '\\nended %s\\n' $?\nexit 0\n}\n`;
      const out = run(script);
      return { ok: /\nended 0\n$/.test(out), said: out.replace(/\n?ended \d+\n$/, '').trim() };
    },
    sh: (text) => {
      const done = spawnSync('sh', ['-euc', text], {
        cwd: root,
        env: { ...env, PATH: `${join(root, 'bin')}:${process.env.PATH}` },
        encoding: 'utf8',
      });
      if (done.status !== 0) throw new Error(`${text}: ${done.stdout}${done.stderr}`);
      return done.stdout;
    },
  };
}
