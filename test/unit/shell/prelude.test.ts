import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { observePrelude, opening } from '../../../src/shell/observe.ts';
import { applyPrelude } from '../../../src/shell/prelude.ts';
import { hasBusybox } from '../resources/tree.ts';

const nonce = 'c0ffee00c0ffee00c0ffee00c0ffee00';
const shells = [['dash'], ['bash', '--posix'], ...(hasBusybox ? [['busybox', 'sh']] : [])];

function fresh(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'prelude-')));
}

/** Runs steps as a change would, in a tree of its own; `root` false: as if the tree were a whole host. */
function run(
  shell: readonly string[],
  tree: string,
  text: string,
  root = false,
  env: NodeJS.ProcessEnv = {},
) {
  const rundir = fresh();
  mkdirSync(join(rundir, 'stage'));
  const head = opening({ nonce, root: tree }).replace(/^ROOT=.*$/m, (line) => (root ? line : 'ROOT='));
  const script = `${head}\nRUN=r RUNDIR=${rundir} STAGE=${rundir}/stage CHANGE=0\n${observePrelude}\n${applyPrelude}\n(set -eu\n${text}\n) 2>&1\n`;
  const [program = '', ...args] = shell;
  const { status, stdout } = spawnSync(program, [...args, '-s'], {
    input: script,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, rundir };
}

function treeWith(files: Readonly<Record<string, string>>): string {
  const tree = fresh();
  mkdirSync(join(tree, 'etc'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(tree, name), text);
  return tree;
}

describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('on %s', (_, shell) => {
  it.each([
    ['replaced', 'put ./new ./etc/x 0644 root:root'],
    ['removed', 'take_away ./etc/x'],
  ])('a file of which no copy could be kept is not %s', (_, text) => {
    const tree = treeWith({ new: 'new', 'etc/x': 'old' });
    const { status, stdout } = run(shell, tree, `cp() { return 1; }\n${text}`);
    expect(status).not.toBe(0);
    expect(stdout).toContain('no copy of /etc/x could be kept');
    expect(readFileSync(join(tree, 'etc/x'), 'utf8')).toBe('old');
    expect(readdirSync(join(tree, 'etc'))).toEqual(['x']);
  });

  it.each([
    ['0644', 'root:root'],
    ['0640', 'root:daemon'],
  ])('does not write %s %s through a link that lies where its temp file goes', (mode, owner) => {
    const tree = treeWith({ new: 'new', victim: 'old' });
    symlinkSync('../victim', join(tree, 'etc/.provision.r.0.1'));
    expect(run(shell, tree, `put ./new ./etc/x ${mode} ${owner}`).status).not.toBe(0);
    expect(readFileSync(join(tree, 'victim'), 'utf8')).toBe('old');
    expect(readdirSync(join(tree, 'etc'))).toEqual([]);
  });

  it.each([
    ['put', 'put ./new ./out/x 0644 root:root'],
    ['put prepared ahead', 'ahead ./new ./out/x 0644 root:root\nput ./new ./out/x 0644 root:root'],
    ['take_away', 'take_away ./out/x'],
  ])('in a tree, %s does not follow a link out of it', (_, text) => {
    const tree = treeWith({ new: 'new' });
    const real = treeWith({ 'etc/x': 'real' });
    symlinkSync(join(real, 'etc'), join(tree, 'out'));
    const { status, stdout } = run(shell, tree, text, true);
    expect(status).not.toBe(0);
    expect(stdout).toContain('/out leads out of the tree');
    expect(readFileSync(join(real, 'etc/x'), 'utf8')).toBe('real');
    expect(readdirSync(join(real, 'etc'))).toEqual(['x']);
  });

  it('in a tree, a link that stays inside is followed', () => {
    const tree = treeWith({ new: 'new' });
    symlinkSync('etc', join(tree, 'in'));
    expect(run(shell, tree, 'put ./new ./in/x 0644 root:root', true)).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(readFileSync(join(tree, 'etc/x'), 'utf8')).toBe('new');
  });

  it('takes no variable of its own from the environment', () => {
    const scratch = fresh();
    const names = Object.fromEntries(['BAD', 'CHANGE', 'PUTS', 'TRUSTED'].map((name) => [name, '\n1\n']));
    const text = `limited 5 'echo ran'\nprintf '%s|%s|' "$BAD" "$PUTS"\nknown_safe 1 || echo no`;
    const said = run(shell, treeWith({}), text, false, { ...names, SCRATCH: scratch });
    expect(said.stdout).toBe('ran\n |0|no\n');
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('asks no directory on a network mount whether others can write to it: it may hang', () => {
    const tree = treeWith({});
    mkdirSync(join(tree, 'far'));
    const text = `NETWORK=' /far'
stat() { printf '%s\\n' "$*" >>./asked; command stat "$@"; }
look_at_parents ./ ./etc ./far ./far/x
known_safe ./etc && cat ./asked`;
    const { stdout } = run(shell, tree, text);
    expect(stdout).toContain('./ ./etc');
    expect(stdout).not.toContain('far');
  });

  it('knows a path on a network mount whose name has blanks', () => {
    const text = `NETWORK=' /mnt/my\\040nas /mnt/a\\134b'
for p in './mnt/my nas' './mnt/my nas/x' './mnt/my nastier' './mnt/my' './mnt/a\\b/c'; do
  if remote_path "$p"; then echo far; else echo near; fi
done`;
    expect(run(shell, treeWith({}), text).stdout).toBe('far\nfar\nnear\nnear\nfar\n');
  });
});
