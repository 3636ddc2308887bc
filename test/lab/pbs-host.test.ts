import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, stopAll } from './lab.ts';
import {
  addSnapshots,
  fingerprint,
  newCertificate,
  pbsHost,
  pbsUnits,
  releaseTasks,
  replaceExport,
  runningTask,
  storeMount,
  unmountStore,
} from './pbs-host.ts';
import { describeLab } from './suite.ts';

const status = [
  'proxmox-backup-debug',
  'api',
  'get',
  '/admin/datastore/main/status',
  '--output-format',
  'json',
];
const chunkStore =
  'unable to open chunk store at "/mnt/pbs-datastore/.chunks" - No such file or directory (os error 2)';

// The stand-ins are believed by other tests: that they spring the traps they were made for is shown here.
describeLab('a host that passes for a backup server', () => {
  let host: LabHost;
  const manager = (...words: string[]) => host.exec(['proxmox-backup-manager', ...words]);

  beforeAll(async () => {
    host = await pbsHost({ datastore: 'main' });
  });
  afterAll(stopAll);

  test('a datastore belongs to the user backup, and is never made twice', async () => {
    expect(await host.sh(`stat -c '%U %a' ${storeMount.path}/.chunks`)).toBe('backup 750\n');
    expect(await host.sh('stat -c "%U:%G %a" /etc/proxmox-backup/datastore.cfg')).toBe('root:backup 640\n');
    const again = await manager('datastore', 'create', 'other', storeMount.path);
    expect(again.stderr).toContain('EEXIST: File exists');
    expect((await manager('datastore', 'create', 'ab', '/srv/x')).stderr).toContain('3 to 32 characters');
    const reuse = await manager('datastore', 'create', 'other', storeMount.path, '--reuse-datastore', 'true');
    expect(reuse.stderr).toContain('schema does not allow additional properties');
  });

  test.each([
    ['# by hand', 'syntax error (expected header)'],
    ['datastore: two\n\tpath /srv/a\n\tcolour red', "'colour': schema does not allow"],
    ['datastore: two\n\tcomment x', "'path': property is missing"],
    ['datastore: two\n\tpath /srv/a\n\tverify-new', 'expected section properties'],
    ['datastore: two\n\tpath /srv/a\ndatastore: three\n\tpath /srv/b', 'expected section properties'],
    ['datastore: two\n\tpath /srv/a\n\tpath /srv/b', "duplicate property 'path'"],
  ])('one bad line takes all datastores away: %j', async (text, said) => {
    const file = '/etc/proxmox-backup/datastore.cfg';
    const before = await host.readFile(file);
    await host.writeFile(file, `${before}${text}\n`, '0640', 'root:backup');
    expect((await manager('datastore', 'show', 'main')).stderr).toContain(said);
    await host.writeFile(file, before, '0640', 'root:backup');
    expect((await manager('datastore', 'show', 'main')).code).toBe(0);
  });

  test('the secret of a token is told once', async () => {
    expect((await manager('user', 'create', 'pve@pbs', '--comment', 'nodes')).code).toBe(0);
    const told = await manager('user', 'generate-token', 'pve@pbs', 'ruapehu');
    expect(told.stdout).toMatch(
      /^Result: \{\n {2}"tokenid": "pve@pbs!ruapehu",\n {2}"value": "[0-9a-f-]{36}"\n\}\n$/,
    );
    expect((await manager('user', 'generate-token', 'pve@pbs', 'ruapehu')).stderr).toContain(
      'already exists',
    );
    const acl = ['acl', 'update', '/datastore/main', 'DatastoreBackup', '--auth-id', 'pve@pbs!ruapehu'];
    expect((await manager(...acl)).code).toBe(0);
    expect(await host.readFile('/etc/proxmox-backup/acl.cfg')).toBe(
      'acl:1:/datastore/main:pve@pbs!ruapehu:DatastoreBackup\n',
    );
  });

  test('groups and snapshots are those on the disk', async () => {
    await addSnapshots(host, [
      { group: 'vm/109', time: 1_700_000_000, verified: 'failed' },
      { group: 'vm/109', time: 1_700_086_400, broken: true },
      { group: 'ct/200', time: 1_700_000_000, namespace: 'ruapehu' },
    ]);
    const get = async (path: string, ...more: string[]) =>
      JSON.parse(
        await host.sh(
          `proxmox-backup-debug api get /admin/datastore/main/${path} --output-format json ${more.join(' ')}`,
        ),
      );
    expect(await get('groups')).toMatchObject([
      { 'backup-id': '109', 'backup-count': 2, 'last-backup': 1_700_086_400 },
    ]);
    expect(await get('groups', '--ns', 'ruapehu')).toMatchObject([
      { 'backup-id': '200', 'backup-type': 'ct' },
    ]);
    const [first, second] = await get('snapshots');
    expect(first).toMatchObject({ size: 1073741824, verification: { state: 'failed' } });
    expect(second).not.toHaveProperty('size');
  });

  test('a certificate is another one after it was made anew', async () => {
    const before = await fingerprint(host);
    expect(before).toMatch(/^([0-9a-f]{2}:){31}[0-9a-f]{2}$/);
    expect(await newCertificate(host)).not.toBe(before);
  });

  test('a running task is listed until it ends', async () => {
    await runningTask(host, 'main');
    const list = async () => JSON.parse((await manager('task', 'list', '--output-format', 'json')).stdout);
    expect(await list()).toMatchObject([{ worker_type: 'garbage_collection', worker_id: 'main' }]);
    await releaseTasks(host);
    await expect.poll(list).toEqual([]);
  });

  test('the proxy keeps the mount busy, and after another export came it sees nothing until it is restarted', async () => {
    expect((await host.exec(status)).code).toBe(0);
    expect((await host.exec(['umount', storeMount.path])).code).toBe(32);
    await replaceExport(host);
    expect(await host.sh(`ls -d ${storeMount.path}/.chunks/0000`)).not.toBe('');
    expect((await host.exec(status)).stderr).toBe(`Error: ${chunkStore}\n`);
    const task = await manager('garbage-collection', 'start', 'main');
    expect(task.stdout).toContain(`TASK ERROR: ${chunkStore}`);
    await host.sh(`systemctl restart ${pbsUnits.join(' ')}`);
    expect((await host.exec(status)).code).toBe(0);
  });

  test('without its daemons it still reads its files; unmounted it makes a store on the root disk', async () => {
    await unmountStore(host);
    expect((await host.exec(status)).stderr).toContain('unable to open chunk store');
    await host.sh(`sed -i 's/^datastore: main/datastore: gone/' /etc/proxmox-backup/datastore.cfg`);
    expect((await manager('datastore', 'create', 'main', storeMount.path)).code).toBe(0);
    expect(await host.sh(`findmnt -n -o TARGET -T ${storeMount.path}/.chunks`)).toBe('/\n');
    await host.sh(`systemctl stop ${pbsUnits.join(' ')}`);
    expect((await manager('datastore', 'list')).code).toBe(0);
    expect((await manager('task', 'list')).stderr).toContain('Connection refused');
  });
});
