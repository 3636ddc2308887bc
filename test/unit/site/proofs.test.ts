import { describe, expect, it } from 'vitest';
import { fromPlain, loadSchemas } from '../../../src/inventory/schema.ts';
import { resourceTypes } from '../../../src/resources/index.ts';
import { type Proof, proofsOf } from '../../../src/site/proofs.ts';
import { pictureOf, type World } from './world.ts';

const world: World = {
  hosts: {
    pbs: {
      platform: 'pbs',
      address: '10.10.0.151',
      vars: { pbs: { decommissioned: [{ group: 'vm/330', reason: 'gone', since: '2026-01-02' }] } },
      has: { 'pbs_datastore store': { path: '/mnt/store', local: true } },
    },
    ruapehu: {
      platform: 'pve',
      address: '10.10.0.10',
      guests: [
        { vmid: 109, type: 'vm', storage: 'pbs' },
        { vmid: 200, type: 'ct', storage: 'local' },
        { vmid: 300, type: 'ct', excluded: 'a scratch machine' },
      ],
      has: {
        'pve_storage pbs': { type: 'pbs', server: '10.10.0.151', datastore: 'store', namespace: 'a' },
        'pve_storage local': { type: 'dir', path: '/var/lib/vz' },
        'pve_backup_job daily': { vmid: [109], storage: 'pbs', schedule: '02:00' },
        'pve_backup_job weekly': { vmid: [200], storage: 'local', schedule: 'sun 04:00' },
      },
    },
    // Writes to a datastore of the same name on a server that is not ours.
    other: {
      platform: 'pve',
      address: '10.10.0.11',
      guests: [{ vmid: 111, type: 'vm', storage: 'far' }],
      has: {
        'pve_storage far': { type: 'pbs', server: '10.10.9.9', datastore: 'store' },
        'pve_backup_job daily': { vmid: [111], storage: 'far', schedule: '02:00' },
      },
    },
  },
};

function proofs(name: string, of: World = world): Proof[] {
  const picture = pictureOf(of);
  const host = picture.hosts.find((one) => one.name === name);
  if (host === undefined) throw new Error(name);
  return proofsOf(picture, host);
}

describe('checks that follow from the jobs of the site', () => {
  it('on a node: the log of every guest that a job takes, and the archives in its directories', () => {
    expect(proofs('ruapehu').map(({ id, spec }) => [id, spec])).toEqual([
      ['backup-jobs/log-109', { backup_log: 109, kind: 'vm', storage: 'pbs', max_age_hours: 48 }],
      ['backup-jobs/log-200', { backup_log: 200, kind: 'ct', storage: 'local', max_age_hours: 336 }],
      [
        'backup-jobs/archives-local',
        { dump_backups: '/var/lib/vz/dump', guests: [{ vmid: 200, kind: 'ct', max_age_hours: 336 }] },
      ],
    ]);
  });

  it('on a backup server: the groups of all hosts that write there, in their namespaces; others are known or declared', () => {
    expect(proofs('pbs').map(({ id, spec }) => [id, spec])).toEqual([
      [
        'pbs/backups-store',
        {
          pbs_backups: 'store',
          groups: [{ group: 'vm/109', ns: 'a', max_age_hours: 48 }],
          decommissioned: [
            { group: 'vm/330', reason: 'gone', since: '2026-01-02' },
            { group: 'ct/200', reason: 'no job of ruapehu backs it up to here' },
            { group: 'ct/300', reason: 'a scratch machine' },
            { group: 'vm/111', reason: 'no job of other backs it up to here' },
          ],
        },
      ],
    ]);
  });

  it('what is mounted for backups can be written to; once is enough', () => {
    const nas = structuredClone(world);
    Object.assign(nas.hosts.ruapehu?.has ?? {}, {
      'pve_storage nas': { type: 'nfs', server: 'nas.lan', export: '/bu', content: ['backup'] },
      'pve_storage iso': { type: 'nfs', server: 'nas.lan', export: '/iso', content: ['iso'] },
    });
    const mounts = () => proofs('ruapehu', nas).filter(({ type }) => type === 'mount_health');
    expect(mounts().map(({ id, spec }) => [id, spec])).toEqual([
      [
        'pve-storage/mount-nas',
        {
          mount_health: '/mnt/pve/nas',
          source: 'nas.lan:/bu',
          type: 'nfs',
          expect_entry: 'dump',
          write_test: true,
          limit: 20,
        },
      ],
    ]);
    Object.assign(nas.hosts.ruapehu?.has ?? {}, { 'mount_health /mnt/pve/nas': { source: 'nas.lan:/bu' } });
    expect(mounts()).toEqual([]);
  });

  it('what a role looks at already is not looked at twice', () => {
    const own = structuredClone(world);
    Object.assign(own.hosts.pbs?.has ?? {}, { 'pbs_backups store': { groups: [] } });
    expect(proofs('pbs', own)).toEqual([]);
  });

  it('a job that is off proves nothing', () => {
    const off: World = structuredClone(world);
    Object.assign(off.hosts.ruapehu?.has?.['pve_backup_job daily'] ?? {}, { enabled: false });
    expect(proofs('ruapehu', off).map(({ id }) => id)).not.toContain('backup-jobs/log-109');
  });

  it('what they ask fits the types that look', async () => {
    const schemas = await loadSchemas();
    const where = { file: 'x', line: 1, column: 1 };
    for (const { type: name, spec } of [...proofs('ruapehu'), ...proofs('pbs')]) {
      const type = resourceTypes.find((one) => one.name === name);
      if (type === undefined) throw new Error(name);
      expect(schemas.judge(type.schema)(fromPlain(spec, where), { name })).toEqual([]);
    }
  });
});
