import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProvision } from '../lab/cli.ts';
import { changes, type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { mustRun } from '../lab/machine.ts';
import { describeLab } from '../lab/suite.ts';
import { hostsOf, provision, siteWith, told, until } from './fixture.ts';

const resources = [{ file: '/etc/faults', content: 'new\n' }];

describeLab('four hosts, one of them in trouble', () => {
  let hosts: LabHost[];
  let first: LabHost;
  beforeAll(async () => {
    hosts = await Promise.all(
      (['debian', 'nas-flock', 'nas-flock', 'nas-flock'] as const).map((image, at) =>
        startHost({ image, name: `host${at}` }),
      ),
    );
    [first] = hosts as [LabHost];
  });
  afterAll(stopAll);

  const everything = () => first.snapshot(['/etc', '/root', '/var/lib']);

  test('F06 F07 a dead host holds nobody up, and is named', async () => {
    await first.cut('drop');
    const cwd = siteWith(hosts, resources);
    const from = performance.now();
    const running = startProvision(['apply', '--yes', '--format', 'json'], { cwd });
    await Promise.all(hosts.slice(1).map((host) => until(host, '[ -e /etc/faults ]')));
    expect(performance.now() - from).toBeLessThan(8000);
    const ended = await running.finished;
    await first.uncut();
    expect(ended.code).toBe(3);
    expect(ended.milliseconds).toBeLessThan(30_000);
    const found = hostsOf(ended.stdout);
    expect(found.map(({ host, changes: made }) => [host, made.map(({ outcome }) => outcome)])).toEqual([
      ['host0', []],
      ['host1', ['done']],
      ['host2', ['done']],
      ['host3', ['done']],
    ]);
    expect(JSON.stringify(found[0])).toContain('unreachable');
  });

  test('F08 a key that is not pinned: exit 5 before anything is sent, with its fingerprint', async () => {
    const cwd = siteWith([first], resources, { files: { 'inventory/known_hosts': '' } });
    const before = await everything();
    for (const command of [['diff'], ['apply', '--yes'], ['check']]) {
      const refused = await provision(cwd, command);
      expect(told(refused)).toContain('exit 5');
      expect(told(refused)).toContain('is not trusted yet');
      expect(told(refused)).toContain(await fingerprint(first));
    }
    expect(changes(before, await everything())).toEqual([]);
    expect(await first.sh('journalctl --no-pager -q -u ssh | grep -c Accepted || :')).toBe('0\n');
  });

  test('F09 another machine-id behind the right key: exit 5, nothing done', async () => {
    const pinned = randomUUID().replaceAll('-', '');
    const cwd = siteWith([first], resources, {
      role: { checks: [{ id: 'etc', about: 'There is /etc.', path: '/etc' }] },
      hosts: { host0: { connection: { machine_id: pinned } } },
    });
    const before = await everything();
    for (const command of [['diff'], ['apply', '--yes'], ['check']]) {
      const refused = await provision(cwd, command);
      expect(told(refused)).toContain('exit 5');
      expect(told(refused)).toContain(`machine-id is ${first.machineId}, host0 is pinned to ${pinned}`);
    }
    expect(changes(before, await everything())).toEqual([]);
  });

  test('F09 a machine that looks like another platform is refused', async () => {
    const cwd = siteWith([first], resources, { hosts: { host0: { platform: 'synology' } } });
    const refused = await provision(cwd, ['apply', '--yes']);
    expect(told(refused)).toContain('exit 5');
    expect(told(refused)).toContain('the inventory says synology, but this machine looks like pve');
  });

  test('F08 a changed key: exit 5, both fingerprints and the line of the pin', async () => {
    const cwd = siteWith([first], resources);
    const old = await fingerprint(first);
    await first.rekey();
    const now = await fingerprint(first);
    expect(now).not.toBe(old);
    const before = await everything();
    for (const command of [['diff'], ['apply', '--yes'], ['check']]) {
      const refused = await provision(cwd, command);
      expect(told(refused)).toContain('exit 5');
      expect(told(refused)).toContain(old);
      expect(told(refused)).toContain(now);
      expect(told(refused)).toMatch(/inventory\/known_hosts:\d/);
    }
    expect(changes(before, await everything())).toEqual([]);
    expect((await first.exec(['test', '-e', '/etc/faults'])).code).toBe(1);
  });
});

async function fingerprint(host: LabHost): Promise<string> {
  const key = await host.readFile('/etc/ssh/ssh_host_ed25519_key.pub');
  return (await mustRun(['ssh-keygen', '-lf', '-'], key)).split(' ')[1] ?? '';
}
