import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Context } from '../../../src/model/host.ts';
import type { ResourceType } from '../../../src/model/resource.ts';
import { differences, type Observed, type State } from '../../../src/model/state.ts';
import { parseFacts, type Seen } from '../../../src/shell/facts.ts';
import { parseFrames } from '../../../src/shell/frames.ts';
import { observePrelude, observeScript, opening } from '../../../src/shell/observe.ts';
import { applyPrelude } from '../../../src/shell/prelude.ts';

/** Its own for each test file: scratch directories are named after it, and files of tests run at the same time. */
const nonce = randomBytes(16).toString('hex');
export const shells = ['dash', 'busybox'] as const;
export type ShellName = (typeof shells)[number];

export interface Done {
  readonly ok: boolean;
  readonly said: string;
}

/** A file tree in place of a host, with real observations and real steps on it. */
export interface Tree {
  readonly root: string;
  readonly context: Context;
  path(target: string): string;
  look(type: ResourceType, specs: readonly unknown[]): Map<string, Seen>;
  read(type: ResourceType, spec: unknown): Observed;
  have(type: ResourceType, spec: unknown): State | null;
  refuse(type: ResourceType, spec: unknown): string | null;
  /** Looks, and makes the change if there is one and it is not refused. */
  apply(type: ResourceType, spec: unknown): Done;
  differs(type: ResourceType, spec: unknown): string[];
  sh(text: string): string;
}

const made: string[] = [];
afterAll(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

function fresh(): string {
  const path = mkdtempSync(join(tmpdir(), 'tree-'));
  made.push(path);
  return path;
}

let applets: string | undefined;

/** A directory with a link for every program that busybox is: first in PATH, nothing of coreutils is used. */
function busyboxDirectory(): string {
  if (applets !== undefined) return applets;
  applets = fresh();
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  for (const name of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n'))
    symlinkSync(busybox, join(applets, name));
  return applets;
}

export const hasBusybox = spawnSync('busybox', ['true']).status === 0;

/** Feeds a script to the shell as a host would get it. With busybox nothing of coreutils is used. */
export function runScript(shell: ShellName, script: string): string {
  const input = shell === 'busybox' ? script.replace('PATH=', `PATH=${busyboxDirectory()}:`) : script;
  const argv = shell === 'busybox' ? ['sh', '-s'] : ['-s'];
  const result = spawnSync(shell, argv, { input, maxBuffer: 1 << 26 });
  if (result.stderr.length > 0) throw new Error(`the shell complained: ${result.stderr.toString()}`);
  return result.stdout.toString();
}

/**
 * As a root session sees it; with `live: true` as a host of its own, whose file system starts here: then names are those of
 * this machine, and types that change more than files must not be applied.
 */
export function newTree(shell: ShellName, context: Partial<Context> = {}): Tree {
  const root = fresh();
  const full: Context = { host: 'pve9', platform: 'linux', live: false, ...context };
  mkdirSync(join(root, 'etc'));
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/bash\nbackup:x:4034:4034::/home/backup:/bin/sh\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nbackup:x:4034:\n');
  const rundir = fresh();
  let run = 0;

  function execute(script: string): string {
    const table = existsSync(join(root, 'mounts'))
      ? script.replaceAll('/proc/self/mountinfo', './mounts')
      : script;
    return runScript(shell, full.live ? table.replace(/^ROOT=.*$/m, 'ROOT=') : table);
  }

  function look(type: ResourceType, specs: readonly unknown[]): Map<string, Seen> {
    const out = execute(observeScript([{ type, specs }], { nonce, root }));
    const frames = parseFrames(Buffer.from(out), nonce).filter((frame) => frame.name === `look ${type.name}`);
    return parseFacts(Buffer.concat(frames.map((frame) => frame.bytes)));
  }

  function read(type: ResourceType, spec: unknown): Observed {
    const seen = look(type, [spec]).get(type.identity(spec));
    return seen ? type.read(seen.facts, spec, full) : { unknown: 'nothing was printed' };
  }

  function have(type: ResourceType, spec: unknown): State | null {
    const observed = read(type, spec);
    if ('unknown' in observed) throw new Error(`unknown: ${observed.unknown}`);
    return observed.have;
  }

  function change(type: ResourceType, spec: unknown) {
    const found = have(type, spec);
    const want = type.want(spec, full);
    return { spec, have: found, want, differs: differences(want, found), context: full };
  }

  function apply(type: ResourceType, spec: unknown): Done {
    const todo = change(type, spec);
    if (todo.differs.length === 0) return { ok: true, said: 'as wanted' };
    const steps = type.steps(todo);
    const stage = join(rundir, 'stage');
    mkdirSync(stage, { recursive: true });
    for (const blob of steps.flatMap((step) => step.run.blobs))
      writeFileSync(join(stage, blob.hash), blob.bytes);
    run += 1;
    const body = steps.map((step) => step.run.text).join('\n');
    const script = `{ exec </dev/null\n${opening({ nonce, root })}\nRUN=r${run} RUNDIR=${rundir} STAGE=${stage} CHANGE=0\n${observePrelude}\n${applyPrelude}
(set -eu\n${body}\n) 2>&1\nprintf '\\nended %s\\n' $?\nexit 0\n}\n`;
    const out = execute(script);
    const code = /\nended (\d+)\n$/.exec(out);
    return { ok: code?.[1] === '0', said: out.replace(/\n?ended \d+\n$/, '').trim() };
  }

  return {
    root,
    context: full,
    path: (target) => join(root, target),
    look,
    read,
    have,
    differs: (type, spec) => change(type, spec).differs,
    refuse: (type, spec) => type.refuse?.(change(type, spec)) ?? null,
    apply,
    sh: (text) => execFileSync('bash', ['-c', text], { cwd: root, encoding: 'utf8' }),
  };
}

/** What .members of the cluster file system says on a node of three. */
export function clusterMembers(quorate: 0 | 1): string {
  return `{\n"nodename": "pve9",\n"version": 4,\n"cluster": { "name": "lab", "nodes": 3, "quorate": ${quorate} }\n}\n`;
}

/** In the table of mounts of the tree /etc/pve is the cluster file system; as `ext4` it is an ordinary directory. */
export function mountCluster(tree: Tree, type = 'fuse'): Tree {
  writeFileSync(tree.path('mounts'), `30 1 0:30 / /etc/pve rw - ${type} /dev/fuse rw\n`);
  mkdirSync(tree.path('/etc/pve'), { recursive: true });
  writeFileSync(tree.path('/etc/pve/.members'), clusterMembers(1));
  return tree;
}

/** Names and texts that break quoting, parsing or globbing somewhere. */
export const hostile = [
  'a b',
  "it's",
  'say "x"',
  '$(touch PWNED)',
  '`touch PWNED`',
  'ünïcode-日本',
  '-rf',
  '*',
  'back\\slash',
  'a=b',
  "' -> 'x",
  'p|q',
] as const;

/** What is printed when everything in the tree lies on a network mount: each path is then looked at alone, in a shell of its own. */
export function lookAfar(
  shell: ShellName,
  root: string,
  type: ResourceType,
  specs: readonly unknown[],
): Map<string, Seen> {
  const near = observeScript([{ type, specs }], { nonce, root });
  const far = near.replace('\nremote_path() {', `\nNETWORK=' ${root}'\nremote_path() {`);
  const found = parseFrames(Buffer.from(runScript(shell, far)), nonce).filter(
    (frame) => frame.name === `look ${type.name}`,
  );
  return parseFacts(Buffer.concat(found.map((frame) => frame.bytes)));
}
