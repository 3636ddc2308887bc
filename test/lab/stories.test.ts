import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProvision } from './cli.ts';
import {
  archiveOfServer,
  guestFile,
  guests,
  type Node,
  night as nightOf,
  putGuests,
} from './example-guests.ts';
import { chosenFingerprint, editFile, emptyPackage, exampleSite, putToken } from './example-site.ts';
import { follow, type LabSite, only, see } from './finding.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { scratch } from './machine.ts';
import { addSnapshots, fingerprint, newCertificate, pbsHost, storeMount } from './pbs-host.ts';
import { startPmxcfs } from './pmxcfs.ts';
import { describeLab } from './suite.ts';
import { startWorker } from './vzdump-worker.ts';

/** What containers cannot have: NFS, a clock of their own, somebody to push metrics to. */
const edits = {
  'inventory/groups/pbs.yaml': [
    ['[nfs-client, pbs', '[pbs'],
    ['time_sync: chrony', 'time_sync: none'],
  ],
  'inventory/groups/pve.yaml': [['time_sync: chrony', 'time_sync: none']],
  'inventory/hosts/pbs.yaml': [
    [
      `  nfs-client:
    mounts:
      - path: /mnt/pbs-datastore
        what: 10.10.0.103:/mnt/Taupo/pbs
        type: nfs
        options: [vers=4.2, hard]
        expect_entry: .chunks
`,
      '',
    ],
    ['type: nfs\n', 'type: tmpfs\n'],
    ['source: "10.10.0.103:/mnt/Taupo/pbs"}', 'source: "10.10.0.103:/mnt/Taupo/pbs", type: tmpfs}'],
    ['    push_url: http://pushgateway.lan:30091 # name (chosen)\n', ''],
  ],
  'roles/pbs/role.yaml': [['enum: [nfs, ', 'enum: [tmpfs, nfs, ']],
} as const;

const hour = 3600;
const now = () => Math.floor(Date.now() / 1000);

describeLab('the example site in trouble: what is said of it mends it', () => {
  let pbs: LabHost;
  let nodes: Readonly<Record<Node, LabHost>>;
  let site: LabSite;

  /** What last night's backups left everywhere; `ends` is the last line of the logs of a node. */
  const night = async (ends: Readonly<Partial<Record<Node, string>>> = {}): Promise<void> => {
    for (const node of ['pihanga', 'ruapehu'] as const) await nightOf(nodes[node], node, ends[node]);
  };
  /** Nothing is wrong, and nothing is left to do. */
  const well = async (): Promise<void> => {
    const diff = await see(site, 'diff');
    expect(diff, diff.said).toMatchObject({ exit: 0, changes: [], findings: [] });
    const check = await see(site, 'check');
    expect(check, check.said).toMatchObject({ exit: 0, checks: [], findings: [] });
  };
  const edit = (name: string, change: readonly [string, string]): void =>
    editFile(site.cwd, `inventory/${name}.yaml`, [change]);
  const lock = (node: Node, guest: string, text = 'lock: backup'): Promise<string> =>
    nodes[node].sh(`echo '${text}' >>${guestFile(node, guest)}`);

  beforeAll(async () => {
    const [server, pihanga, ruapehu] = await Promise.all([
      pbsHost(),
      startHost({ image: 'debian', name: 'pihanga' }),
      startHost({ image: 'debian', name: 'ruapehu' }),
    ]);
    pbs = server;
    nodes = { pihanga, ruapehu };
    await Promise.all([pbs, pihanga, ruapehu].map((host) => emptyPackage(host, 'smartmontools')));
    for (const name of ['pihanga', 'ruapehu'] as const) {
      await startPmxcfs(nodes[name]);
      await putGuests(nodes[name], name);
    }
    const cwd = exampleSite([pbs, pihanga, ruapehu], {
      alone: true,
      edits,
      // What a person reads on the console of the new server and writes down.
      texts: { [chosenFingerprint]: await fingerprint(pbs) },
    });
    site = { cwd, env: { PROVISION_AGE_KEY_FILE: join(scratch('age'), 'age.key') } };
  }, 120_000);
  afterAll(stopAll);

  test('a new site: applied, backed up for a night, and all is well', async () => {
    const rules = await runProvision(['rules'], site);
    expect(rules.code, rules.stdout).toBe(0);
    const server = await see(site, 'apply', '--yes', '--host', 'pbs');
    expect(server.exit, server.said).toBe(0);
    await putToken(site, pbs);
    const apply = await see(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    await night();
    await archiveOfServer(nodes.pihanga);
    const groups = [...guests.pihanga.slice(1), ...guests.ruapehu];
    await addSnapshots(
      pbs,
      groups.map((group) => ({ group, time: now() - hour, owner: 'backup@pbs!pve' })),
    );
    await well();
  }, 120_000);

  test('the certificate of the backup server changes: shown, confirmed by a person, told to all nodes', async () => {
    const old = await fingerprint(pbs);
    await newCertificate(pbs);
    const refused =
      "ERROR: VM N qmp command 'backup' failed - backup connect failed: command error: certificate validation failed - Certificate fingerprint was not confirmed.";
    await night({ ruapehu: refused });
    const check = await see(site, 'check');
    const finding = only(check);
    expect(check.checks).toContain('pbs fail pbs/certificate');
    expect(finding).toMatchObject({
      rule: 'certificate-changed',
      hosts: ['pbs', 'ruapehu'],
      suspect: 'pbs:pbs',
      procedure: 'provision run pbs/accept-fingerprint --host pbs',
    });
    const shown = await follow(site, finding.procedure);
    expect(shown.exit, shown.said).toBe(5);
    expect(shown.said).toContain('add --set fingerprint=');
    // On the console of the server.
    const seen = await fingerprint(pbs);
    const told = await follow(site, finding.procedure, '--set', `fingerprint=${seen}`);
    expect(told.exit, told.said).toBe(0);
    for (const node of Object.values(nodes))
      expect(await node.readFile('/etc/pve/storage.cfg')).toContain(`fingerprint ${seen}`);
    // The inventory still has the old one: it is drift, and half of the change is no site.
    const left = await see(site, 'diff');
    expect(left.changes, left.said).toEqual([
      'pihanga drift pve_storage:pbs-pihanga',
      'ruapehu drift pve_storage:pbs-pihanga',
    ]);
    const places = [...told.said.matchAll(/to be changed in the inventory, (\S+?):\d+/g)].map(
      ([, path]) => path,
    );
    expect(new Set(places)).toEqual(new Set(['inventory/groups/pbs-clients.yaml']));
    edit('groups/pbs-clients', [old, seen]);
    const half = await runProvision(['rules'], site);
    expect(half.stdout).toMatch(/2 errors +fingerprint-agrees/);
    edit('hosts/pbs', [old, seen]);
    await night();
    await well();
  }, 120_000);

  test('a guest that a killed backup left locked is unlocked; another lock is nothing for that', async () => {
    await lock('ruapehu', 'ct/200');
    const check = await see(site, 'check');
    expect(check.checks, check.said).toEqual(['ruapehu fail backup-jobs/unlocked-200']);
    const finding = only(check);
    expect(finding).toMatchObject({
      rule: 'backup-stuck',
      suspect: 'guest:200',
      procedure: 'provision run vzdump/unstick 200 --host ruapehu',
    });
    const mended = await follow(site, finding.procedure);
    expect(mended.exit, mended.said).toBe(0);
    await well();
    await lock('ruapehu', 'ct/200', 'lock: migrate');
    expect(only(await see(site, 'check'))).toMatchObject({ rule: 'backup-stuck', procedure: null });
    await nodes.ruapehu.sh('pct unlock 200');
  }, 120_000);

  test('a worker hangs: it is ended and its guest unlocked; one that runs is left alone', async () => {
    const { ruapehu } = nodes;
    await lock('ruapehu', 'vm/109');
    const runs = await startWorker(ruapehu, { guest: 109 });
    const meanwhile = await see(site, 'check');
    expect(meanwhile.findings, meanwhile.said).toEqual([]);
    await ruapehu.sh(
      `kill -KILL ${runs.pid} $(cut -d' ' -f3 /run/fake-worker); rm -r /var/log/pve/tasks; touch -d '3 days ago' /var/log/vzdump/qemu-109.log`,
    );
    const worker = await startWorker(ruapehu, { guest: 109, polite: true, hours: 60 });
    await ruapehu.sh(
      `printf '%s\\n' "ERROR: can't acquire lock '/var/run/vzdump.lock' - got timeout" >/var/log/vzdump/qemu-400.log`,
    );
    const check = await see(site, 'check');
    const finding = only(check);
    expect(finding).toMatchObject({
      rule: 'backup-stuck',
      hosts: ['ruapehu'],
      suspect: 'guest:109',
      procedure: 'provision run vzdump/unstick 109 --host ruapehu',
    });
    expect(finding.message).toContain('other backups of this node wait for it');
    const mended = await follow(site, finding.procedure);
    expect(mended.exit, mended.said).toBe(0);
    expect((await ruapehu.exec(['kill', '-0', String(worker.pid)])).code).not.toBe(0);
    await night();
    await well();
  }, 180_000);

  test('a guest is deleted: its group is of nobody, then declared, and after its time retired', async () => {
    const group = 'vm/451';
    await nodes.ruapehu.sh(`rm ${guestFile('ruapehu', group)} /var/log/vzdump/qemu-451.log`);
    const gone = await see(site, 'check');
    expect(gone.checks, gone.said).toContain('ruapehu fail backup-jobs/unlocked-451');
    expect(gone.said).toContain('no guest has the number 451');
    edit('hosts/ruapehu', ['  - vmid: 451\n    type: vm\n    name: vm451\n    storage: pbs-pihanga\n', '']);
    const diff = await see(site, 'diff');
    expect(diff.changes, diff.said).toEqual(['ruapehu pending pve_backup_job:ruapehu-pbs-pihanga-static']);
    const apply = await see(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    const finding = only(await see(site, 'check'));
    expect(finding).toMatchObject({
      rule: 'groups-of-no-guest',
      suspect: 'datastore:pbs-datastore',
      procedure: 'provision run pbs/retire-groups --host pbs',
    });
    expect(finding.message).toContain(group);
    // Nobody has declared it: it is not even offered.
    const undeclared = await follow(site, finding.procedure, '--set', `confirm=${group}`);
    expect(undeclared.exit, undeclared.said).toBe(5);
    edit('hosts/pbs', [
      '    decommissioned:\n',
      `    decommissioned:\n      - group: ${group}\n        reason: guest removed\n        since: "${new Date().toISOString().slice(0, 10)}"\n`,
    ]);
    await well();
    const young = await follow(site, finding.procedure, '--set', `confirm=${group}`);
    expect(young.exit, young.said).toBe(5);
    expect(young.said).toContain('which is less than 30 days');
    // Five weeks later.
    await pbs.sh(`rm -r ${storeMount.path}/${group}`);
    await addSnapshots(pbs, [{ group, time: now() - 35 * 24 * hour }]);
    const listed = await follow(site, finding.procedure);
    expect(listed.exit, listed.said).toBe(5);
    expect(listed.said).toContain(`--set confirm=${group}`);
    const retired = await follow(site, finding.procedure, '--set', `confirm=${group}`);
    expect(retired.exit, retired.said).toBe(0);
    expect(await pbs.sh(`ls ${storeMount.path}/vm`)).not.toContain('451');
    await well();
  }, 120_000);
});
