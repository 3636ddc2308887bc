import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProvision } from './cli.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import {
  addSnapshots,
  fingerprint,
  mountStore,
  newCertificate,
  pbsHost,
  replaceExport,
  storeMount,
  unmountStore,
} from './pbs-host.ts';
import { inventoryFor } from './site.ts';
import { describeLab } from './suite.ts';

const store = 'pbs-datastore';
const chunks = `ERROR: Backup of VM 200 failed - unable to open chunk store at "${storeMount.path}/.chunks" - No such file or directory (os error 2)`;
const good = 'INFO: Finished Backup of VM 200 (00:01:12)';

interface Report {
  readonly exit: number;
  readonly hosts: readonly {
    host: string;
    checks: readonly { id: string; outcome: string; message: string }[];
  }[];
  readonly findings: readonly {
    rule: string;
    hosts: string[];
    suspect: string;
    message: string;
    procedure: string;
  }[];
}

describeLab('what hosts show together', () => {
  let pbs: LabHost;
  let nodes: LabHost[];
  let dir: string;

  /** What the last backup of every node says, and whether the storage can be used. */
  const nodesSay = async (line: string, storage = 'active'): Promise<void> => {
    for (const node of nodes)
      await node.sh(`mkdir -p /var/log/vzdump /var/lib/proxmox-stand-ins
echo '${store} pbs ${storage} 1000 10 990' >/var/lib/proxmox-stand-ins/storages
printf '%s\\n' 'INFO: Starting Backup of VM 200 (qemu)' '${line.replace(/'/g, "'\\''")}' >/var/log/vzdump/qemu-200.log`);
  };

  const check = async (...more: string[]): Promise<Report> => {
    const { stdout, stderr } = await runProvision(['check', '--format', 'json', ...more], { cwd: dir });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  };

  const found = async (...more: string[]) =>
    (await check(...more)).findings.map(({ rule, hosts, procedure }) => [rule, hosts.join(' '), procedure]);

  beforeAll(async () => {
    [pbs, ...nodes] = await Promise.all([
      pbsHost({ datastore: store }),
      ...['ruapehu', 'pihanga'].map((name) => startHost({ image: 'debian', name, platform: 'pve' })),
    ]);
    await addSnapshots(pbs, [
      { group: 'vm/200', time: Math.floor(Date.now() / 1000) - 3600, verified: 'ok' },
    ]);
    await nodesSay(good);
    const print = await fingerprint(pbs);
    dir = inventoryFor([pbs, ...nodes], {
      hosts: {
        pbs: { roles: ['store-proofs'] },
        ...Object.fromEntries(nodes.map(({ name }) => [name, { roles: ['node-proofs'] }])),
      },
      files: {
        'roles/node-proofs/role.yaml': {
          role: 'node-proofs',
          about: 'Proofs of a node.',
          platforms: ['pve'],
          variables: {},
          resources: [
            {
              pve_storage: store,
              type: 'pbs',
              content: ['backup'],
              server: pbs.address,
              datastore: store,
              username: 'root@pam',
              fingerprint: print,
            },
          ],
          checks: [
            { id: 'storage', about: 'The storage can be used', storage_active: store },
            {
              id: 'log',
              about: 'The backup ended well',
              backup_log: 200,
              kind: 'vm',
              storage: store,
              max_age_hours: 48,
            },
          ],
        },
        'roles/node-proofs/README.md': 'Proofs of a node.\n',
        'roles/store-proofs/role.yaml': {
          role: 'store-proofs',
          about: 'Proofs of a backup server.',
          platforms: ['pbs'],
          variables: {},
          resources: [{ pbs_datastore: store, path: storeMount.path, mount: { ...storeMount, type: 'nfs' } }],
          checks: [
            {
              id: 'mount',
              about: 'The mount serves',
              mount_health: storeMount.path,
              source: storeMount.source,
              expect_entry: '.chunks',
            },
            { id: 'handles', about: 'The daemons see it', pbs_handles: storeMount.path },
            { id: 'certificate', about: 'It is the agreed one', pbs_certificate: 'pbs', fingerprint: print },
            { id: 'backups', about: 'Backups are fresh', pbs_backups: store, groups: [{ group: 'vm/200' }] },
          ],
        },
        'roles/store-proofs/README.md': 'Proofs of a backup server.\n',
      },
    });
  });
  afterAll(stopAll);

  test('nothing, while all is well', async () => {
    const report = await check();
    expect(report.hosts.flatMap(({ checks }) => checks.filter(({ outcome }) => outcome !== 'pass'))).toEqual(
      [],
    );
    expect(report).toMatchObject({ exit: 0, findings: [] });
  });

  test('the export made anew behind a running server: stale handles, one finding, the restart', async () => {
    await replaceExport(pbs);
    await nodesSay(chunks);
    const report = await check();
    expect(report.exit).toBe(4);
    expect(report.findings).toMatchObject([
      {
        rule: 'stale-nfs-handles',
        hosts: ['pbs', 'pihanga', 'ruapehu'],
        suspect: 'pbs:pbs',
        procedure: 'provision run pbs/restart-stale --host pbs',
      },
    ]);
    const text = (await runProvision(['check'], { cwd: dir })).stdout;
    expect(text.split('stale-nfs-handles').length).toBe(2);
    await pbs.sh('systemctl restart proxmox-backup proxmox-backup-proxy');
    await nodesSay(good);
    expect(await check()).toMatchObject({ exit: 0, findings: [] });
  });

  test('only one node asked: the others are said to be unknown', async () => {
    await nodesSay(chunks);
    const [finding] = (await check('--host', 'ruapehu')).findings;
    expect(finding).toMatchObject({ rule: 'backup-server', hosts: ['pbs', 'ruapehu'] });
    expect(finding?.message).toContain('pbs was not asked');
    expect(finding?.message).toContain('pihanga was not asked');
    await nodesSay(good);
  });

  test('the mount away: the mount, not the nodes', async () => {
    await unmountStore(pbs);
    await nodesSay(chunks, 'inactive');
    expect(await found()).toEqual([
      ['datastore-mount', 'pbs pihanga ruapehu', 'provision run pbs/remount --host pbs'],
    ]);
    await pbs.sh('systemctl stop proxmox-backup-proxy');
    await mountStore(pbs);
    await pbs.sh(`proxmox-backup-manager datastore list >/dev/null; install -d -o backup -g backup ${storeMount.path}/.chunks
: >${storeMount.path}/.lock; chown -R backup:backup ${storeMount.path}/.; systemctl start proxmox-backup-proxy`);
    await addSnapshots(pbs, [{ group: 'vm/200', time: Math.floor(Date.now() / 1000) - 60 }]);
    await nodesSay(good);
    expect(await check()).toMatchObject({ exit: 0, findings: [] });
  });

  test('another certificate, a group of nobody', async () => {
    await newCertificate(pbs);
    await addSnapshots(pbs, [{ group: 'vm/330', time: 1_700_000_000 }]);
    const refused =
      "ERROR: VM 200 qmp command 'backup' failed - backup connect failed: command error: certificate validation failed - Certificate fingerprint was not confirmed.";
    await nodesSay(refused);
    expect(await found()).toEqual([
      ['certificate-changed', 'pbs pihanga ruapehu', 'provision run pbs/accept-fingerprint --host pbs'],
      ['groups-of-no-guest', 'pbs', 'provision run pbs/retire-groups --host pbs'],
    ]);
  });
});
