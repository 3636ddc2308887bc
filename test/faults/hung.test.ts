import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { describeLab } from '../lab/suite.ts';
import { hostsOf, pidOf, provision, siteWith, told, until } from './fixture.ts';

/**
 * A FUSE file system whose daemon never answers, not even the first question: everything that touches it waits, as on a dead
 * server. Mounted from this machine, because no container may open /dev/fuse.
 */
async function hang(host: LabHost, point: string): Promise<ChildProcess> {
  await host.sh(`mkdir -p ${point}`);
  const script = `exec 3<>/dev/fuse
nsenter --target ${await pidOf(host)} --mount -- mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0,allow_other dead.lan:/export ${point}
exec sleep 300`;
  const daemon = spawn('sh', ['-euc', script], { stdio: 'ignore' });
  await until(host, `grep -q ' ${point} ' /proc/self/mountinfo`);
  return daemon;
}

describeLab('F16 a mount that hangs', () => {
  let host: LabHost;
  let daemon: ChildProcess;
  const role = {
    checks: [
      { id: 'dead', about: 'The share answers.', mount_health: '/mnt/dead', limit: 3 },
      { id: 'etc', about: 'There is /etc.', path: '/etc' },
    ],
  };
  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    daemon = await hang(host, '/mnt/dead');
  });
  afterAll(async () => {
    // The end of its daemon lets everyone go who waits for the mount.
    daemon.kill('SIGKILL');
    await stopAll();
  });

  test('the mount is really one that hangs', async () => {
    const stuck = await host.exec(['timeout', '-k', '1', '2', 'stat', '/mnt/dead/x']);
    expect([124, 137]).toContain(stuck.code);
  });

  test('diff: what lies below it is unknown after its limit, everything else is as always, exit 8', async () => {
    const cwd = siteWith(
      [host],
      [
        { file: '/mnt/dead/file', content: 'x\n' },
        ...Array.from({ length: 9 }, (_, at) => ({ file: `/mnt/dead/${at}`, content: 'x\n' })),
        { directory: '/mnt/dead' },
        { line: '/mnt/dead/lines', key: 'a', value: 'b' },
        { file: '/etc/faults', content: 'x\n' },
      ],
    );
    const diff = await provision(cwd, ['diff', '--format', 'json']);
    expect(diff.code, diff.stderr).toBe(8);
    // The three types wait once, together.
    expect(diff.milliseconds).toBeLessThan(10_000);
    const [found] = JSON.parse(diff.stdout).hosts as { unknown: { id: string; reason: string }[] }[];
    expect(found?.unknown.length).toBe(12);
    for (const { id, reason } of found?.unknown ?? [])
      if (!id.startsWith('line:')) expect(reason, id).toContain('no answer in 5 s');
    expect(hostsOf(diff.stdout)[0]?.changes.map(({ id }) => id)).toEqual(['file:/etc/faults']);
  });

  test('apply does what can be done, and says what could not be looked at', async () => {
    const cwd = siteWith(
      [host],
      [
        { file: '/mnt/dead/file', content: 'x\n' },
        { file: '/etc/faults', content: 'x\n' },
      ],
    );
    const applied = await provision(cwd, ['apply', '--yes']);
    expect(told(applied)).toContain('exit 8');
    expect(await host.readFile('/etc/faults')).toBe('x\n');
    expect(applied.milliseconds).toBeLessThan(20_000);
  });

  test('check: no answer is unknown, never fine', async () => {
    const cwd = siteWith([host], [], { role });
    const checked = await provision(cwd, ['check', '--format', 'json']);
    expect(checked.code, checked.stderr).toBe(8);
    expect(checked.milliseconds).toBeLessThan(8000);
    expect(JSON.parse(checked.stdout).hosts[0].checks).toMatchObject([
      { outcome: 'unknown', message: expect.stringContaining('no answer in 3 s') },
      { outcome: 'pass' },
    ]);
  });

  test('checks that need it wait for it once, together: its limit is spent by the first, whatever limits the others have', async () => {
    const need = (path: string) => ({ behind: [path], run: ['ls', path], expect: { exit: 0 }, limit: 30 });
    const checks = [
      { id: 'one', about: 'It can be listed.', ...need('/mnt/dead') },
      { id: 'two', about: 'What is in it can be listed.', ...need('/mnt/dead/x') },
      { id: 'other', about: 'Another place can.', ...need('/etc') },
      { id: 'dead', about: 'The share answers.', mount_health: '/mnt/dead', limit: 3 },
    ];
    const cwd = siteWith([host], [], { role: { checks } });
    const checked = await provision(cwd, ['check', '--format', 'json']);
    expect(checked.milliseconds).toBeLessThan(8000);
    expect(JSON.parse(checked.stdout).hosts[0].checks).toMatchObject([
      { outcome: 'unknown', message: 'not run: the mount that /mnt/dead lies on hangs' },
      { outcome: 'unknown', message: 'not run: the mount that /mnt/dead/x lies on hangs' },
      { outcome: 'pass' },
      { outcome: 'unknown', message: expect.stringContaining('no answer in 3 s') },
    ]);
    // Where nobody looks at the mount itself, the first that needs it finds out.
    const alone = siteWith([host], [], { role: { checks: checks.slice(0, 3) } });
    const asked = await provision(alone, ['check', '--format', 'json']);
    expect(asked.milliseconds).toBeLessThan(10_000);
    expect(
      JSON.parse(asked.stdout).hosts[0].checks.map(({ outcome }: { outcome: string }) => outcome),
    ).toEqual(['unknown', 'unknown', 'pass']);
  });

  test('the host itself answers at once when nothing is asked about the mount', async () => {
    const cwd = siteWith([host], [{ file: '/etc/faults', content: 'y\n' }]);
    const applied = await provision(cwd, ['apply', '--yes']);
    expect(told(applied)).toContain('exit 0');
    expect(applied.milliseconds).toBeLessThan(5000);
  });

  test('nothing of ours is left waiting on the mount', async () => {
    await until(host, `! ps -eo args | grep -v grep | grep -q /mnt/dead`, 10);
  });
});
