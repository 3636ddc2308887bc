import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProvision } from './cli.ts';
import { changes, type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { describeLab } from './suite.ts';

const role = {
  role: 'sample',
  about: 'One directory and one file, for tests.',
  platforms: ['pve', 'synology'],
  variables: { text: { type: 'string', default: 'first', description: 'What is in the file.' } },
  resources: [
    { directory: '/var/sample', mode: '0755', owner: 'root', group: 'root' },
    { file: '/var/sample/a', content: '${text}\n', mode: '0644', owner: 'root', group: 'root' },
  ],
};

describeLab('the command line on lab hosts', () => {
  let hosts: LabHost[];
  const files = { 'roles/sample/role.yaml': role };
  const site = (vars = {}, dir?: string) => inventoryFor(hosts, { roles: ['sample'], vars, files }, dir);

  beforeAll(async () => {
    hosts = await Promise.all([
      startHost({ image: 'debian', name: 'pve1' }),
      startHost({ image: 'nas-flock', name: 'nas1' }),
    ]);
  });
  afterAll(stopAll);

  test('list reads the site that the harness writes', async () => {
    const listed = await runProvision(['list', 'hosts'], { cwd: site() });
    expect(listed.stderr).toBe('');
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/nas1[\s\S]*pve1|pve1[\s\S]*nas1/);
  });

  test('diff, apply, diff: differences, made, none; the second apply touches nothing', async () => {
    const cwd = site();
    const before = await Promise.all(hosts.map((host) => host.snapshot(['/var/sample', '/etc'])));
    const first = await runProvision(['diff'], { cwd });
    expect(first.stderr).toBe('');
    expect(first.code).toBe(2);
    expect(first.stdout).toContain('file:/var/sample/a');
    const looked = await Promise.all(hosts.map((host) => host.snapshot(['/var/sample', '/etc'])));
    expect(before.map((snapshot, at) => changes(snapshot, looked[at] ?? new Map()))).toEqual([[], []]);
    const applied = await runProvision(['apply', '--yes'], { cwd });
    expect(`${applied.code}\n${applied.stderr}`).toBe('0\n');
    for (const host of hosts) expect(await host.readFile('/var/sample/a')).toBe('first\n');
    expect((await runProvision(['diff'], { cwd })).code).toBe(0);
    const made = await Promise.all(hosts.map((host) => host.snapshot(['/var/sample', '/etc'])));
    expect((await runProvision(['apply', '--yes'], { cwd })).code).toBe(0);
    const kept = await Promise.all(hosts.map((host) => host.snapshot(['/var/sample', '/etc'])));
    expect(made.map((snapshot, at) => changes(snapshot, kept[at] ?? new Map()))).toEqual([[], []]);
  });
});
