import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  conf,
  hook,
  hookHost,
  hookSite,
  killedBackup,
  repairAfterBoot,
  service,
  world,
} from './hook-host.ts';
import { type LabHost, stopAll } from './lab.ts';
import { checks, converges, ids, mends, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

const state = '/var/lib/vzdump-hook';
const units = '/etc/systemd/system';
const repair = 'systemctl start vzdump-hook-repair.service';

describeLab('the role vzdump-hook on a node of Proxmox VE', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;

  beforeAll(async () => {
    host = await hookHost();
    watched = { host, dirs: ['/etc', '/usr/local', '/var/lib/vz', '/root'] };
    site = hookSite(host);
  });
  afterAll(stopAll);

  test('converges, all checks green: agent, services, a dry call of every phase', async () => {
    const { diff, apply } = await converges(site, watched);
    // Whatever vzdump.conf names is there before it: a missing script fails every backup of the host.
    const order = ids(diff);
    expect(order.indexOf(`file:${hook}`)).toBeLessThan(order.indexOf(`file:${conf}`));
    expect(order).toEqual(expect.arrayContaining([`directory:${state}`, 'unit:vzdump-hook-repair.timer']));
    const passed = apply.checks.map(({ id }) => id.replace('vzdump-hook/', ''));
    const expected = [
      'agent-111',
      'agent-112',
      'services-111',
      'services-112',
      'phases',
      'hook-effective',
      'storage',
    ];
    expect(passed).toEqual(expect.arrayContaining(expected));
  });

  test.each([
    // Without the x bit every backup of the host fails.
    [`file:${hook}`, `chmod 0644 ${hook}`],
    [`file:${hook}`, `echo '# by hand' >>${hook}`],
    [`file:${hook}`, `chown games ${hook}`],
    [`file:${conf}`, `sed -i /script/d ${conf}`],
    [`directory:${state}`, `chmod 0755 ${state}`],
    ['unit:vzdump-hook-repair.service', `sed -i s/Nice=5/Nice=1/ ${units}/vzdump-hook-repair.service`],
    [
      'unit:vzdump-hook-repair.timer',
      `sed -i s/5min/5h/ ${units}/vzdump-hook-repair.timer; systemctl daemon-reload`,
    ],
    ['unit:vzdump-hook-repair.timer', 'systemctl stop vzdump-hook-repair.timer'],
    ['unit:vzdump-hook-repair.timer', 'systemctl disable vzdump-hook-repair.timer 2>/dev/null'],
  ])('%s is drift after: %s', async (id, edit) => {
    await mends(site, host, edit, id);
  });

  test('a backup: stopped before, started after, and back up in the end', async () => {
    await checks(site);
    const log = await host.sh('vzdump 111 112 --storage pbs-pihanga');
    expect(log.match(/(?<=\] )(Stopping|Starting|Finished).*|Finished Backup.*/g)).toEqual([
      'Stopping influxdb3-core before backup',
      'Starting influxdb3-core after backup',
      'Finished Backup of VM 111',
      'Stopping mariadb before backup',
      'Stopping app before backup',
      'Starting app after backup',
      'Starting mariadb after backup',
      'Finished Backup of VM 112',
    ]);
    expect(log).toContain('INFO: [InfluxDB Hook] Stopping influxdb3-core before backup\n');
    // The point in time: nothing was writing.
    expect(await host.sh(`cat ${world}/backups/111.1/* ${world}/backups/112.1/*`)).toBe('inactive'.repeat(3));
    expect(await service(host, 'influxdb3-core')).toBe('active');
    expect(await service(host, 'mariadb', 112)).toBe('active');
    await checks(site);
  });

  test('vzdump killed in the copy: the checks say so, the repair brings the service up', async () => {
    await killedBackup(host);
    expect(await service(host, 'influxdb3-core')).toBe('inactive');
    const down = ['vzdump-hook/nothing-left-stopped', 'vzdump-hook/services-111'];
    const told = await checks(site, { exit: 4, notPassed: down });
    // The check tells what is down, not only that something is.
    expect(told.said).toContain('influxdb3-core is inactive');
    // While a vzdump is at work nobody knows, and nobody may start it.
    await host.sh(
      'setsid flock /run/vzdump.lock sleep 60 >/dev/null 2>&1 & until ! flock -n /run/vzdump.lock true; do sleep 0.1; done',
    );
    await checks(site, { exit: 8, notPassed: down });
    await host.sh(repair);
    expect(await service(host, 'influxdb3-core')).toBe('inactive');
    await host.sh(
      'kill "$(pgrep -x -f "sleep 60")"; until flock -n /run/vzdump.lock true; do sleep 0.1; done',
    );
    await host.sh(repair);
    expect(await service(host, 'influxdb3-core')).toBe('active');
    await checks(site);
  });

  test('the power goes in the copy: after boot the timer repairs', async () => {
    await killedBackup(host);
    await repairAfterBoot(host, '1s');
    await host.crash();
    expect((await host.exec(['true'])).code).not.toBe(0);
    await host.start();
    await host.sh(
      `n=0; until grep -q '^active' ${world}/guests/111/services/influxdb3-core; do n=$((n + 1)); [ $n -lt 200 ]; sleep 0.1; done`,
    );
    await host.sh(
      'until [ "$(systemctl is-active vzdump-hook-repair.service)" = inactive ]; do sleep 0.1; done',
    );
    await checks(site);
  });

  test('a backup server that is away is seen, though pvesm ends with 0', async () => {
    await host.sh(`sed -i 's/ active / inactive /' ${world}/storages`);
    await checks(site, { exit: 4, notPassed: ['vzdump-hook/storage'] });
    await host.sh(`sed -i 's/ inactive / active /' ${world}/storages`);
  });
});
