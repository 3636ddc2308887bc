import { appendFile, chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseDocument } from 'yaml';
import type { HostWork } from '../model/run.ts';
import { packageRoot } from './package.ts';
import { expandHosts, openSite } from './site.ts';
import { start } from './start.ts';
import type { Terminal } from './terminal.ts';

/** The host of the example site that the demo plays, and the hand edit it suffers. */
const host = 'pve2';
/** Those that keep files. */
const roles = 'base,vzdump,vzdump-hook';
const edited = '/etc/vzdump.conf';

/**
 * The main job on the example host `pve2`, played by a directory tree that is thrown away at the end: plan, apply, nothing left to do,
 * a hand edit found as drift and repaired, checklist. The commands are the real ones. Checks that need a running system stay unknown.
 */
export async function demoCommand(terminal: Terminal): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'provision-demo-'));
  try {
    return await play(folder, terminal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function play(folder: string, terminal: Terminal): Promise<number> {
  const tree = join(folder, host);
  const inventory = join(folder, 'inventory');
  await makeSite(folder, tree);
  const [work] = await expandHosts(await openSite({ inventory }, terminal), [{ name: host }]);
  if (work) await makeTree(tree, work);

  const scene = async (about: string, expected: readonly number[], ...argv: string[]): Promise<void> => {
    terminal.out(`\n# ${about}\n$ provision ${argv.join(' ')}\n`);
    const code = await start(['--inventory', inventory, ...argv], terminal);
    terminal.out(`(exit ${code})\n`);
    if (!expected.includes(code))
      throw new Error(`the demo expected exit ${expected.join(' or ')}, not ${code}`);
  };
  terminal.out(`The example host ${host}, as a directory tree: ${tree}
Its files only: storages, jobs and pools are kept by programs of a running system.\n`);
  const only = ['--host', host, '--role', roles];
  await scene('What differs on a fresh host? Nothing is changed by asking.', [2], 'diff', ...only);
  const proven = 'Make it so. Every change is proven by reading the host again.';
  await scene(proven, [0, 8], 'apply', ...only, '--yes');
  const again = 'Again: there is nothing left to do, and nothing is touched.';
  await scene(again, [0], 'apply', ...only, '--yes');
  await appendFile(join(tree, edited), 'bwlimit: 1000\n');
  await scene(`Somebody edits ${edited} by hand.`, [2], 'diff', ...only);
  await scene('Put it back. Exactly that file, and nothing else.', [0, 8], 'apply', ...only, '--yes');
  const unseen =
    'The checklist. What needs a running system cannot be seen in a tree, and is not called fine.';
  await scene(unseen, [0, 8], 'check', ...only);
  return 0;
}

/** The shipped example site, with this one host reached as a tree. */
async function makeSite(folder: string, tree: string): Promise<void> {
  const shipped = packageRoot();
  await cp(join(shipped, 'inventory'), join(folder, 'inventory'), { recursive: true });
  await symlink(join(shipped, 'roles'), join(folder, 'roles'));
  await symlink(join(shipped, 'templates'), join(folder, 'templates'));
  const file = join(folder, 'inventory', 'hosts', `${host}.yaml`);
  const document = parseDocument(await readFile(file, 'utf8'));
  document.setIn(['connection', 'session'], 'root');
  document.setIn(['connection', 'root'], tree);
  await writeFile(file, document.toString());
}

/** What a bare installation has before anything is applied: a few directories, accounts, and the packages installed. */
async function makeTree(tree: string, work: HostWork): Promise<void> {
  const file = async (path: string, content: string, mode = 0o644): Promise<void> => {
    await mkdir(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
    await writeFile(join(tree, path), content);
    await chmod(join(tree, path), mode);
  };
  for (const path of [
    '/etc/systemd/system',
    '/etc/sysctl.d',
    '/usr/local/bin',
    '/usr/local/share',
    '/var/lib/vz',
    '/root',
    '/run',
    '/mnt',
  ]) {
    await mkdir(join(tree, path), { recursive: true, mode: 0o755 });
  }
  await chmod(tree, 0o755);
  await file('/usr/bin/pveversion', '#!/bin/sh\n', 0o755);
  await file('/etc/machine-id', '0123456789abcdef0123456789abcdef\n');
  await file('/etc/hostname', 'proxmox\n');
  await file('/etc/hosts', '127.0.0.1 localhost\n');
  await file('/etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n');
  await file('/etc/group', 'root:x:0:\n');
  for (const { type, spec } of work.resources) {
    const path = type.text?.(spec)?.path;
    if (path) await mkdir(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
    if (type.name !== 'unit' || type.text?.(spec)) continue;
    const unit = `[Unit]\nDescription=${type.identity(spec)}\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n`;
    await file(`/usr/lib/systemd/system/${type.identity(spec)}`, unit);
  }
  const packages = work.resources
    .filter(({ type }) => type.name === 'package')
    .map(({ type, spec }) => type.identity(spec));
  const paragraphs = packages.map(
    (name) => `Package: ${name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n`,
  );
  await file('/var/lib/dpkg/status', paragraphs.join('\n'));
}
