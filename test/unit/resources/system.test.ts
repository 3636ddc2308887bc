import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/model/host.ts';
import type { ResourceType } from '../../../src/model/resource.ts';
import { debianPackage } from '../../../src/resources/package.ts';
import { sysctl } from '../../../src/resources/sysctl.ts';
import { user } from '../../../src/resources/user.ts';
import { parseFacts } from '../../../src/shell/facts.ts';
import { parseFrames } from '../../../src/shell/frames.ts';
import { observeScript } from '../../../src/shell/observe.ts';
import { hasBusybox, newTree, runScript, type ShellName, shells } from './tree.ts';

const nonce = 'c0ffee00c0ffee00c0ffee00c0ffee00';
const live: Context = { host: 'pve9', platform: 'linux', live: true };
const busyboxOrNot = shells.filter((shell) => shell === 'dash' || hasBusybox);

/** Reads this machine itself, changing nothing. */
function textHere(shell: ShellName, type: ResourceType, specs: readonly unknown[], identity: string) {
  const output = Buffer.from(runScript(shell, observeScript([{ type, specs }], { nonce, root: '/' })));
  const frame = parseFrames(output, nonce).find((one) => one.name === `look ${type.name}`);
  return parseFacts(frame?.bytes ?? Buffer.alloc(0)).get(identity);
}

function readHere(shell: ShellName, type: ResourceType, spec: unknown) {
  const seen = textHere(shell, type, [spec], type.identity(spec));
  return seen ? type.read(seen.facts, spec, live) : { unknown: 'nothing was printed' };
}

const stored = '/etc/sysctl.d/90-provision-net.ipv4.ip_local_port_range.conf';

describe.each(busyboxOrNot)('sysctl on %s', (shell) => {
  const spec = { sysctl: 'net.ipv4.ip_local_port_range', value: '1024\t  2000' };

  it.each([
    ['nothing', ':'],
    ['another value', `printf 'net.ipv4.ip_local_port_range = 1 2\\n' >.${stored}`],
    ['other settings', `printf 'net.ipv4.ip_local_port_range = 1024 2000\\na = b\\n' >.${stored}`],
    ['an empty file', `: >.${stored}`],
  ])('stores the value over %s', (_, prepare) => {
    const tree = newTree(shell);
    tree.sh(`mkdir etc/sysctl.d; ${prepare}`);
    expect(tree.differs(sysctl, spec)).toEqual(['stored']);
    expect(tree.apply(sysctl, spec)).toEqual({ ok: true, said: '' });
    expect(readFileSync(tree.path(stored), 'utf8')).toBe('net.ipv4.ip_local_port_range = 1024 2000\n');
    expect(tree.differs(sysctl, spec)).toEqual([]);
    expect(tree.apply(sysctl, { ...spec, state: 'absent' })).toEqual({ ok: true, said: '' });
    expect(tree.have(sysctl, { ...spec, state: 'absent' })).toBeNull();
  });

  it('never removes what is in the way', () => {
    const tree = newTree(shell);
    tree.sh(`mkdir -p .${stored}`);
    expect(tree.refuse(sysctl, spec)).toMatch(/not a file/);
  });

  it('reads the running kernel, blanks aside', () => {
    const [low, high] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    expect(readHere(shell, sysctl, spec)).toEqual({ have: { stored: null, live: `${low} ${high}` } });
    expect(readHere(shell, sysctl, { sysctl: 'no.such.thing', value: '1' })).toEqual({
      have: { stored: null, live: null },
    });
    const slashes = { sysctl: 'net/ipv4/conf/lo/rp_filter', value: '1' };
    expect(readHere(shell, sysctl, slashes)).not.toHaveProperty('have.live', null);
  });
});

const hasDpkg = spawnSync('dpkg-query', ['--version']).status === 0;

describe.runIf(hasDpkg).each(busyboxOrNot)('package on %s', (shell) => {
  const status = ['one installed', 'gone config-files', 'half half-configured']
    .map((row) => row.split(' '))
    .map(
      ([name, state]) =>
        `Package: ${name}\nStatus: install ok ${state}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: x <x@lan>\nDescription: x\n`,
    )
    .join('\n');

  it('reads the packages of a tree and refuses to change them', () => {
    const tree = newTree(shell);
    tree.sh('mkdir -p var/lib/dpkg/updates var/lib/dpkg/info');
    writeFileSync(tree.path('/var/lib/dpkg/status'), status);
    expect(tree.differs(debianPackage, { package: 'one' })).toEqual([]);
    expect(tree.differs(debianPackage, { package: 'one', version: '1.0-2' })).toEqual(['version']);
    expect(tree.have(debianPackage, { package: 'gone' })).toBeNull();
    expect(tree.have(debianPackage, { package: 'never' })).toBeNull();
    expect(tree.refuse(debianPackage, { package: 'never' })).toMatch(/running system/);
  });

  it('does not know about a tree without dpkg', () => {
    expect(newTree(shell).read(debianPackage, { package: 'one' })).toHaveProperty('unknown');
  });

  it('reads this machine, each package as if it were alone', () => {
    const specs = [{ package: 'dpkg' }, { package: 'no-such-package-here' }, { package: 'coreutils' }];
    for (const spec of specs) {
      const together = textHere(shell, debianPackage, specs, spec.package)?.text;
      expect(together).toBeDefined();
      expect(together).toBe(textHere(shell, debianPackage, [spec], spec.package)?.text);
    }
    expect(readHere(shell, debianPackage, specs[0])).toMatchObject({ have: { status: 'installed' } });
    expect(readHere(shell, debianPackage, specs[1])).toEqual({ have: null });
  });
});

describe('refusals of package', () => {
  const change = (have: object | null, spec: object, platform: Context['platform'] = 'linux') => ({
    spec: { package: 'one', ...spec },
    have: have as Record<string, string> | null,
    want: 'state' in spec ? null : { status: 'installed' },
    differs: ['status'],
    context: { ...live, platform },
  });
  it.each([
    [change({ status: 'installed', removes: 'one two' }, { state: 'absent' }), /apt would remove more: two/],
    [change({ status: 'installed' }, { state: 'absent' }), /did not say/],
    [change({ status: 'half-configured' }, {}), /dpkg --configure -a/],
    [change(null, {}, 'synology'), /brings its own packages/],
  ])('%j', (asked, reason) => {
    expect(debianPackage.refuse?.(asked)).toMatch(reason);
  });
  it('lets one go that takes nothing with it', () => {
    expect(
      debianPackage.refuse?.(change({ status: 'installed', removes: 'one' }, { state: 'absent' })),
    ).toBeNull();
  });
});

describe('an installation that takes other packages away', () => {
  const run = (spec: { package: string; replaces?: string[] }) => {
    const change = { spec, have: null, want: { status: 'installed' }, differs: ['status'], context: live };
    const steps = debianPackage.steps(change).map((step) => step.run.text);
    const bin = mkdtempSync(join(tmpdir(), 'apt-'));
    const program = (name: string, text: string) =>
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    program('apt-cache', 'echo Package: x');
    program(
      'apt-get',
      `case " $* " in *' -s '*) echo 'Remv pve-firmware [3.1]'; echo Inst one ;; *) echo installed ;; esac`,
    );
    const { status, stdout } = spawnSync('dash', ['-euc', `say() { echo "$*"; }\n${steps.join('\n')}`], {
      encoding: 'utf8',
      env: { PATH: `${bin}:${process.env.PATH}` },
    });
    return { status, stdout };
  };
  it('is not begun', () => {
    expect(run({ package: 'one' })).toEqual({
      status: 1,
      stdout: 'apt would remove pve-firmware to install one; if it may go, name it in replaces\n',
    });
    expect(run({ package: 'one', replaces: ['firmware'] }).status).toBe(1);
  });
  it('goes on when they are named', () => {
    expect(run({ package: 'one', replaces: ['two', 'pve-firmware'] })).toEqual({
      status: 0,
      stdout: 'installed\n',
    });
  });
});

it('sees that processes of a user run', () => {
  const gone = (name: string) => ({ user: name, state: 'absent' });
  expect(readHere('dash', user, gone('root'))).toHaveProperty('have.running', true);
  const seen = textHere('dash', user, [gone('root'), { user: 'daemon' }], 'daemon');
  expect(seen?.text).toBe(textHere('dash', user, [{ user: 'daemon' }], 'daemon')?.text);
});
