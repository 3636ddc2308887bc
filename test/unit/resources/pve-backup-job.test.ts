import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pveBackupJob } from '../../../src/resources/pve-backup-job.ts';
import type { BackupJobSpec } from '../../../src/resources/pve-backup-job-spec.ts';
import { clusterMembers, hasBusybox, mountCluster, newTree, shells, type Tree } from './tree.ts';

const spec: BackupJobSpec = {
  pve_backup_job: 'media',
  vmid: [1034, 1031],
  schedule: '02:00',
  storage: 'truenas-bu',
  mode: 'stop',
  prune_backups: { 'keep-weekly': 4, 'keep-last': 3 },
  fleecing: 'local-lvm',
  notes_template: '{{guestname}}',
  comment: 'Medien für alle',
  mailto: ['root', 'ops@box.lan'],
  options: { 'exclude-path': ['/var/cache/*', '/srv/tmp'], ionice: 8 },
};

/** The same job twice: as a person wrote it, and as Proxmox writes it back. */
const byHand = `# the media stack
vzdump: media
	schedule 2:0
	vmid 1031,1034
	storage truenas-bu
	mode stop
	prune-backups keep-last=3,keep-weekly=4
	fleecing enabled=1,storage=local-lvm
	notes-template {{guestname}}
	comment Medien f%C3%BCr%20alle
	mailto root,ops@box.lan
	exclude-path /srv/tmp /var/cache/*
	ionice 8
`;
const byProxmox = `vzdump: media
	schedule 02:00
	comment Medien f%C3%BCr alle
	enabled 1
	exclude-path /var/cache/*
	exclude-path /srv/tmp
	fleecing 1,storage=local-lvm
	ionice 8
	mailto ops@box.lan,root
	mode stop
	notes-template {{guestname}}
	prune-backups keep-weekly=4,keep-last=3
	repeat-missed 0
	storage truenas-bu
	vmid 1034,1031

`;
const other = 'vzdump: nightly\n\tschedule daily\n\tall 1\n\tstorage local\n\n';

function cluster(tree: Tree, jobs?: string): Tree {
  mountCluster(tree);
  if (jobs !== undefined) writeFileSync(tree.path('/etc/pve/jobs.cfg'), jobs);
  return tree;
}

/** What Proxmox would be asked to do. */
function asked(tree: Tree, want: BackupJobSpec): string[] {
  const have = tree.have(pveBackupJob, want);
  const wanted = pveBackupJob.want(want, tree.context);
  const differs = tree.differs(pveBackupJob, want);
  const steps = pveBackupJob.steps({ spec: want, have, want: wanted, differs, context: tree.context });
  return steps.map((step) => step.run.text.replaceAll("'", ''));
}

const present = shells.filter((shell) => shell !== 'busybox' || hasBusybox);

describe.each(present)('pve_backup_job in %s', (shell) => {
  const fresh = (jobs?: string) => cluster(newTree(shell, { live: true, platform: 'pve' }), jobs);

  it.each([
    ['by hand', byHand],
    ['by Proxmox', byProxmox],
    ['behind another', other + byProxmox],
  ])('is as wanted when written %s', (_, jobs) => {
    expect(fresh(jobs).differs(pveBackupJob, spec)).toEqual([]);
  });

  it('has an own part that stays the same when Proxmox writes the file anew', () => {
    const own = (jobs: string) =>
      fresh(jobs)
        .look(pveBackupJob, [spec])
        .get('media')
        ?.facts.all('own')
        .filter((line) => !/^(schedule|exclude-path|repeat-missed) /.test(line));
    expect(own(byHand)).toEqual(own(`${other}${byProxmox}`));
    expect(own(byHand)?.length).toBeGreaterThan(8);
    expect(own(byHand)).not.toEqual(own(byHand.replace('mode stop', 'mode snapshot')));
  });

  it('prints for one of several what it prints for it alone', () => {
    const tree = fresh(`${byHand}\n${other}`);
    const second: BackupJobSpec = { ...spec, pve_backup_job: 'nightly' };
    const both = tree.look(pveBackupJob, [spec, second]);
    for (const one of [spec, second])
      expect(both.get(one.pve_backup_job)?.text).toBe(
        tree.look(pveBackupJob, [one]).get(one.pve_backup_job)?.text,
      );
    expect(both.get('nightly')?.facts.all('own')).toEqual([
      'all 1',
      'job vzdump: nightly',
      'schedule daily',
      'storage local',
    ]);
  });

  it.each([
    ['guests', 'vmid 1031,1034', 'vmid 1031'],
    ['guests', 'vmid 1031,1034', 'all 1'],
    ['schedule', 'schedule 2:0', 'schedule 2:1'],
    ['mode', 'mode stop', 'mode Stop'],
    ['prune_backups', 'keep-last=3,', 'keep-last=3, '],
    ['fleecing', 'enabled=1,storage', 'enabled=0,storage'],
    ['others', 'ionice 8', 'ionice 7'],
    ['others', 'ionice 8', 'ionice 8\n\ttmpdir /tmp'],
    ['others', 'ionice 8', 'ionice 8\n\tmaxfiles 1'],
    ['enabled', 'ionice 8', 'ionice 8\n\tenabled 0'],
    ['bwlimit', 'ionice 8', 'ionice 8\n\tbwlimit 1000'],
  ])('sees another %s: %s -> %s', (property, from, to) => {
    expect(byHand).toContain(from);
    expect(fresh(byHand.replace(from, to)).differs(pveBackupJob, spec)).toEqual([property]);
  });

  it('asks for what differs, takes away what is not wanted, and leaves to the API what it clears itself', () => {
    const tree = fresh(
      byHand
        .replace('vmid 1031,1034', 'all 1\n\texclude 105')
        .replace('ionice 8', 'protected 1\n\ttmpdir /tmp'),
    );
    expect(asked(tree, spec)).toEqual([
      'pvesh set /cluster/backup/media --vmid 1034,1031 --schedule 02:00 --exclude-path /var/cache/* --exclude-path /srv/tmp --ionice 8 --delete protected,tmpdir >/dev/null',
    ]);
    const { vmid: _, ...rest } = spec;
    expect(asked(tree, { ...rest, all: true })[0]).toMatch(
      /^pvesh set \S+ --all 1 --schedule .* --delete exclude,protected,tmpdir >/,
    );
    const away: BackupJobSpec = { pve_backup_job: 'media', state: 'absent' };
    expect(asked(tree, away)).toEqual(['pvesh delete /cluster/backup/media >/dev/null']);
    expect(asked(fresh(), spec)[0]).toMatch(
      /^pvesh create \/cluster\/backup --id media --vmid 1034,1031 .* --enabled 1 /,
    );
  });

  it('is not there when there is no file, and not known when /etc/pve is not the mounted one', () => {
    const tree = fresh();
    expect(tree.read(pveBackupJob, spec)).toEqual({ have: null });
    mountCluster(tree, 'ext4');
    expect(tree.read(pveBackupJob, spec)).toEqual({
      unknown: expect.stringContaining('pve-cluster does not run'),
    });
    tree.sh('rm mounts etc/pve/.members; rmdir etc/pve');
    expect(tree.read(pveBackupJob, spec)).toHaveProperty('unknown');
  });

  it('is read without quorum, and not changed', () => {
    const tree = fresh(byHand.replace('mode stop', 'mode snapshot'));
    const members = (text: string) => writeFileSync(tree.path('/etc/pve/.members'), text);
    expect(tree.read(pveBackupJob, spec)).not.toHaveProperty('blocked');
    // For a second after a change the kernel cuts it at its former length.
    members(clusterMembers(0).slice(0, -8));
    expect(tree.read(pveBackupJob, spec)).toMatchObject({
      blocked: expect.stringContaining('could not be read'),
    });
    members(clusterMembers(0));
    expect(tree.read(pveBackupJob, spec)).toMatchObject({
      have: { mode: 'snapshot' },
      blocked: expect.stringContaining('no quorum'),
    });
  });

  it('is not changed while Proxmox could not write the file, or would drop something from it', () => {
    const legacy = 'vzdump: old\n\tstarttime 02:00\n\tdow sat\n\tall 1\n\n';
    const swallowed =
      'vzdump: first\n\tschedule daily\n\tall 1\nvzdump: second\n\tschedule weekly\n\tall 1\n\n';
    const blank =
      'vzdump: first\n\tschedule daily\n\tall 1\n \nvzdump: second\n\tschedule weekly\n\tall 1\n\n';
    for (const [jobs, line] of [
      [legacy, 'line 1'],
      [swallowed, 'line 4'],
      [blank, 'line 5'],
    ] as const) {
      for (const mine of ['', byHand.replace('mode stop', 'mode snapshot')])
        expect(fresh(jobs + mine).refuse(pveBackupJob, spec)).toMatch(
          new RegExp(`${line}: .*Nothing was changed`),
        );
      expect(fresh(jobs).differs(pveBackupJob, { pve_backup_job: 'media', state: 'absent' })).toEqual([]);
    }
    const fine = fresh(`${legacy}${byHand}`);
    expect(fine.differs(pveBackupJob, spec)).toEqual([]);
    expect(pveBackupJob.symptoms?.(fine.read(pveBackupJob, spec), spec)).toMatchObject([
      { code: 'config-broken', of: 'file:/etc/pve/jobs.cfg' },
    ]);
    expect(pveBackupJob.symptoms?.(fresh(byHand).read(pveBackupJob, spec), spec)).toEqual([]);
    expect(fresh(other).refuse(pveBackupJob, spec)).toBeNull();
    // A job that Proxmox does not see because of its own lines is not gone either.
    expect(fresh(legacy).refuse(pveBackupJob, { pve_backup_job: 'old', state: 'absent' })).toContain(
      'has no schedule',
    );
    expect(fresh('realm-sync: media\n\tschedule daily\n\n').refuse(pveBackupJob, spec)).toContain(
      'realm-sync',
    );
  });
});
