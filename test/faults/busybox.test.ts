import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changes, type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { describeLab } from '../lab/suite.ts';
import { provision, siteWith, told } from './fixture.ts';

const resources = [
  { file: '/etc/faults', content: 'x\n' },
  { directory: '/etc/faults.d' },
  { link: '/etc/faults.link', to: 'faults' },
  { line: '/etc/profile-lines', key: 'a', value: 'b', create: true },
  { ssh_key: 'lab', user: 'root', key: `ssh-ed25519 ${Buffer.alloc(51, 7).toString('base64')}` },
];

describeLab('F33 what a host lacks', () => {
  let bare: LabHost;
  let nas: LabHost;
  let debian: LabHost;
  beforeAll(async () => {
    [bare, nas, debian] = await Promise.all([
      startHost({ image: 'nas', name: 'bare' }),
      startHost({ image: 'nas-flock', name: 'nas' }),
      startHost({ image: 'debian', name: 'debian' }),
    ]);
  });
  afterAll(stopAll);

  test('without flock, and nothing but busybox: diff works, apply refuses and names it, nothing is touched', async () => {
    const cwd = siteWith([bare], resources);
    const before = await bare.snapshot(['/etc', '/root', '/var', '/run']);
    const diff = await provision(cwd, ['diff']);
    expect(told(diff)).toContain('exit 2');
    expect(diff.stdout).toContain('5 of 5 differ');
    const refused = await provision(cwd, ['apply', '--yes']);
    expect(told(refused)).toContain('exit 5');
    expect(told(refused)).toContain('flock is not installed');
    expect(changes(before, await bare.snapshot(['/etc', '/root', '/var', '/run']))).toEqual([]);
  });

  test('with flock busybox is enough', async () => {
    const cwd = siteWith([nas], resources);
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    const before = await nas.snapshot(['/etc', '/root', '/var']);
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    expect(changes(before, await nas.snapshot(['/etc', '/root', '/var']))).toEqual([]);
  });

  // The shell of busybox has them all inside: there nothing can be missing.
  test.each(['flock', 'setsid', 'timeout', 'base64', 'tar', 'mktemp', 'sha256sum', 'stat'])(
    'without %s: apply refuses and names it, or says what could not be looked at; nothing is touched',
    async (tool) => {
      await debian.sh(`rm -f /etc/faults; mv /usr/bin/${tool} /usr/bin/${tool}.away`);
      const cwd = siteWith([debian], [{ file: '/etc/faults', content: 'x\n' }]);
      const refused = await provision(cwd, ['apply', '--yes']);
      expect(told(refused)).toMatch(/exit [58]/);
      expect(told(refused)).toContain(tool);
      expect((await debian.exec(['test', '-e', '/etc/faults'])).code).toBe(1);
      await debian.sh(`mv /usr/bin/${tool}.away /usr/bin/${tool}`);
      expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    },
  );

  describe('a resource type of another kind of machine', () => {
    test.each([
      ['package', { package: 'curl' }],
      ['unit', { unit: 'ssh.service', active: true }],
    ])('%s: this one cannot be looked at, the others are done', async (_, resource) => {
      await nas.sh('rm -f /etc/faults');
      const cwd = siteWith([nas], [{ file: '/etc/faults', content: 'x\n' }, resource]);
      const applied = await provision(cwd, ['apply', '--yes']);
      expect(told(applied)).toMatch(/exit [58]/);
      expect(told(applied)).toMatch(/is not installed|unknown/);
      expect(await nas.readFile('/etc/faults')).toBe('x\n');
    });
  });
});
