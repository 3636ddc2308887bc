import { afterAll, beforeAll, expect, test } from 'vitest';
import { conf, data, hook, hookHost, hookSite, killedBackup, service, world } from './hook-host.ts';
import { type LabHost, stopAll } from './lab.ts';
import { changedBy, checks, ids, type Told, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

const state = '/var/lib/vzdump-hook';
const lock = 'setsid flock /run/vzdump.lock';
const wal = `${world}/guests/111/root${data}/wal`;

describeLab('procedures of the role vzdump-hook', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;
  const steps = (told: Told) => told.hosts.flatMap((one) => one.steps.map(({ outcome }) => outcome));
  const recover = (guest: number, how: string) =>
    tell(site, 'run', 'vzdump-hook/recover-wal', '--set', `guest=${guest}`, how);

  beforeAll(async () => {
    host = await hookHost();
    watched = { host, dirs: ['/etc', '/usr/local', state, world], ignore: [`${world}/calls`] };
    site = hookSite(host);
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
  });
  afterAll(stopAll);

  test('a guest without its agent: a failure where it is the question, unknown where it is only in the way', async () => {
    await host.sh(`: >${world}/guests/111/faults/agent-absent`);
    const of111 = ['agent', 'services', 'wal', 'catalog', 'journal'].map((name) => `vzdump-hook/${name}-111`);
    const told = await checks(site, { exit: 4, notPassed: of111 });
    expect(told.checks.filter(({ outcome }) => outcome === 'fail').map(({ id }) => id)).toEqual([
      'vzdump-hook/agent-111',
    ]);
    expect(told.said).toContain('QEMU guest agent is not running');
    await host.sh(`rm ${world}/guests/111/faults/agent-absent`);
    await checks(site);
  });

  test('recover-wal of a database that does not start: a dry run touches nothing', async () => {
    await host.sh(
      `cd ${wal}; : >00000000002.wal; : >00000000003.wal; printf failed >${world}/guests/111/services/influxdb3-core`,
    );
    const down = ['vzdump-hook/services-111', 'vzdump-hook/wal-111'];
    const told = await checks(site, { exit: 4, notPassed: down });
    expect(told.said).toContain(`zero bytes: ${data}/wal/00000000003.wal`);
    const touched = await changedBy(watched, async () => {
      const dry = await recover(111, '--dry-run');
      expect(dry.exit, dry.said).toBe(0);
      expect(steps(dry), dry.said).toEqual(['already', 'planned', 'planned', 'planned', 'planned']);
    });
    expect(touched).toEqual([]);
  });

  test('recover-wal moves the empty files aside, with a manifest, and watches whether the database stays up', async () => {
    const from = Date.now();
    const run = await recover(111, '--yes');
    expect(run.exit, run.said).toBe(0);
    expect(steps(run), run.said).toEqual(['already', 'done', 'done', 'done', 'done']);
    expect(run.said).toContain('influxdb3-core stayed up for 10 s');
    expect(Date.now() - from).toBeGreaterThan(10_000);
    expect(await host.sh(`ls ${wal}`)).toBe('00000000001.wal\n');
    // Moved, never deleted.
    expect(
      await host.sh(`cd ${wal}/../..; ls node0.quarantine-*; cut -f 1,2 node0.quarantine-*/MANIFEST`),
    ).toBe(
      '00000000002.wal\n00000000003.wal\nMANIFEST\nwal/00000000002.wal\t0 bytes\nwal/00000000003.wal\t0 bytes\n',
    );
    await checks(site);
  });

  test('recover-wal of a guest without data_dir, and of one that is not configured: said, nothing touched', async () => {
    const touched = await changedBy({ ...watched, dirs: ['/etc', world] }, async () => {
      const without = await recover(112, '--yes');
      expect(without.exit, without.said).toBe(4);
      expect(without.said).toContain('[Db two Hook] 112: no data_dir is configured');
      const foreign = await recover(999, '--yes');
      expect(foreign.exit, foreign.said).toBe(4);
      expect(foreign.said).toContain('999: is not configured here; these are: 111 112');
    });
    expect(touched).toEqual([]);
  });

  test('rollback: out of vzdump, all else in its file as it was, services up, timer off', async () => {
    await killedBackup(host);
    const before = await host.readFile(conf);
    const touched = await changedBy(watched, async () => {
      const dry = await tell(site, 'run', 'vzdump-hook/rollback', '--dry-run');
      expect(dry.exit, dry.said).toBe(0);
      expect(steps(dry), dry.said).toEqual(['planned', 'planned', 'planned']);
    });
    expect(touched).toEqual([]);
    // Not while a backup is at work.
    await host.sh(
      `${lock} sleep 60 >/dev/null 2>&1 & until ! flock -n /run/vzdump.lock true; do sleep 0.1; done`,
    );
    const busy = await tell(site, 'run', 'vzdump-hook/rollback', '--yes');
    expect(busy.exit, busy.said).toBe(4);
    expect(busy.said).toContain('vzdump: is at work');
    expect(await host.readFile(conf)).toBe(before);
    await host.sh(
      'kill "$(pgrep -x -f "sleep 60")"; until flock -n /run/vzdump.lock true; do sleep 0.1; done',
    );

    const run = await tell(site, 'run', 'vzdump-hook/rollback', '--yes');
    expect(run.exit, run.said).toBe(0);
    expect(steps(run)).toEqual(['done', 'done', 'done']);
    expect(await host.readFile(conf)).toBe(before.replace(`script: ${hook}\n`, ''));
    expect(await host.sh(`cat ${state}/vzdump.conf.*`)).toBe(before);
    expect(await service(host, 'influxdb3-core')).toBe('active');
    expect((await host.exec(['systemctl', 'is-enabled', 'vzdump-hook-repair.timer'])).stdout).toBe(
      'disabled\n',
    );
    // The repository still asks for it.
    const diff = await tell(site, 'diff');
    expect(ids(diff), diff.said).toEqual([`file:${conf}`, 'unit:vzdump-hook-repair.timer']);
    const again = await tell(site, 'run', 'vzdump-hook/rollback', '--yes');
    expect(steps(again), again.said).toEqual(['already', 'already', 'already']);
  });
});
