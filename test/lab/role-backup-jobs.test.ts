import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProvision } from './cli.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { type Pmxcfs, startPmxcfs } from './pmxcfs.ts';
import { inventoryFor } from './site.ts';
import { checks, converges, ids, mends, outcomes, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

const jobs = '/etc/pve/jobs.cfg';
const container = '/etc/pve/nodes/pve2/lxc/1031.conf';
const machine = '/etc/pve/nodes/pve2/qemu-server/111.conf';

const docker = `arch: amd64
hostname: docker
mp0: /mnt/Main,mp=/mnt/Main
mp1: local-lvm:vm-1031-disk-1,mp=/srv/data,size=32G
rootfs: local-lvm:vm-1031-disk-0,size=16G

[vzdump]
lock: snapshot
mp1: local-lvm:vm-1031-disk-1,mp=/srv/data,size=32G
`;
const influx = 'agent: 0,fstrim_cloned_disks=1\nname: influxdb\nscsi0: local-lvm:vm-111-disk-0,size=32G\n';
/** What a person made on the host, with a comment, which no change through the API keeps. */
const byHand =
  '# weekly, by hand\nvzdump: by-hand\n\tschedule sun 04:00\n\tall 1\n\tfleecing enabled=1,storage=local-lvm\n\tstorage local\n\n';

const users = (mail: string) =>
  `user:backup@pbs:1:0:::other@box.lan::\nuser:root@pam:1:0:::${mail}::\nacl:1:/:root@pam:Administrator:\n`;

const hook = 'gotify: hook\n\tserver http://push.lan\n';
const gotify = (target: string) => `${target}\nmatcher: all\n\tmode all\n\ttarget hook\n`;

const media = 'pve_backup_job:pve2-truenas-bu-busy-media';
const statics = 'pve_backup_job:pve2-local-static';
const database = 'pve_backup_job:pve2-pbs-pihanga-database';

describeLab('the role backup-jobs on a node of Proxmox VE', () => {
  let host: LabHost;
  let pmxcfs: Pmxcfs;
  let watched: Watched;
  let site: string;
  const guests = [
    { vmid: 1034, type: 'ct', name: 'plex', class: 'busy-media', storage: 'truenas-bu' },
    {
      vmid: 1031,
      type: 'ct',
      name: 'docker',
      class: 'busy-media',
      storage: 'truenas-bu',
      mount_points: [
        { id: 'mp0', path: '/mnt/Main', bind: true },
        { id: 'mp1', path: '/srv/data', backup: true },
      ],
    },
    { vmid: 1008, type: 'ct', name: 'static', storage: 'local' },
    { vmid: 111, type: 'vm', name: 'influxdb', class: 'database', storage: 'pbs-pihanga' },
    { vmid: 9001, type: 'vm', name: 'scratch', excluded: 'made anew within minutes' },
  ];
  const policy = {
    'busy-media': {
      schedule: '03:30',
      prune_backups: { 'keep-last': 2, 'keep-weekly': 4 },
      compress: 'zstd',
    },
    database: { fleecing: 'local-lvm' },
  };
  const write = (more: Readonly<Record<string, unknown>> = {}, all: readonly unknown[] = guests) =>
    inventoryFor(
      [host],
      {
        roles: ['backup-jobs'],
        vars: { 'backup-jobs': { policy: { ...policy, ...more } } },
        hosts: { pve2: { guests: all } },
      },
      site,
    );
  const section = async (id: string): Promise<string> =>
    new RegExp(`^vzdump: ${id}\\n(?:.+\\n)*`, 'm').exec(await host.readFile(jobs))?.[0] ?? 'not there';
  /** An edit that pmxcfs takes: sed -i would want to keep the mode, and rename from beside. */
  const edit = (file: string, program: string) =>
    `sed '${program}' ${file} >/tmp/edited && cat /tmp/edited >${file}`;

  const put = (file: string, text: string) => host.writeFile(file, text, '0640', 'root:www-data');

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve2' });
    pmxcfs = await startPmxcfs(host);
    watched = { host, dirs: ['/etc/pve', '/root', '/usr/local'] };
    await put(jobs, byHand);
    await put(container, docker);
    await put(machine, influx);
    await put(
      '/etc/pve/nodes/pve2/lxc/1034.conf',
      'hostname: plex\nrootfs: local-lvm:vm-1034-disk-0,size=8G\n',
    );
    await put(
      '/etc/pve/nodes/pve2/lxc/1008.conf',
      'hostname: static\nrootfs: local:1008/vm-1008-disk-0.raw,size=8G\n',
    );
    await put('/etc/pve/user.cfg', users('ops@box.lan'));
    // Excluded from backups, but known.
    await put('/etc/pve/nodes/pve2/qemu-server/9001.conf', 'name: scratch\n');
    await host.sh(
      'mkdir -p /var/lib/proxmox-stand-ins/guests/111; echo running >/var/lib/proxmox-stand-ins/guests/111/status',
    );
    // What last night left: a guest without a log of a backup fails its check.
    await host.sh(`mkdir -p /var/log/vzdump; cd /var/log/vzdump
for guest in lxc-1034 lxc-1031 lxc-1008 qemu-111; do
  id=\${guest#*-}
  printf '%s\\n' "INFO: Starting Backup of VM $id (\${guest%-*})" "INFO: Finished Backup of VM $id (00:01:12)" >"$guest.log"
done`);
    site = write();
  });
  afterAll(stopAll);

  test('converges: one job for each storage and class; the job of a person stays', async () => {
    const { diff, apply } = await converges(site, watched);
    expect(ids(diff).sort()).toEqual(
      [statics, database, media, 'pve_guest_option:1031', 'pve_guest_option:111'].sort(),
    );
    expect(apply.checks.map(({ outcome }) => outcome)).not.toContain('fail');
    expect(
      (await section('pve2-truenas-bu-busy-media'))
        .split('\n')
        .map((line) => line.trim().split(',').sort().join(',')),
    ).toEqual([
      'vzdump: pve2-truenas-bu-busy-media',
      'schedule 03:30',
      'compress zstd',
      'enabled 1',
      'mode stop',
      'node pve2',
      'notes-template {{guestname}}',
      'keep-weekly=4,prune-backups keep-last=2',
      'storage truenas-bu',
      expect.stringMatching(/^(1034,vmid 1031|1031,vmid 1034)$/),
      '',
    ]);
    expect(await section('pve2-pbs-pihanga-database')).toContain('\tfleecing 1,storage=local-lvm\n');
    expect(await section('by-hand')).toContain('sun 04:00');
    expect(await host.readFile(jobs)).not.toContain('9001');
    // Every key of the mount point is still there, and the snapshot is as it was.
    const conf = await host.readFile(container);
    expect(conf).toContain('mp1: local-lvm:vm-1031-disk-1,mp=/srv/data,size=32G,backup=1\n');
    expect(conf).toContain('mp0: /mnt/Main,mp=/mnt/Main\n');
    expect(conf).toContain(
      '\n[vzdump]\nlock: snapshot\nmp1: local-lvm:vm-1031-disk-1,mp=/srv/data,size=32G\n',
    );
    // The VM runs: its agent waits for the next start, and is as wanted all the same.
    expect(await host.readFile(machine)).toMatch(
      /^agent: 0.*\n(?:.*\n)*\[PENDING\]\nagent: enabled=1,fstrim_cloned_disks=1\n/,
    );
  });

  test.each([
    [media, `pvesh set /cluster/backup/pve2-truenas-bu-busy-media --mode snapshot`],
    [media, `pvesh set /cluster/backup/pve2-truenas-bu-busy-media --vmid 1031`],
    [media, `pvesh set /cluster/backup/pve2-truenas-bu-busy-media --all 1`],
    [media, `pvesh set /cluster/backup/pve2-truenas-bu-busy-media --delete prune-backups`],
    [media, `pvesh set /cluster/backup/pve2-truenas-bu-busy-media --tmpdir /tmp --bwlimit 100`],
    [statics, `pvesh set /cluster/backup/pve2-local-static --schedule 22`],
    [statics, `pvesh set /cluster/backup/pve2-local-static --enabled 0`],
    [statics, `pvesh delete /cluster/backup/pve2-local-static`],
    [database, `pvesh set /cluster/backup/pve2-pbs-pihanga-database --fleecing enabled=0`],
    [database, edit(jobs, 's/mode snapshot/mode Snapshot/;/pve2-local/,/^$/s/mode Snapshot/mode snapshot/')],
    [database, edit(jobs, '/database/,/^$/s/notes-template .*/notes-template {{vmid}}/')],
    ['pve_guest_option:1031', edit(container, '/^mp1/s/,backup=1//')],
    ['pve_guest_option:111', edit(machine, 's/agent: enabled=1/agent: 0/')],
  ])('%s is drift after: %s', async (id, change) => {
    await mends(site, host, change, id);
  });

  test('two jobs of a file that a person wrote are mended at once: the first write alters nothing of the second', async () => {
    const byHand = edit(
      jobs,
      '1i# by hand\ns/^\\t/  /\ns/enabled 1$/# was enabled/\ns/fleecing 1,/fleecing enabled=1,/\ns/keep-last=2,keep-weekly=4/keep-weekly=4,keep-last=2/\n/busy-media/,/^$/s/mode stop/mode snapshot/\n/pihanga-database/,/^$/s/schedule 02:00/schedule 4:00/',
    );
    await mends(site, host, byHand, media, database);
  });

  test.each([
    edit(jobs, 's/^/ /;s/^ vzdump/vzdump/;s/^ $//'),
    edit(jobs, 's/schedule 02:00/schedule 2:00:00/'),
    edit(jobs, 's/enabled 1/repeat-missed 0/'),
    edit(jobs, 's/fleecing 1,/fleecing enabled=1,/'),
    edit(jobs, '1i# a comment'),
    `pvesh set /cluster/backup/by-hand --mode stop`,
    edit(machine, 's/^name: .*/name: other/'),
  ])('nothing is drift after: %s', async (change) => {
    await host.sh(change);
    const diff = await tell(site, 'diff');
    expect([diff.exit, ids(diff)], diff.said).toEqual([0, []]);
  });

  test('a lock that a backup left is told and not cleared; a guest that is locked is not changed', async () => {
    await host.sh(edit(container, '1ilock: backup'));
    const told = await checks(site, { exit: 4, notPassed: ['backup-jobs/unlocked-1031'] });
    expect(told.said).toContain('lock: want "none", have "backup"');
    expect(told.said).toContain('to mend it: provision run vzdump/unstick 1031 --host pve2');
    await host.sh(edit(container, '/^mp1/s/,backup=1//'));
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(5);
    expect(apply.said).toContain('CT 1031 is locked (backup)');
    await host.sh('pct unlock 1031');
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
    await checks(site);
  });

  test('a guest that nobody told the inventory of is named, and one that is not there any more', async () => {
    const lxc = '/etc/pve/nodes/pve2/lxc';
    await put(`${lxc}/1050.conf`, 'hostname: new\nrootfs: local:1050,size=8G\n\n[before]\nhostname: old\n');
    await host.sh('mkdir -p /etc/pve/nodes/pihanga/lxc');
    await put('/etc/pve/nodes/pihanga/lxc/300.conf', 'hostname: far\n');
    const more = await checks(site, { exit: 4, notPassed: ['backup-jobs/guests'] });
    expect(more.said).toContain('unknown: want "none", have "ct/1050 new"');
    await host.sh(
      `mv ${lxc}/1050.conf ${lxc}/1050.conf.away; mv ${lxc}/1008.conf /etc/pve/nodes/pihanga/lxc`,
    );
    const less = await checks(site, {
      exit: 4,
      notPassed: ['backup-jobs/guests', 'backup-jobs/unlocked-1008'],
    });
    expect(less.said).toContain('missing: want "none", have "ct/1008 (it is on pihanga)"');
    await host.sh(
      `mv /etc/pve/nodes/pihanga/lxc/1008.conf ${lxc}; rm ${lxc}/1050.conf.away /etc/pve/nodes/pihanga/lxc/300.conf`,
    );
    await checks(site);
  });

  test.each([
    ['fail', 'who has no address', { 'user.cfg': users('') }],
    ['pass', '', { 'user.cfg': users(''), 'notifications.cfg': gotify(hook) }],
    [
      'fail',
      'the target hook is disabled',
      { 'user.cfg': users(''), 'notifications.cfg': gotify(`${hook}\tdisable true\n`) },
    ],
    [
      'fail',
      'the target hook of the matcher all is not there',
      { 'user.cfg': users(''), 'notifications.cfg': gotify('') },
    ],
    ['fail', 'who has no address', { 'user.cfg': users(''), 'notifications.cfg': hook }],
    [
      'fail',
      'the target mail-to-root is disabled',
      {
        'notifications.cfg':
          'sendmail: mail-to-root\n\tmailto-user root@pam\n\tdisable true\n\torigin modified-builtin\n',
      },
    ],
    [
      'fail',
      'the matcher default-matcher is disabled',
      { 'notifications.cfg': 'matcher: default-matcher\n\ttarget mail-to-root\n\tdisable 1\n' },
    ],
    [
      'pass',
      '',
      {
        'user.cfg': users(''),
        'notifications.cfg': 'smtp: mail-to-root\n\tserver mail.lan\n\tmailto ops@box.lan\n',
      },
    ],
    ['pass', '', { 'notifications.cfg': 'sendmail: other\n\tmailto-user backup@pbs\n' }],
  ] as const)('whether somebody is told of failures: %s %s', async (outcome, why, files) => {
    for (const [name, text] of Object.entries(files)) await put(`/etc/pve/${name}`, text);
    const told = await tell(site, 'check');
    await host.sh('rm -f /etc/pve/notifications.cfg');
    await put('/etc/pve/user.cfg', users('ops@box.lan'));
    expect(outcomes(told)['backup-jobs/notifies'], told.said).toBe(outcome);
    expect(told.said).toContain(why);
  });

  test('a broken line of a person stops every change and is named; nothing of it is lost', async () => {
    await host.sh(edit(jobs, '/^vzdump: by-hand/,/^$/s/schedule .*/starttime 04:00/'));
    await host.sh(edit(jobs, '/pve2-local/,/^$/s/mode snapshot/mode stop/'));
    const before = await host.readFile(jobs);
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(5);
    expect(apply.said).toMatch(
      /jobs.cfg line \d+: "vzdump: by-hand": "by-hand" has no schedule.*every later change/,
    );
    expect(await host.readFile(jobs)).toBe(before);
    const read = await tell(site, 'check');
    expect(outcomes(read)['backup-jobs/jobs-read'], read.said).toBe('fail');
    await host.sh(edit(jobs, 's/starttime 04:00/schedule sun 04:00/'));
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test('without a cluster file system nothing is known, and nothing is made on the disk below it', async () => {
    await pmxcfs.stop();
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(8);
    expect(diff.said).toContain('pve-cluster does not run, or has not mounted it');
    expect(await host.sh('ls -A /etc/pve')).toBe('');
    expect(outcomes(await tell(site, 'check'))).toMatchObject({
      'backup-jobs/guests': 'unknown',
      'backup-jobs/notifies': 'unknown',
    });
    await pmxcfs.start();
    await pmxcfs.freeze();
    const hung = await tell(site, 'diff');
    expect(hung.exit, hung.said).toBe(8);
    expect(hung.said).toContain('no answer in 5 s');
    expect(outcomes(await tell(site, 'check'))['backup-jobs/notifies']).toBe('unknown');
    await pmxcfs.thaw();
    expect((await tell(site, 'diff')).exit).toBe(0);
  });

  test('without quorum jobs are read, and not changed', async () => {
    await host.sh('pvesh set /cluster/backup/pve2-local-static --mode stop');
    await pmxcfs.quorum(false);
    const refused = await tell(site, 'apply', '--yes');
    expect(refused.exit, refused.said).toBe(5);
    expect(refused.said).toMatch(/mode stop -> snapshot; this node has no quorum/);
    await pmxcfs.quorum(true);
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test('guests that are not here are refused, a policy that means something else is refused before any host is asked', async () => {
    write({}, [
      ...guests,
      {
        vmid: 300,
        type: 'ct',
        name: 'gone',
        storage: 'local',
        mount_points: [{ id: 'mp0', path: '/a', backup: true }],
      },
    ]);
    const told = await tell(site, 'apply', '--yes');
    // A check fails too: it is no lock that is missing.
    expect(told.exit, told.said).toBe(4);
    expect(told.said).toContain('refused (new) pve_guest_option:300');
    expect(told.said).toContain('no guest has the number 300');
    write({ static: { schedule: '22' } });
    const refused = await runProvision(['diff'], { cwd: site });
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(
        /inventory\/groups\/all.yaml:\d+:\d+.*which Proxmox takes for: at minute 22 of every hour/,
      ),
    ]);
    write();
    // The job has lost a guest that it never should have had.
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });
});
