import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProvision, startProvision } from './cli.ts';
import { changes, type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { describeLab } from './suite.ts';

/** The main job as a new user would try it, on two hosts at once, with the roles that come with the program. */
describeLab('the main job', () => {
  let hosts: LabHost[];
  let cwd: string;
  const watched = ['/etc', '/usr/local', '/root', '/var/lib/vz', '/var/spool'];
  const provision = (...args: string[]) => runProvision(args, { cwd });
  const snapshots = () => Promise.all(hosts.map((host) => host.snapshot(watched)));
  const [first, second] = [(): LabHost => hosts[0] as LabHost, (): LabHost => hosts[1] as LabHost];

  beforeAll(async () => {
    hosts = await Promise.all([
      startHost({ image: 'debian', name: 'pve2' }),
      startHost({ image: 'debian', name: 'ruapehu' }),
    ]);
    cwd = inventoryFor(hosts, {
      roles: ['base', 'vzdump'],
      vars: {
        base: { domain: 'lan', time_sync: 'none', packages: ['dummy-one'] },
        vzdump: { mode: 'snapshot', compress: 'zstd' },
      },
    });
  });
  afterAll(stopAll);

  test('diff shows what differs and changes nothing', async () => {
    const before = await snapshots();
    const diff = await provision('diff');
    expect(diff.stderr).toBe('');
    expect(diff.code).toBe(2);
    for (const id of ['file:/etc/vzdump.conf', 'directory:/var/lib/vz/vzdump-tmp', 'package:dummy-one']) {
      expect(diff.stdout.split(id).length - 1, id).toBe(hosts.length);
    }
    const after = await snapshots();
    expect(before.map((one, index) => changes(one, after[index] ?? new Map()))).toEqual([[], []]);
  });

  test('apply makes it so on both, diff has nothing left, a second apply touches nothing', async () => {
    const apply = await provision('apply', '--yes');
    expect(apply.stderr).toBe('');
    expect(`${apply.code}\n${apply.code === 0 ? '' : apply.stdout}`).toBe('0\n');
    for (const host of hosts) {
      expect(await host.readFile('/etc/vzdump.conf')).toContain('tmpdir: /var/lib/vz/vzdump-tmp\n');
      expect(await host.sh("dpkg-query -W -f '${Status}' dummy-one")).toBe('install ok installed');
    }
    expect((await provision('diff')).code).toBe(0);
    const before = await snapshots();
    const state = await first().snapshot(['/var/lib/provision']);
    expect((await provision('apply', '--yes')).code).toBe(0);
    const after = await snapshots();
    expect(before.map((one, index) => changes(one, after[index] ?? new Map()))).toEqual([[], []]);
    expect(changes(state, await first().snapshot(['/var/lib/provision']))).toEqual([]);
  });

  test('a hand edit is drift, named by its id; apply repairs exactly that', async () => {
    await first().sh('sed -i s/zstd/lzo/ /etc/vzdump.conf');
    const diff = await provision('diff', '--format', 'json');
    expect(diff.code).toBe(2);
    const found = JSON.parse(diff.stdout).hosts.flatMap(
      (host: { host: string; changes: { id: string; cause: string }[] }) =>
        host.changes.map(({ id, cause }) => [host.host, id, cause]),
    );
    expect(found).toEqual([['pve2', 'file:/etc/vzdump.conf', 'drift']]);
    const before = await snapshots();
    expect((await provision('apply', '--yes')).code).toBe(0);
    const after = await snapshots();
    const touched = before.map((one, index) => changes(one, after[index] ?? new Map()));
    expect(touched[0]).toEqual(['/etc: mtime', '/etc/vzdump.conf: content, mtime, inode']);
    expect(touched[1]).toEqual([]);
  });

  test('check is green', async () => {
    const check = await provision('check', '--verbose');
    expect(`${check.code}\n${check.code === 0 ? '' : check.stdout}`).toBe('0\n');
    expect(check.stdout).toContain('vzdump/tmpdir');
  });

  test('killed with -9 in the middle, the run ends on the host, and apply converges', async () => {
    await Promise.all(
      hosts.map((host) =>
        host.sh('rm -rf /var/lib/vz/vzdump-tmp /etc/vzdump.conf; apt-get -qq remove dummy-one'),
      ),
    );
    const running = startProvision(['apply', '--yes'], { cwd });
    const runs = async (): Promise<number> => Number(await second().sh('ls /var/lib/provision/runs | wc -l'));
    const before = await runs();
    for (let waited = 0; waited < 200 && (await runs()) === before; waited += 1) await sleep(20);
    running.kill('SIGKILL');
    await running.finished;
    expect(await runs()).toBe(before + 1);
    for (let waited = 0; waited < 300; waited += 1) {
      if ((await second().sh('ls /var/lib/provision; ls /var/lib/provision/runs/*/')).match(/^ended$/gm)) {
        if (!(await second().sh('ls /var/lib/provision')).includes('holder')) break;
      }
      await sleep(50);
    }
    const apply = await provision('apply', '--yes', '--wait', '30');
    expect(`${apply.code}\n${apply.code === 0 ? '' : apply.stdout}`).toBe('0\n');
    expect((await provision('diff')).code).toBe(0);
    for (const host of hosts) expect(await host.readFile('/etc/vzdump.conf')).toContain('tmpdir: ');
  });
});
