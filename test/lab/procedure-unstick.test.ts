import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runProvision } from './cli.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { describeLab } from './suite.ts';
import { startWorker } from './vzdump-worker.ts';

/** Plays `pct unlock` as it is: fails when there is no lock, takes any lock away, asks nobody. */
const pct = `#!/bin/sh
echo "pct $*" >>/root/calls
f=/etc/pve/lxc/$2.conf
[ "$1" = unlock ] || exit 255
grep -q '^lock:' "$f" || { echo 'no lock found' >&2; exit 255; }
sed -i '/^lock:/d' "$f"
`;

interface Step {
  readonly outcome: string;
  readonly message: string | null;
  readonly about: string;
}

describeLab('vzdump/unstick on a node with a worker that hangs', () => {
  let host: LabHost;
  let site: string;
  const alive = async (pid: number): Promise<boolean> =>
    (await host.exec(['sh', '-c', `grep -qv '^State:.Z' /proc/${pid}/status && kill -0 ${pid}`])).code === 0;
  const locked = (lock: string): Promise<void> =>
    host.writeFile(
      '/etc/pve/lxc/1031.conf',
      `arch: amd64\nhostname: media\n${lock ? `lock: ${lock}\n` : ''}rootfs: local:1031,size=8G\n`,
    );
  const unstick = async (...args: readonly string[]) => {
    const ended = await runProvision(['run', 'vzdump/unstick', '1031', '--format', 'json', ...args], {
      cwd: site,
      limit: 170_000,
    });
    expect(ended.stderr).toBe('');
    const report = JSON.parse(ended.stdout);
    const [run] = report.hosts;
    return {
      code: ended.code,
      found: run.found as string[],
      steps: run.steps as Step[],
      outcomes: run.steps.map((step: Step) => step.outcome) as string[],
      error: run.error as { code: string; message: string; hint: string } | null,
    };
  };

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve2' });
    await host.writeFile('/usr/sbin/pct', pct, '0755');
    site = inventoryFor([host], { hosts: { pve2: { guests: [{ vmid: 1031, type: 'ct', name: 'media' }] } } });
  });
  beforeEach(async () => {
    await host.sh(
      'if [ -s /run/fake-worker ]; then read -r pid upid child </run/fake-worker; kill -KILL "$pid" "$child" 2>/dev/null || :; fi; rm -rf /root/calls /var/log/pve /run/vzdump.pid /run/fake-worker',
    );
    await locked('backup');
  });
  afterAll(stopAll);

  test('a worker that heeds TERM: it cleans up itself, nothing is killed, nothing is unlocked twice', async () => {
    const worker = await startWorker(host, { guest: 1031, polite: true });
    const before = await host.sh('stat -c "%i %Y" /run/vzdump.lock');
    const dry = await unstick('--dry-run');
    expect(dry).toMatchObject({ code: 0, outcomes: ['planned', 'planned', 'planned'], error: null });
    expect(dry.found.join('\n')).toContain(`process ${worker.pid} is a vzdump worker for guest 1031`);
    expect(dry.found.join('\n')).toContain(`the vzdump lock of pve2 is held by process ${worker.pid}`);
    expect(await alive(worker.pid)).toBe(true);
    const run = await unstick('--yes');
    // Its child outlives it: that is what the second step is for.
    expect(run).toMatchObject({ code: 0, outcomes: ['done', 'done', 'already'] });
    expect(await alive(worker.pid)).toBe(false);
    expect((await host.exec(['cat', '/root/calls'])).code).not.toBe(0);
    expect(await host.sh('stat -c "%i %Y" /run/vzdump.lock')).toBe(before);
    const again = await unstick('--yes');
    expect(again).toMatchObject({ code: 0, outcomes: [] });
    expect(again.found.join('\n')).toContain('there is nothing to end');
  }, 180_000);

  test('a deaf worker with a stopped child: KILL after its time, then the guest is unlocked; a look-alike survives', async () => {
    const worker = await startWorker(host, { guest: 1031 });
    // Its title is that of the worker, its number and start time are not; and one that only speaks of it.
    await host
      .sh(
        `perl -e 'fork and exit; open STDOUT, ">", "/dev/null"; open STDERR, ">", "/dev/null"; open my $p, ">", "/run/alike"; print $p $$; close $p; $0 = "task ${worker.upid.replace('@', '\\@')}"; sleep 600'
       setsid sh -c 'echo $$ >/run/speaks; exec tail -f /dev/null "vzdump 1031"' >/dev/null 2>&1 </dev/null &
       sleep 0.5`,
      )
      .catch(() => '');
    const alike = Number(await host.readFile('/run/alike'));
    const run = await unstick('--yes');
    expect(run).toMatchObject({ code: 0, outcomes: ['done', 'done', 'done'] });
    expect(run.steps[0]?.message).toContain('it did not suffice');
    expect(run.found.join('\n')).toContain(`process ${alike} bears the title of a vzdump worker and is none`);
    expect(await alive(worker.pid)).toBe(false);
    expect(await alive(alike)).toBe(true);
    const child = Number((await host.readFile('/run/fake-worker')).trim().split(' ')[2]);
    expect(await alive(child)).toBe(false);
    expect(await host.readFile('/etc/pve/lxc/1031.conf')).not.toContain('lock:');
    expect(await host.readFile('/root/calls')).toBe('pct unlock 1031\n');
    expect(await host.sh('cat /run/vzdump.pid')).toBe(worker.upid);
    await host.sh(`kill ${alike}`);
  }, 180_000);

  test('nothing runs, the lock file and an old pid file lie about: only the unlocking is left', async () => {
    await host.sh(
      'echo -n "UPID:pve2:0000FFF0:00000001:67000000:vzdump::root@pam:" >/run/vzdump.pid; : >/run/vzdump.lock',
    );
    const run = await unstick('--yes');
    expect(run).toMatchObject({ code: 0, outcomes: ['done'] });
    expect(run.found.join('\n')).toContain('which runs no more');
    expect(run.found.join('\n')).toContain('its file exists, which means nothing');
  }, 60_000);

  test('a worker at another guest: the guest stays locked, the worker lives', async () => {
    const worker = await startWorker(host, { guest: null, log: ['INFO: Starting Backup of VM 1034 (lxc)'] });
    const run = await unstick('--yes');
    expect(run).toMatchObject({ code: 5, steps: [], error: { code: 'refused' } });
    expect(run.error?.message).toContain(`process ${worker.pid}`);
    expect(run.error?.message).toContain('at guest 1034');
    expect(await alive(worker.pid)).toBe(true);
    expect(await host.readFile('/etc/pve/lxc/1031.conf')).toContain('lock: backup');
  }, 60_000);

  test('somebody unproven holds the lock: refused', async () => {
    await host.sh(
      'setsid flock -o /run/vzdump.lock sleep 300 >/dev/null 2>&1 </dev/null & echo $! >/run/holder; sleep 0.3',
    );
    const run = await unstick('--yes');
    expect(run).toMatchObject({ code: 5, steps: [], error: { code: 'refused' } });
    expect(run.error?.message).toContain(
      'holds the vzdump lock of pve2 and is no worker that could be proven',
    );
    await host.sh('kill "$(cat /run/holder)"');
    expect(await host.readFile('/etc/pve/lxc/1031.conf')).toContain('lock: backup');
  }, 60_000);

  test('another lock than that of a backup: refused', async () => {
    await locked('migrate');
    const run = await unstick('--yes');
    expect(run).toMatchObject({ code: 5, steps: [] });
    expect(run.error?.message).toContain('locked by "migrate"');
    expect(await host.readFile('/etc/pve/lxc/1031.conf')).toContain('lock: migrate');
  }, 60_000);

  test('a child that hangs in the kernel: nothing is done, the mount is named', async () => {
    await host.sh('mkdir -p /root/store /mnt/pve/store; mount --bind /root/store /mnt/pve/store');
    const worker = await startWorker(host, { guest: 1031, hangsIn: '/mnt/pve/store' });
    const run = await unstick('--yes');
    expect(run).toMatchObject({ code: 5, steps: [] });
    expect(run.error?.message).toContain('hangs in the kernel');
    expect(run.error?.hint).toContain('mend /mnt/pve/store (overlay, overlay) first');
    expect(await alive(worker.pid)).toBe(true);
    expect(run.found.join('\n')).toMatch(
      /\(rsync.*\) hangs in the kernel \(.+\), most likely on \/mnt\/pve\/store/,
    );
    expect(await host.readFile('/etc/pve/lxc/1031.conf')).toContain('lock: backup');
  }, 60_000);
});
