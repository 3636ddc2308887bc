import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pbsDatastore } from '../../src/resources/pbs-datastore.ts';
import { type LabHost, stopAll } from './lab.ts';
import {
  mountStore,
  pbsHost,
  pbsUnits,
  pbsWorld,
  replaceExport,
  storeMount,
  unmountStore,
} from './pbs-host.ts';
import { inventoryFor } from './site.ts';
import { changedBy, checks, converges, ids, mends, outcomes, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

/** The role as it is, except that a file system in memory may play the mount of a NAS. */
const role = readFileSync(new URL('../../roles/pbs/role.yaml', import.meta.url), 'utf8').replace(
  'enum: [nfs, ',
  'enum: [tmpfs, nfs, ',
);
const etc = '/etc/proxmox-backup';
const gate = '/usr/local/sbin/pbs-stores-present';
const main = {
  name: 'main',
  path: storeMount.path,
  mount: storeMount,
  comment: 'on the NAS',
  verify_new: true,
};
const vars = {
  datastores: [main],
  jobs: [
    { id: 'main', kind: 'gc', schedule: 'daily' },
    { id: 'daily-prune', kind: 'prune', store: 'main', schedule: '04:00', keep_daily: 7, keep_weekly: 4 },
    { id: 'weekly', kind: 'verify', store: 'main', schedule: 'sat 18:15', outdated_after: 30 },
    {
      id: 'offsite',
      kind: 'sync',
      store: 'main',
      remote: 'nas',
      remote_store: 'copy',
      group_filter: ['type:vm', 'group:ct/100'],
    },
  ],
  users: [
    {
      user: 'pve@pbs',
      comment: "it's the nodes",
      tokens: [{ name: 'ruapehu', comment: 'node' }],
      acl: [
        { path: '/datastore/main', role: 'DatastoreBackup' },
        { path: '/datastore/main', role: 'DatastoreBackup', token: 'ruapehu' },
      ],
    },
  ],
};
const all = [
  `file:${gate}`,
  ...pbsUnits.map((unit) => `unit:${unit}`),
  'pbs_datastore:main',
  'pbs_job:gc/main',
  'pbs_job:prune/daily-prune',
  'pbs_job:verify/weekly',
  'pbs_job:sync/offsite',
  'pbs_user:pve@pbs',
];

describeLab('the role pbs', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;
  let told = '';
  const write = (more: Readonly<Record<string, unknown>> = {}) =>
    inventoryFor(
      [host],
      { roles: ['pbs'], vars: { pbs: { ...vars, ...more } }, files: { 'roles/pbs/role.yaml': role } },
      site,
    );

  beforeAll(async () => {
    host = await pbsHost();
    // Tasks and calls of its own accord: the question whether the store can be used is none of the watched.
    watched = { host, dirs: [etc, '/etc/systemd', '/etc/provision', '/mnt', '/root', '/usr/local'] };
    await host.sh('mkdir -p /etc/provision; printf "user: root@pam\\n\\n" >/etc/proxmox-backup/user.cfg');
    await host.sh(`chown root:backup ${etc}/user.cfg`);
    site = write();
  });
  afterAll(stopAll);

  test('nothing is made while the mount is missing, and the root disk stays as it was', async () => {
    await unmountStore(host);
    const touched = await changedBy({ host, dirs: ['/mnt', etc] }, async () => {
      const apply = await tell(site, 'apply', '--yes');
      expect(apply.exit, apply.said).not.toBe(0);
      const store = apply.changes.find(({ id }) => id === 'pbs_datastore:main');
      expect(store?.outcome).toBe('refused');
      expect(store?.message).toContain(
        `nothing is mounted at ${storeMount.path}: PBS would write to the disk`,
      );
    });
    expect(touched).toEqual([]);
    await mountStore(host, '10.10.0.104:/mnt/other');
    const other = await tell(site, 'diff');
    expect(other.said).toContain('10.10.0.104:/mnt/other (tmpfs) is mounted at');
    await unmountStore(host);
    await mountStore(host);
    await host.sh(`rm -rf ${gate} /etc/systemd/system/*.d; systemctl daemon-reload`);
  });

  test("converges; the datastore is the server's own; running services are not restarted", async () => {
    const pids = () => host.sh(`systemctl show -p MainPID ${pbsUnits.join(' ')}`);
    const before = await pids();
    const { diff, apply } = await converges(site, watched);
    expect(ids(diff)).toEqual(all);
    expect(await pids()).toBe(before);
    expect(await host.sh(`stat -c '%U %a' ${storeMount.path}/.chunks`)).toBe('backup 750\n');
    expect(await host.sh(`cat ${etc}/acl.cfg`)).toBe(
      'acl:1:/datastore/main:pve@pbs,pve@pbs!ruapehu:DatastoreBackup\n',
    );
    told = apply.said;
    await checks(site);
  });

  test('the secret of a new token is in its file, and in nothing that was said or is kept', async () => {
    const secret = await host.readFile('/etc/provision/tokens/pve@pbs!ruapehu');
    expect(secret).toMatch(/^[0-9a-f-]{36}$/);
    expect(await host.sh('stat -c "%U %a" /etc/provision/tokens /etc/provision/tokens/*')).toBe(
      'root 700\nroot 600\n',
    );
    expect(told).not.toContain(secret);
    const found = await host.exec([
      'grep',
      '-rlF',
      secret,
      '/var/lib/provision',
      '/etc',
      '/tmp',
      '/run',
      '/root',
    ]);
    expect(found.stdout).toBe('/etc/provision/tokens/pve@pbs!ruapehu\n');
  });

  // A change that comes after others of its run is not looked at again before: its own step has to.
  test('the step itself stops where the mount is gone, is another one, or a datastore has come', async () => {
    const spec = {
      pbs_datastore: 'second',
      path: '/mnt/second',
      mount: { ...storeMount, path: '/mnt/second' },
    };
    const context = { host: 'pbs', platform: 'pbs', live: true } as const;
    const want = pbsDatastore.want(spec, context);
    const [step] = pbsDatastore.steps({ spec, have: null, want, differs: [], context });
    const run = () => host.exec(['/bin/sh', '-eu'], { input: `say() { echo "$*"; }\n${step?.run.text}` });
    await host.sh('mkdir -p /mnt/second');
    const mount = (source: string) => host.sh(`mount -t tmpfs -o mode=0755 ${source} /mnt/second`);
    const stopped = async (why: string) => {
      const ended = await run();
      expect(ended.code, ended.stdout).toBe(1);
      expect(ended.stdout).toContain(why);
      expect(await host.readFile(`${etc}/datastore.cfg`)).not.toContain('second');
    };
    await stopped(`${storeMount.source} is not mounted at /mnt/second (any more); nothing was made`);
    expect(await host.sh('ls -A /mnt/second')).toBe('');
    await mount('10.10.0.104:/mnt/other');
    await stopped('is not mounted at /mnt/second (any more)');
    await host.sh('umount /mnt/second');
    await mount(storeMount.source);
    await host.sh('mkdir /mnt/second/.chunks');
    await stopped('in /mnt/second are by now: chunks; nothing was made');
    await host.sh('rmdir /mnt/second/.chunks');
    const made = await run();
    expect(made.code, made.stdout + made.stderr).toBe(0);
    await host.sh(`proxmox-backup-manager datastore remove second; systemctl restart ${pbsUnits.join(' ')}
umount /mnt/second; rmdir /mnt/second`);
  });

  const update = 'proxmox-backup-manager datastore update main';
  test.each([
    ['pbs_datastore:main', `${update} --comment other --verify-new false`],
    ['pbs_datastore:main', `${update} --delete comment`],
    ['pbs_datastore:main', `chmod 0600 ${etc}/datastore.cfg; chown root:root ${etc}/datastore.cfg`],
    ['pbs_job:gc/main', `${update} --delete gc-schedule`],
    ['pbs_job:gc/main', `${update} --gc-schedule 22`],
    ['pbs_job:prune/daily-prune', 'proxmox-backup-manager prune-job update daily-prune --keep-daily 1'],
    [
      'pbs_job:prune/daily-prune',
      'proxmox-backup-manager prune-job update daily-prune --disable true --max-depth 0',
    ],
    ['pbs_job:prune/daily-prune', 'proxmox-backup-manager prune-job remove daily-prune'],
    ['pbs_job:verify/weekly', 'proxmox-backup-manager verify-job update weekly --delete schedule'],
    ['pbs_job:verify/weekly', 'proxmox-backup-manager verify-job update weekly --ignore-verified no'],
    ['pbs_job:sync/offsite', 'proxmox-backup-manager sync-job update offsite --group-filter type:host'],
    ['pbs_job:sync/offsite', 'proxmox-backup-manager sync-job update offsite --remove-vanished true'],
    ['pbs_user:pve@pbs', 'proxmox-backup-manager user update pve@pbs --enable false --comment x'],
    ['pbs_user:pve@pbs', 'proxmox-backup-debug api set /access/users/pve@pbs/token/ruapehu --enable false'],
    [
      'pbs_user:pve@pbs',
      "proxmox-backup-manager acl update /datastore/main DatastoreBackup --auth-id 'pve@pbs!ruapehu' --delete",
    ],
    [
      'pbs_user:pve@pbs',
      'proxmox-backup-manager acl update /datastore/main DatastoreBackup --auth-id pve@pbs --propagate 0',
    ],
    [
      'unit:proxmox-backup-proxy.service',
      'rm -r /etc/systemd/system/proxmox-backup-proxy.service.d; systemctl daemon-reload',
    ],
    [`file:${gate}`, `sed -i '$d' ${gate}`],
  ])('%s is drift after: %s', async (id, edit) => {
    await mends(site, host, edit, id);
  });

  test('what means the same is no drift; what is not in the inventory stays', async () => {
    await host.sh(`sed -i 's/schedule 04:00/schedule 4:0/; s/\\tkeep-daily 7/    keep-daily 7/' ${etc}/prune.cfg
proxmox-backup-manager prune-job create by-hand --store main --schedule monthly --keep-yearly 9
proxmox-backup-manager user create somebody@pbs
proxmox-backup-manager user generate-token pve@pbs other >/dev/null
proxmox-backup-manager acl update / Audit --auth-id somebody@pbs`);
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(0);
  });

  test('a job goes when the inventory says so, and only then', async () => {
    write({ jobs: vars.jobs.slice(0, 2).map(({ id, kind }) => ({ id, kind, state: 'absent' })) });
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    expect(ids(apply)).toEqual(['pbs_job:gc/main', 'pbs_job:prune/daily-prune']);
    expect(await host.sh(`cat ${etc}/prune.cfg ${etc}/datastore.cfg`)).not.toMatch(/daily-prune|gc-schedule/);
    expect(await host.readFile(`${etc}/verification.cfg`)).toContain('weekly');
    expect((await tell(site, 'diff')).exit).toBe(0);
    write();
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test.each([
    [
      'datastore',
      '# moved in May',
      'all datastores are unavailable',
      ['pbs_datastore:main', 'pbs_job:gc/main'],
    ],
    [
      'prune',
      'prune: other\n\tstore main\n\tschedule daily\n\tkeep-daily 0',
      'no prune job runs',
      ['pbs_job:prune/daily-prune'],
    ],
    ['acl', '# by hand', 'nobody has any permission', ['pbs_user:pve@pbs']],
  ])('a bad line in %s.cfg makes all of it unknown, with its line', async (file, line, means, unknown) => {
    const path = `${etc}/${file}.cfg`;
    const before = await host.readFile(path);
    await host.sh(`printf '%s\\n' "${line}" >>${path}`);
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(8);
    const told = diff.hosts.flatMap((one) => one.unknown);
    expect(told.map(({ id }) => id)).toEqual(expect.arrayContaining(unknown));
    expect(told[0]?.reason).toMatch(new RegExp(`^${path} line \\d+: .*${means}$`));
    await host.writeFile(path, before, '0640', 'root:backup');
    expect((await tell(site, 'diff')).exit).toBe(0);
  });

  test('a path is never changed; a store that is gone is never made anew', async () => {
    write({ datastores: [{ ...main, path: `${storeMount.path}/sub` }] });
    expect((await tell(site, 'diff')).said).toContain('a path is never changed');
    write();
    await host.sh(`mv ${storeMount.path}/.chunks /root/chunks`);
    const touched = await changedBy({ host, dirs: ['/mnt', etc] }, async () => {
      const apply = await tell(site, 'apply', '--yes');
      expect(apply.exit, apply.said).toBe(5);
      expect(apply.said).toContain('a store is never made anew over that name');
    });
    expect(touched).toEqual([]);
    await host.sh(`mv /root/chunks ${storeMount.path}/.chunks`);
    expect((await tell(site, 'diff')).exit).toBe(0);
  });

  test('a server that was installed anew attaches its store, from 3.3 on; before, the message says what to write', async () => {
    await host.sh(`printf 'keep me' >${storeMount.path}/.chunks/0000/chunk; rm ${etc}/datastore.cfg ${etc}/prune.cfg
chown backup:backup ${storeMount.path}/.chunks/0000/chunk`);
    expect((await tell(site, 'diff')).said).toContain('`reuse: true` attaches it with its backups');
    write({ datastores: [{ ...main, reuse: true }] });
    const old = await tell(site, 'apply', '--yes');
    expect(old.exit, old.said).toBe(5);
    const [, command] = /run this again: (printf .*?datastore\.cfg)$/m.exec(old.said) ?? [];
    expect(command).toBeDefined();
    await host.sh(`echo 3.3.2 >${pbsWorld}/version`);
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    // By hand it is the same.
    const attached = await host.readFile(`${etc}/datastore.cfg`);
    await host.sh(`rm ${etc}/datastore.cfg; echo 3.2.7 >${pbsWorld}/version; ${command}`);
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
    expect(await host.readFile(`${etc}/datastore.cfg`)).toBe(attached);
    expect(await host.readFile(`${storeMount.path}/.chunks/0000/chunk`)).toBe('keep me');
    write();
    expect((await tell(site, 'diff')).exit).toBe(0);
  });

  test('after a disruption the running server cannot use its store, and the check says so', async () => {
    await replaceExport(host);
    const told = await tell(site, 'check');
    expect(told.exit, told.said).toBe(4);
    // Other checks that ask the same server see it too.
    expect(outcomes(told), told.said).toMatchObject({
      'pbs/stores-present': 'pass',
      'pbs/store-main': 'pass',
      'pbs/store-usable-main': 'fail',
    });
    expect(told.said).toContain('unable to open chunk store at');
    await host.sh(`systemctl restart ${pbsUnits.join(' ')}`);
    await checks(site);
  });

  test('services do not start without the mount, nor on another one, nor on an empty one; they come back with it', async () => {
    const units = pbsUnits.join(' ');
    const proxy = pbsUnits[1];
    const active = () => host.exec(['systemctl', 'is-active', proxy]).then(({ stdout }) => stdout.trim());
    const refused = async (why: string) => {
      expect((await host.exec(['systemctl', 'restart', ...pbsUnits])).code).not.toBe(0);
      expect(await active()).not.toBe('active');
      expect((await host.exec([gate])).stderr).toContain(why);
    };
    // It is half a minute otherwise.
    const soon = '/etc/systemd/system/proxmox-backup-proxy.service.d/20-lab.conf';
    await host.writeFile(soon, '[Service]\nRestartSec=3\n');
    await host.sh('systemctl daemon-reload');
    await host.sh(`systemctl stop ${units}; cp -a ${storeMount.path} /root/kept; umount ${storeMount.path}`);
    await refused(`nothing is mounted at ${storeMount.path}`);
    expect(await host.sh(`ls -A ${storeMount.path}`)).toBe('');
    const told = await tell(site, 'check');
    expect(outcomes(told), told.said).toMatchObject({
      'pbs/stores-present': 'fail',
      'pbs/store-main': 'fail',
      'pbs/store-usable-main': 'fail',
    });
    expect(told.said).toContain('nothing is mounted at');
    // A datastore that is offline is not touched by the server: for that one nothing needs to be mounted.
    await host.sh('proxmox-backup-manager datastore update main --maintenance-mode offline');
    expect((await host.exec([gate])).code).toBe(0);
    await host.sh('proxmox-backup-manager datastore update main --delete maintenance-mode');
    await mountStore(host, '10.10.0.104:/mnt/other');
    await refused(`at ${storeMount.path} is tmpfs 10.10.0.104:/mnt/other`);
    await host.sh(`umount ${storeMount.path}`);
    await mountStore(host);
    await refused(`${storeMount.path} holds no .chunks, and PBS knows main there`);
    await host.sh(`cp -a /root/kept/. ${storeMount.path}`);
    // Nobody starts them: systemd tries again.
    await expect.poll(active, { timeout: 45_000, interval: 1000 }).toBe('active');
    await checks(site);
  });
});
