import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type LabHost, stopAll } from './lab.ts';
import {
  addSnapshots,
  pbsHost,
  pbsUnits,
  releaseTasks,
  replaceExport,
  runningTask,
  storeMount,
  unmountStore,
} from './pbs-host.ts';
import { inventoryFor } from './site.ts';
import { checks, converges, mends, tell } from './story.ts';
import { describeLab } from './suite.ts';

const program = '/usr/local/sbin/pbs-health';
const textfile = '/var/lib/prometheus/node-exporter';
const file = `${textfile}/pbs-health.prom`;
const rulesFile = '/etc/pbs-health.rules.yml';
const vars = {
  stores: [{ name: 'main', path: storeMount.path, source: storeMount.source, type: storeMount.type }],
  // The tests say when to look.
  interval: '9999min',
  probe_limit: 2,
  restart_limit: 60,
  groups_limit: 5,
  rules_file: rulesFile,
};

describeLab('the role pbs-health', () => {
  let pbs: LabHost;
  let site: string;
  const write = (more = {}) =>
    inventoryFor([pbs], { roles: ['pbs-health'], vars: { 'pbs-health': { ...vars, ...more } } }, site);
  const apply = async (more = {}) => {
    write(more);
    const told = await tell(site, 'apply', '--yes');
    expect(
      told.changes.every(({ outcome }) => outcome === 'done'),
      told.said,
    ).toBe(true);
  };
  /** Main processes of both daemons. */
  const pids = async () =>
    (await pbs.sh(`systemctl show -p MainPID --value ${pbsUnits.join(' ')}`))
      .split('\n')
      .filter((line) => line !== '');
  /** One look by the service. Answers with its exit code and what the look said. */
  const look = async (unit = 'pbs-health.service') => {
    await pbs.exec(['systemctl', 'reset-failed', unit]);
    await pbs.exec(['systemctl', 'start', unit]);
    const show = (name: string) => pbs.sh(`systemctl show -p ${name} --value ${unit}`);
    const code = Number(await show('ExecMainStatus'));
    const run = (await show('InvocationID')).trim();
    const said = await pbs.sh(`journalctl --sync; journalctl -q -o cat _SYSTEMD_INVOCATION_ID=${run}`);
    return { code, said };
  };
  const metric = async (name: string) => {
    const line = (await pbs.readFile(file)).split('\n').find((one) => one.startsWith(`pbs_health_${name} `));
    return Number(line?.split(' ').at(-1));
  };
  const restarts = async () => {
    let sum = 0;
    for (const reason of ['stale', 'disruption', 'weekly'])
      sum += await metric(`restarts_total{reason="${reason}"}`);
    return sum;
  };
  const usable = async () =>
    (await pbs.exec(['proxmox-backup-debug', 'api', 'get', '/admin/datastore/main/status'])).code === 0;

  beforeAll(async () => {
    pbs = await pbsHost({ datastore: 'main' });
    await pbs.sh(`mkdir -p ${textfile}`);
    site = write();
  });
  beforeEach(async () => {
    await pbs.exec(['systemctl', 'reset-failed', 'pbs-health.service']);
  });
  afterAll(stopAll);

  test('converges, and a look finds all well', async () => {
    await converges(site, { host: pbs, dirs: ['/etc', '/usr/local'] });
    await checks(site);
    await apply({ textfile_dir: textfile });
    expect(await look()).toMatchObject({ code: 0 });
    await checks(site);
    expect(await metric('store_healthy{store="main"}')).toBe(1);
    expect(await metric('stale_handles{store="main"}')).toBe(0);
    expect((await pbs.sh(`stat -c %a ${file}`)).trim()).toBe('644');
  });

  test('the age of the newest finished backup of each group, in each namespace; when the server is silent, none', async () => {
    const day = 86400;
    const first = 1_700_000_000;
    await addSnapshots(pbs, [
      { group: 'vm/109', time: first },
      { group: 'vm/109', time: first + day },
      { group: 'vm/109', time: first + 2 * day, broken: true },
      { group: 'ct/200', time: first, namespace: 'site' },
    ]);
    const forget = () => pbs.sh('rm /var/lib/pbs-health/groups.main');
    const age = (ns: string, group: string) =>
      metric(`group_last_backup_timestamp_seconds{store="main",ns="${ns}",group="${group}"}`);
    await forget();
    expect(await look()).toMatchObject({ code: 0 });
    expect(await metric('groups_known{store="main"}')).toBe(1);
    expect(await metric('groups{store="main"}')).toBe(2);
    expect([await age('', 'vm/109'), await age('site', 'ct/200')]).toEqual([first + day, first]);
    await pbs.writeFile('/usr/local/bin/proxmox-backup-debug', '#!/bin/sh\nexec sleep 90\n', '0755');
    await forget();
    expect(await look()).toMatchObject({ code: 0, said: expect.stringContaining('no answer in 5 s') });
    expect(await metric('groups_known{store="main"}')).toBe(0);
    expect(await age('', 'vm/109')).toBeNaN();
    await pbs.sh('rm /usr/local/bin/proxmox-backup-debug');
    await forget();
  });

  test.each([
    [`file:${rulesFile}`, `sed -i s/48/96/ ${rulesFile}`],
    [`file:${program}`, `chmod 0700 ${program}`],
    [`file:${program}`, `echo '# by hand' >>${program}`],
    ['directory:/var/lib/pbs-health', 'chmod 0755 /var/lib/pbs-health'],
    ['unit:pbs-health.service', 'sed -i s/watch/weekly/ /etc/systemd/system/pbs-health.service'],
    ['unit:pbs-health.timer', 'systemctl --quiet disable --now pbs-health.timer'],
    [
      'unit:pbs-health-weekly.timer',
      'cp /etc/systemd/system/pbs-health.timer /etc/systemd/system/pbs-health-weekly.timer',
    ],
  ])('%s is drift after: %s', async (id, edit) => {
    await mends(site, pbs, edit, id);
  });

  test('the export is made anew behind running daemons: one restart, after which the datastore can be used', async () => {
    const [before, count] = [await pids(), await restarts()];
    expect(await usable()).toBe(true);
    await replaceExport(pbs);
    expect(await usable()).toBe(false);
    await checks(site, { exit: 4, notPassed: ['pbs-health/healthy'] });
    const { code, said } = await look();
    expect({ code, said }).toMatchObject({
      code: 0,
      said: expect.stringContaining('another one lies there now'),
    });
    const after = await pids();
    expect(after.filter((pid) => before.includes(pid) || pid === '0')).toEqual([]);
    expect(await usable()).toBe(true);
    expect(await look()).toMatchObject({ code: 0 });
    expect(await pids()).toEqual(after);
    expect(await restarts()).toBe(count + 1);
    expect(await metric('disruptions_total{store="main"}')).toBeGreaterThan(0);
    expect(await metric('last_restart_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000 - 120);
  });

  test('no restart while a task runs; when it has ended, one', async () => {
    const [before, count] = [await pids(), await restarts()];
    await runningTask(pbs, 'main');
    await replaceExport(pbs);
    expect(await look()).toMatchObject({ code: 4, said: expect.stringContaining('waits for 1 running') });
    expect(await pids()).toEqual(before);
    expect(await metric('restart_due')).toBe(1);
    expect(await metric('tasks_running')).toBe(1);
    // That it waits is no failure of the unit.
    expect((await pbs.exec(['systemctl', 'is-failed', 'pbs-health.service'])).code).not.toBe(0);
    await releaseTasks(pbs);
    await pbs.sh('while grep -q garbage_collection /var/log/proxmox-backup/tasks/active; do sleep 0.1; done');
    expect(await look()).toMatchObject({ code: 0 });
    expect(await restarts()).toBe(count + 1);
    expect(await metric('restart_due')).toBe(0);
    expect(await usable()).toBe(true);
  });

  test('no restart while nothing, or the wrong thing, is mounted; nothing is written there', async () => {
    const { path, source, type } = storeMount;
    await pbs.sh(`rm -rf /root/kept; cp -a ${path} /root/kept`);
    const [before, count] = [await pids(), await restarts()];
    await unmountStore(pbs);
    expect(await look()).toMatchObject({ code: 3, said: expect.stringContaining('nothing is mounted') });
    expect(await metric('store_mounted{store="main"}')).toBe(0);
    expect((await pbs.sh(`ls -A ${path}`)).trim()).toBe('');
    await pbs.sh(`mount -t ${type} 10.10.0.103:/mnt/Taupo/other ${path}; cp -a /root/kept/. ${path}`);
    expect(await look()).toMatchObject({ code: 3, said: expect.stringContaining(`not ${source}`) });
    await pbs.sh(`umount ${path}; mount -t ${type} ${source} ${path}`);
    expect(await look()).toMatchObject({ code: 3, said: expect.stringContaining('.chunks') });
    expect(await pids()).toEqual(before);
    await pbs.sh(`cp -a /root/kept/. ${path}`);
    expect(await look()).toMatchObject({ code: 0 });
    expect(await restarts()).toBe(count + 1);
    expect(await usable()).toBe(true);
  });

  test('no restart while the mount gives no answer', async () => {
    await replaceExport(pbs);
    const before = await pids();
    await pbs.writeFile('/usr/local/bin/stat', '#!/bin/sh\nexec sleep 60\n', '0755');
    const started = Date.now();
    expect(await look()).toMatchObject({ code: 3, said: expect.stringContaining('gave no answer in 2 s') });
    expect(Date.now() - started).toBeLessThan(15_000);
    expect(await metric('store_hangs{store="main"}')).toBe(1);
    expect(await metric('stale_handles{store="main"}')).toBe(-1);
    await checks(site, { exit: 4, notPassed: ['pbs-health/healthy', 'pbs-health/last-look'] });
    expect(await pids()).toEqual(before);
    await pbs.sh('rm /usr/local/bin/stat');
    expect(await look()).toMatchObject({ code: 0 });
    expect(await pids()).not.toEqual(before);
  });

  test('killed in the middle of a restart, the daemons come up, and only once', async () => {
    const dropin = '/etc/systemd/system/proxmox-backup-proxy.service.d/slow.conf';
    await pbs.writeFile(dropin, '[Service]\nExecStartPre=/bin/sleep 4\n');
    await pbs.sh('systemctl daemon-reload');
    await replaceExport(pbs);
    await pbs.sh(`systemctl start --no-block pbs-health.service
until [ -e /var/lib/pbs-health/restarting ] && [ "$(systemctl show -p ActiveState --value proxmox-backup-proxy.service)" = activating ]; do sleep 0.1; done
systemctl kill --kill-who=all -s KILL pbs-health.service`);
    // Of several units, one that is active is enough for is-active.
    for (const unit of pbsUnits)
      await pbs.sh(`until systemctl is-active --quiet ${unit}; do sleep 0.2; done`);
    const after = await pids();
    expect(await look()).toMatchObject({ code: 0 });
    expect(await pids()).toEqual(after);
    expect(await usable()).toBe(true);
    expect((await pbs.sh('ls /var/lib/pbs-health')).includes('restarting')).toBe(false);
    await pbs.sh(`rm ${dropin}; systemctl daemon-reload`);
  });

  test('stopped and not started again by a restart that died: the next look starts them; stopped by a person: left alone', async () => {
    await pbs.sh(`echo stale >/var/lib/pbs-health/restarting; systemctl stop ${pbsUnits.join(' ')}`);
    expect(await look()).toMatchObject({
      code: 0,
      said: expect.stringContaining('interrupted: starting the daemons'),
    });
    expect(await pids()).not.toContain('0');
    await pbs.sh(`systemctl stop ${pbsUnits[1]}`);
    expect(await look()).toMatchObject({ code: 1, said: expect.stringContaining('does not run') });
    expect(await metric(`daemon_up{unit="${pbsUnits[1]}"}`)).toBe(0);
    expect((await pids())[1]).toBe('0');
    await pbs.sh(`systemctl start ${pbsUnits[1]}`);
    expect(await look()).toMatchObject({ code: 0 });
  });

  test('weekly: due at once, done when no task runs; without it the units are gone', async () => {
    await apply({ textfile_dir: textfile, weekly: 'Sun *-*-* 05:00:00' });
    expect((await pbs.sh('systemctl is-enabled pbs-health-weekly.timer')).trim()).toBe('enabled');
    const [before, count] = [await pids(), await restarts()];
    await runningTask(pbs, 'main');
    expect(await look('pbs-health-weekly.service')).toMatchObject({ code: 4 });
    expect(await pids()).toEqual(before);
    await releaseTasks(pbs);
    await pbs.sh('while grep -q garbage_collection /var/log/proxmox-backup/tasks/active; do sleep 0.1; done');
    expect(await look()).toMatchObject({ code: 0 });
    expect(await look()).toMatchObject({ code: 0 });
    expect(await restarts()).toBe(count + 1);
    await apply({ textfile_dir: textfile });
    expect((await pbs.exec(['systemctl', 'cat', 'pbs-health-weekly.timer'])).code).not.toBe(0);
  });

  test('a push beside the file; neither of them there: the restart happens all the same', async () => {
    await pbs.writeFile('/root/gateway.pl', gateway);
    await pbs.sh('setsid perl /root/gateway.pl >/dev/null 2>&1 </dev/null &');
    await apply({ textfile_dir: textfile, push_url: 'http://127.0.0.1:9091' });
    expect(await look()).toMatchObject({ code: 0 });
    const pushed = await pbs.readFile('/root/pushed');
    expect(pushed).toMatch(/^PUT \/metrics\/job\/pbs-health\/instance\/pbs HTTP/);
    expect(pushed.replaceAll('\r\n', '\n').split('\n\n').slice(1).join('\n\n')).toBe(
      await pbs.readFile(file),
    );
    // It takes one push and is gone.
    await pbs.sh(`rm -r ${textfile}`);
    await replaceExport(pbs);
    const before = await pids();
    const { code, said } = await look();
    expect({ code, said }).toMatchObject({
      code: 0,
      said: expect.stringContaining('could not push the metrics'),
    });
    expect(said).toContain(`${textfile} is not there`);
    expect(await pids()).not.toEqual(before);
    expect(await usable()).toBe(true);
  });

  test('the timer does it by itself', async () => {
    await pbs.sh(`mkdir -p ${textfile}`);
    await apply({ textfile_dir: textfile, interval: '1s' });
    const before = await pids();
    await replaceExport(pbs);
    await pbs.sh(
      'for n in $(seq 150); do if proxmox-backup-debug api get /admin/datastore/main/status >/dev/null 2>&1; then exit 0; fi; sleep 0.2; done; exit 1',
    );
    expect(await pids()).not.toEqual(before);
    expect(await restarts()).toBeGreaterThan(0);
  });
});

/** Takes one request, writes it to a file, answers 200 and ends. */
const gateway = `use IO::Socket::INET;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 9091, Listen => 1, ReuseAddr => 1) or die;
my $client = $listener->accept;
close $listener;
my ($head, $length) = ('', 0);
while (my $line = <$client>) { $head .= $line; $length = $1 if $line =~ /^Content-Length: (\\d+)/i; last if $line =~ /^\\r?\\n$/ }
read $client, my $body, $length;
open my $file, '>', '/root/pushed' or die;
print {$file} $head, $body;
close $file;
print {$client} "HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n";
`;
