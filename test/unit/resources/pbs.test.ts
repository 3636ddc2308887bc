import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pbsDatastore } from '../../../src/resources/pbs-datastore.ts';
import { atLeast, maintenanceIn, tuningIn, tuningText } from '../../../src/resources/pbs-datastore-spec.ts';
import { pbsJob } from '../../../src/resources/pbs-job.ts';
import { pbsUser } from '../../../src/resources/pbs-user.ts';
import { hasBusybox, newTree, shells, type Tree } from './tree.ts';

const live = { live: true, platform: 'pbs' } as const;

function put(tree: Tree, path: string, content: string): void {
  mkdirSync(dirname(tree.path(path)), { recursive: true });
  writeFileSync(tree.path(path), content);
}

const datastores = `datastore: main
\tcomment on the NAS
\tpath /srv/main

datastore:other
\tpath /srv/other
`;
const jobs = `prune: daily
\tkeep-daily 7
\tschedule 04:00
\tstore main

prune: monthly
\tkeep-monthly 7
\tschedule monthly
\tstore main
`;
const daily = { pbs_job: 'daily', kind: 'prune', store: 'main', schedule: '04:00', keep_daily: 7 };
const monthly = { pbs_job: 'monthly', kind: 'prune', store: 'main', schedule: 'monthly', keep_monthly: 7 };
const user = {
  pbs_user: 'pve@pbs',
  tokens: [{ name: 'one' }],
  acl: [{ path: '/datastore/main', role: 'DatastoreBackup', token: 'one' }],
};
const users = 'user: pve@pbs\n\ntoken: pve@pbs!one\n\tcomment x\n\nuser: you@pbs\n';

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('with %s', (shell) => {
  function server(): Tree {
    const tree = newTree(shell, live);
    put(tree, '/etc/proxmox-backup/datastore.cfg', datastores);
    put(tree, '/etc/proxmox-backup/prune.cfg', jobs);
    put(tree, '/etc/proxmox-backup/user.cfg', users);
    put(tree, '/etc/proxmox-backup/acl.cfg', 'acl:1:/datastore/main:you@pbs,pve@pbs!one:DatastoreBackup\n');
    return tree;
  }
  const own = (text: string | undefined) =>
    (text ?? '').split('\n').filter((line) => !/^[^\t]*\t(file|seen)-/.test(line));

  it('prints for one what it prints for it among others', () => {
    const tree = server();
    for (const [type, specs] of [
      [pbsJob, [daily, monthly, { pbs_job: 'main', kind: 'gc', schedule: 'daily' }]],
      [pbsUser, [user, { pbs_user: 'you@pbs' }]],
    ] as const) {
      const together = tree.look(type, specs);
      for (const spec of specs) {
        const alone = tree.look(type, [spec]).get(type.identity(spec as never));
        expect(together.get(type.identity(spec as never))?.text).toBe(alone?.text);
      }
    }
  });

  it('what it prints of one section alone stays when the server writes the file anew, and when another one changes', () => {
    const tree = server();
    const before = own(tree.look(pbsJob, [daily]).get('prune/daily')?.text);
    expect(before).toEqual([
      'prune/daily\town\tkeep-daily 7',
      'prune/daily\town\tprune: daily',
      'prune/daily\town\tschedule 04:00',
      'prune/daily\town\tstore main',
    ]);
    put(
      tree,
      '/etc/proxmox-backup/prune.cfg',
      'prune: weekly\r\n\tstore main\r\n\tschedule weekly\r\n  \nprune:daily\n\tstore   main\n    schedule 04:00\n\tkeep-daily 7\n',
    );
    expect(own(tree.look(pbsJob, [daily]).get('prune/daily')?.text)).toEqual(before);
    expect(tree.differs(pbsJob, daily)).not.toContain('keep_daily');
    put(tree, '/etc/proxmox-backup/prune.cfg', jobs.replace('keep-daily 7', 'keep-daily 8'));
    expect(own(tree.look(pbsJob, [daily]).get('prune/daily')?.text)).not.toEqual(before);
  });

  it('of two sections with one id the last counts, as for the server', () => {
    const tree = server();
    put(
      tree,
      '/etc/proxmox-backup/prune.cfg',
      `${jobs}\nprune: daily\n\tkeep-last 1\n\tschedule 05:00\n\tstore main\n`,
    );
    expect(own(tree.look(pbsJob, [daily]).get('prune/daily')?.text)).toContain(
      'prune/daily\town\tkeep-last 1',
    );
    expect(tree.have(pbsJob, daily)).toMatchObject({ other: 'keep-last', schedule: 'every day at 05:00' });
  });

  it('rights of a user or token are its own lines', () => {
    const tree = server();
    const lines = own(tree.look(pbsUser, [user]).get('pve@pbs')?.text);
    expect(lines).toContain('pve@pbs\town\t/datastore/main:DatastoreBackup:1');
    put(tree, '/etc/proxmox-backup/acl.cfg', 'acl:1:/datastore/main:pve@pbs!one,me@pbs:DatastoreBackup\n');
    expect(own(tree.look(pbsUser, [user]).get('pve@pbs')?.text)).toEqual(lines);
    expect(tree.have(pbsUser, user)).toMatchObject({
      'token one': 'enabled',
      'DatastoreBackup at /datastore/main of token one': 'propagates',
    });
  });

  it('a file that is not there is empty; one that cannot be read, and a host without the directory, are unknown', () => {
    const tree = server();
    tree.sh('rm etc/proxmox-backup/prune.cfg');
    expect(tree.have(pbsJob, daily)).toBeNull();
    tree.sh('mkdir etc/proxmox-backup/prune.cfg');
    expect(tree.read(pbsJob, daily)).toHaveProperty('unknown');
    tree.sh('rm -r etc/proxmox-backup');
    expect(tree.read(pbsJob, daily)).toEqual({
      unknown: 'there is no /etc/proxmox-backup: this is no backup server',
    });
  });
});

it('what lies in the directory of a datastore is told apart, on this machine', () => {
  const tree = newTree('dash', live);
  put(tree, '/etc/proxmox-backup/datastore.cfg', '');
  const spec = { pbs_datastore: 'main', path: tree.path('/srv'), local: true };
  expect(tree.have(pbsDatastore, spec)).toBeNull();
  tree.sh('mkdir srv');
  expect(tree.have(pbsDatastore, spec)).toBeNull();
  tree.sh('mkdir srv/lost+found');
  expect(tree.have(pbsDatastore, spec)).toBeNull();
  tree.sh('touch srv/data');
  expect(tree.refuse(pbsDatastore, spec)).toContain('is not empty and holds no datastore');
  tree.sh('mkdir srv/.chunks');
  expect(tree.refuse(pbsDatastore, spec)).toContain('`reuse: true` attaches it');
  tree.sh('rm -r srv; touch srv');
  expect(tree.read(pbsDatastore, spec)).toEqual({
    unknown: `${spec.path} could not be looked into: Not a directory`,
  });
});

describe('what is wrong before any host is asked', () => {
  const says = (spec: object) => (pbsJob.mistakes?.(spec as never) ?? []).map((one) => one.says);

  it.each([
    [{ ...daily, keep_daily: undefined }, 'has no keep_... at all'],
    [{ ...daily, schedule: '22' }, 'minute 22 of every hour'],
    [{ ...daily, schedule: '24:00' }, 'minute 24 of every hour'],
    [{ ...daily, store: undefined }, 'has no store'],
    [{ ...daily, outdated_after: 3 }, 'is no key of a prune job'],
    [{ pbs_job: 'main', kind: 'gc' }, 'has no schedule'],
    [{ pbs_job: 'main', kind: 'gc', schedule: 'daily', store: 'main' }, 'is no key of a gc job'],
    [{ pbs_job: 'off', kind: 'sync', store: 'main' }, 'has no remote_store'],
  ])('%j', (spec, part) => {
    expect(says(spec).join('; ')).toContain(part);
  });

  it('what is fine is fine', () => {
    expect(says(daily)).toEqual([]);
    expect(says({ pbs_job: 'one', kind: 'verify', store: 'main' })).toEqual([]);
    expect(says({ pbs_job: 'old', kind: 'prune', state: 'absent' })).toEqual([]);
  });

  it('a token is given nothing that its user has not', () => {
    const wrong = (acl: object[], name = 'pve@pbs') =>
      (pbsUser.mistakes?.({ pbs_user: name, acl } as never) ?? []).length;
    const token = { path: '/datastore/main', role: 'DatastoreBackup', token: 'one' };
    expect(wrong([token])).toBe(1);
    expect(wrong([token], 'root@pam')).toBe(0);
    expect(wrong([token, { path: '/', role: 'Admin' }])).toBe(0);
    expect(wrong([token, { path: '/', role: 'Admin', propagate: false }])).toBe(1);
    expect(wrong([token, { path: '/datastore/mai', role: 'Admin' }])).toBe(1);
    expect(wrong([token, { path: '/datastore/main', role: 'DatastoreBackup', propagate: false }])).toBe(0);
  });

  it('a datastore says where it lies', () => {
    const wrong = (more: object) =>
      (pbsDatastore.mistakes?.({ pbs_datastore: 'main', path: '/mnt/a', ...more } as never) ?? []).length;
    const mount = { path: '/mnt/a', source: 'nas:/a', type: 'nfs' };
    expect([{}, { mount, local: true }, { mount: { ...mount, path: '/mnt/ab' } }].map(wrong)).toEqual([
      1, 1, 1,
    ]);
    expect([{ local: true }, { mount }, { mount: { ...mount, path: '/mnt' } }].map(wrong)).toEqual([0, 0, 0]);
  });
});

it('tuning and maintenance compare by meaning', () => {
  expect(tuningIn('sync-level=filesystem,chunk-order=none,gc-atime-safety-check=yes')).toBe(
    'chunk-order=none',
  );
  expect(tuningText({ 'gc-atime-cutoff': 1445, 'sync-level': 'file' })).toBe(tuningIn('sync-level=file'));
  expect(tuningIn('gc-atime-safety-check=0')).toBe('gc-atime-safety-check=0');
  expect(['type=offline,message="x"', 'read-only', 'offline'].map(maintenanceIn)).toEqual([
    'offline',
    'read-only',
    'offline',
  ]);
  expect(['3.2.12', '3.2.13', '3.3.0-1', '4.1', '3.2'].map((one) => atLeast(one, '3.2.13'))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
});
