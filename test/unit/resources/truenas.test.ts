import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ResourceType } from '../../../src/model/resource.ts';
import { truenasAcl } from '../../../src/resources/truenas-acl.ts';
import { truenasDataset } from '../../../src/resources/truenas-dataset.ts';
import { truenasService } from '../../../src/resources/truenas-service.ts';
import { truenasShare } from '../../../src/resources/truenas-share.ts';
import { hasBusybox, shells } from './tree.ts';
import { newWorld, type World } from './zfs-world.ts';

const path = '/mnt/main_pool/bu';
const share = {
  truenas_share: path,
  hosts: ['10.10.0.30'],
  networks: ['10.10.1.0/24'],
  maproot_user: 'root',
  maproot_group: 'root',
  comment: 'says "hello", it\'s {me}, [1]',
};

function truenas(version = '25.04', shell: (typeof shells)[number] = 'dash'): World {
  const world = newWorld(shell, ['truenas/midclt'], 'truenas-stand-ins.root', 'truenas');
  const root = join(world.state, '..');
  mkdirSync(join(root, path), { recursive: true });
  world.write('state/version', version);
  world.write('state/root-path', root);
  world.write('state/exports.d-path', join(root, 'exports.d'));
  world.write('state/datasets.json', {
    main_pool: {},
    'main_pool/bu': { props: { acltype: 'nfsv4', aclmode: 'restricted', comments: 'a "quoted" one' } },
    'main_pool/away': { locked: true },
    'main_pool/disk': { type: 'VOLUME' },
  });
  world.write('state/services.json', {
    nfs: { id: 11, enable: true, state: 'RUNNING' },
    ssh: { id: 9, enable: true, state: 'RUNNING' },
  });
  return world;
}

function text(world: World, name: string): string {
  const file = join(world.state, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

const done = { code: 0, said: '' };

describe.each(['22.02', '25.04', '26.04'])('truenas_share with the API of %s', (version) => {
  it('makes, compares as sets, repairs and takes away a share; root stays root only with user and group', () => {
    const world = truenas(version);
    expect(world.read(truenasShare, share)).toEqual({ have: null });
    expect(world.apply(truenasShare, share)).toEqual(done);
    const exported = `"${path}"\\\n\t10.10.0.30(sec=sys,rw,no_root_squash,subtree_check)\\\n\t10.10.1.0/24(sec=sys,rw,no_root_squash,subtree_check)\n`;
    expect(text(world, 'exports')).toBe(exported);
    expect(world.apply(truenasShare, share)).toBeNull();
    const other = { ...share, hosts: ['B.lan', 'a.lan'], security: ['sys'] };
    expect(world.apply(truenasShare, other)).toEqual(done);
    expect(world.apply(truenasShare, { ...other, hosts: ['a.lan', 'b.lan'], security: ['SYS'] })).toBeNull();
    const all = { truenas_share: path, hosts: ['10.10.0.30'], mapall_user: 'root', mapall_group: 'root' };
    expect(world.apply(truenasShare, all)).toEqual(done);
    expect(text(world, 'exports')).toBe(
      `"${path}"\\\n\t10.10.0.30(sec=sys,rw,anonuid=0,anongid=0,all_squash,subtree_check)\n`,
    );
    expect(world.apply(truenasShare, all)).toBeNull();
    expect(world.apply(truenasShare, { truenas_share: path, state: 'absent' })).toEqual(done);
    expect(world.read(truenasShare, share)).toEqual({ have: null });
    expect(existsSync(join(world.state, '..', path))).toBe(true);
  });
});

it('the stand-in squashes root whose group nobody named', () => {
  const world = truenas();
  world.write('state/shares.json', [
    { id: 3, path, hosts: ['10.10.0.30'], networks: [], maproot_user: 'root', enabled: true },
  ]);
  expect(world.apply(truenasShare, { ...share, comment: 'x' })).toEqual(done);
  expect(world.calls().at(-1)).toMatch(
    /^midclt call sharing\.nfs\.update 3 \{.*"maproot_user":"root","maproot_group":"root","mapall_user":null/,
  );
  world.write('state/shares.json', [
    { id: 3, path, hosts: ['10.10.0.30'], networks: [], maproot_user: 'root', enabled: true },
  ]);
  expect(world.apply(truenasService, { truenas_service: 'nfs', active: true })).toBeNull();
  world.write('state/services.json', { nfs: { id: 11, enable: true, state: 'STOPPED' } });
  expect(world.apply(truenasService, { truenas_service: 'nfs', active: true })).toEqual(done);
  expect(text(world, 'exports')).toContain('(sec=sys,rw,anonuid=0,subtree_check)');
});

const mistakes = (spec: object) =>
  truenasShare
    .mistakes?.({ truenas_share: path, ...spec } as never)
    .map(({ at, says }) => `${at.join('.')} ${says}`) ?? [];

it.each([
  [{}, /^ names no hosts and no networks, which is everybody/],
  [{ hosts: ['a.lan', 'A.lan'] }, /^hosts names one host twice/],
  [{ hosts: ['a'], maproot_user: 'root' }, /^maproot_user is root without maproot_group/],
  [{ hosts: ['a'], mapall_user: 'root' }, /^mapall_user is root without mapall_group/],
  [{ hosts: ['a'], mapall_group: 'root' }, /^mapall_group needs mapall_user/],
  [{ hosts: ['a'], maproot_user: 'a', mapall_user: 'b' }, /^mapall_user cannot stand beside maproot_user/],
  [
    { networks: ['0.0.0.0/0'], mapall_user: 'root', mapall_group: 'root' },
    /^mapall_user is root and the share is open to everybody/,
  ],
  [
    { hosts: ['*'], maproot_user: 'root', maproot_group: 'root' },
    /^maproot_user is root and the share is open/,
  ],
  [
    { networks: ['::/0'], mapall_user: 'root', mapall_group: 'root' },
    /^mapall_user is root and the share is open/,
  ],
  [
    { networks: ['10.10.0.5/24'] },
    /^networks\.0 is "10\.10\.0\.5\/24", an address inside the network 10\.10\.0\.0\/24/,
  ],
  [{ networks: ['10.10.0.256/32'] }, /^networks\.0 is "10\.10\.0\.256\/32", which is no network/],
  [{ networks: ['10.10.0.0/33'] }, /which is no network/],
  [{ networks: ['fe80::1::2/64'] }, /which is no network/],
  [
    { networks: ['10.10.0.0/16', '10.10.3.0/24'] },
    /^networks holds 10\.10\.0\.0\/16 and 10\.10\.3\.0\/24, which overlap/,
  ],
  [{ networks: ['fd00::/48', 'fd00:0:0:1::/64'] }, /which overlap/],
])('%j is a mistake', (spec, said) => {
  expect(mistakes(spec)).toEqual([expect.stringMatching(said)]);
});

it.each([
  { hosts: ['a'], maproot_user: 'root', maproot_group: 'wheel' },
  { networks: ['0.0.0.0/0'] },
  { networks: ['10.10.0.0/24', '10.10.1.0/24', 'fd00::/64'], mapall_user: 'backup' },
  { state: 'absent' },
])('%j is none', (spec) => expect(mistakes(spec)).toEqual([]));

describe('a share that would not be exported', () => {
  it.each([
    ['there is no directory', () => {}, '/mnt/main_pool/gone'],
    [
      '2 shares have the path',
      (world: World) =>
        world.write(
          'state/shares.json',
          [1, 2].map((id) => ({ id, path, hosts: [`h${id}`], enabled: true })),
        ),
      path,
    ],
    [
      'is locked, so it is not exported',
      (world: World) =>
        world.write('state/shares.json', [{ id: 1, path, hosts: share.hosts, locked: true, enabled: true }]),
      path,
    ],
  ])('is refused: %s', (said, prepare, at) => {
    const world = truenas();
    prepare(world);
    const refused = world.apply(truenasShare, { ...share, truenas_share: at });
    expect(refused).toEqual({ refused: expect.stringContaining(said) });
    expect(world.calls().filter((call) => !call.includes('.query'))).toEqual([]);
  });

  it('one whose directory went away after it was made too', () => {
    const world = truenas();
    const gone = '/mnt/main_pool/gone';
    world.write('state/shares.json', [{ id: 1, path: gone, hosts: ['a'], networks: [], enabled: true }]);
    const spec = { truenas_share: gone, hosts: ['a'] };
    expect(world.apply(truenasShare, spec)).toEqual({
      refused: expect.stringContaining('there is no directory'),
    });
    expect(world.apply(truenasShare, { truenas_share: gone, state: 'absent' })).toEqual(done);
  });

  it('what TrueNAS refuses is told in its words', () => {
    const world = truenas();
    const made = world.apply(truenasShare, { truenas_share: path, hosts: ['a'], maproot_user: 'nosuch' });
    expect(made).toMatchObject({ code: 1, said: expect.stringContaining('User not found: nosuch') });
    expect(text(world, 'shares.json')).toBe('');
  });
});

describe('truenas_dataset', () => {
  const spec = {
    truenas_dataset: 'main_pool/bu',
    acltype: 'NFSV4',
    aclmode: 'PASSTHROUGH',
    recordsize: '1M',
  };
  it('lets chmod through, and tells of an export where it does not', () => {
    const world = truenas();
    const seen = world.read(truenasDataset, spec);
    expect(truenasDataset.symptoms?.(seen, spec as never)).toEqual([
      expect.objectContaining({ code: 'acl-restricted', of: `export:${path}` }),
    ]);
    expect(world.apply(truenasDataset, spec)).toEqual(done);
    expect(world.apply(truenasDataset, spec)).toBeNull();
    expect(world.calls()).toContain(
      'midclt call pool.dataset.update "main_pool/bu" {"aclmode":"PASSTHROUGH","recordsize":"1M"}',
    );
    expect(truenasDataset.symptoms?.(world.read(truenasDataset, spec), spec as never)).toEqual([]);
  });

  it.each([
    [{ acltype: 'POSIX', aclmode: 'DISCARD' }, 'nfs/repair-permissions'],
    [{ aclmode: 'DISCARD' }, 'NFSV4 does not allow'],
    [{ truenas_dataset: 'main_pool/away', atime: 'ON' }, 'main_pool/away is locked'],
    [{ truenas_dataset: 'main_pool/disk', compression: 'ZSTD' }, 'is a volume, not a file system'],
    [{ truenas_dataset: 'main_pool/gone', atime: 'ON' }, 'datasets are made by hand'],
  ])('%j is refused: %s', (more, said) => {
    const world = truenas();
    const refused = world.apply(truenasDataset, { truenas_dataset: 'main_pool/bu', ...more });
    expect(refused).toEqual({ refused: expect.stringContaining(said) });
    expect(world.calls().filter((call) => call.includes('.update'))).toEqual([]);
  });

  it('a combination that cannot be is an input error', () => {
    expect(
      truenasDataset.mistakes?.({
        truenas_dataset: 'a/b',
        acltype: 'POSIX',
        aclmode: 'PASSTHROUGH',
      } as never),
    ).toHaveLength(1);
    expect(truenasDataset.mistakes?.(spec as never)).toEqual([]);
  });
});

it('starts nfs by the call that the version has, and does not believe an answer', () => {
  for (const version of ['22.02', '25.04', '26.04']) {
    const world = truenas(version);
    const nfs = { truenas_service: 'nfs', enabled: true, active: true };
    world.write('state/services.json', { nfs: { id: 11, enable: false, state: 'STOPPED' } });
    expect(world.apply(truenasService, nfs)).toEqual(done);
    expect(world.apply(truenasService, nfs)).toBeNull();
  }
  const world = truenas();
  world.write('state/services.json', { nfs: { id: 11, enable: true, state: 'STOPPED' } });
  world.write('exports.d/ours.exports', '');
  expect(world.apply(truenasService, { truenas_service: 'nfs', active: true })).toEqual(done);
  expect(world.read(truenasService, { truenas_service: 'nfs' })).toMatchObject({ have: { active: false } });
});

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('looking, on %s', (shell) => {
  const types: readonly [ResourceType, readonly object[], string][] = [
    [truenasShare, [share, { ...share, truenas_share: '/mnt/main_pool/other' }], 'truenas_share'],
    [
      truenasDataset,
      [{ truenas_dataset: 'main_pool/bu' }, { truenas_dataset: 'main_pool/away' }],
      'truenas_dataset',
    ],
    [truenasService, [{ truenas_service: 'nfs' }, { truenas_service: 'ssh' }], 'truenas_service'],
  ];
  it('one call answers for all, each with what is its own and nothing that changes by itself', () => {
    const world = truenas('25.04', shell);
    expect(world.apply(truenasShare, share)).toEqual(done);
    world.calls();
    for (const [type, specs, key] of types) {
      const both = world.look(type, specs);
      expect(world.calls()).toHaveLength(1);
      for (const spec of specs) {
        const id = (spec as Record<string, string>)[key] ?? '';
        expect(both.get(id)?.text).toBe(world.look(type, [spec]).get(id)?.text);
        expect(both.get(id)?.facts.get('unknown')).toBeUndefined();
        expect(both.get(id)?.text).not.toContain('used');
      }
      world.calls();
    }
    expect(world.read(truenasShare, share)).toMatchObject({ have: { comment: share.comment } });
    expect(world.read(truenasDataset, { truenas_dataset: 'main_pool/bu' })).toMatchObject({
      have: { comments: 'a "quoted" one' },
    });
  });

  it('a middleware that hangs, or does not run, is not known', () => {
    const world = truenas('25.04', shell);
    world.write('state/down', '');
    for (const [type, specs, key] of types) {
      const id = ((specs[0] ?? {}) as Record<string, string>)[key] ?? '';
      expect(world.look(type, specs).get(id)?.facts.get('unknown')).toMatch(
        / failed: Failed to run middleware call/,
      );
    }
    world.write('state/hang', '');
    expect(world.look(truenasShare, [share], 1).get(path)?.facts.get('unknown')).toMatch(/^no answer in /);
    expect(
      world
        .look(truenasAcl, [{ truenas_acl: path }], 1)
        .get(path)
        ?.facts.get('unknown'),
    ).toMatch(/^no answer in /);
  });

  it('what hung once is not asked again', () => {
    const world = truenas('25.04', shell);
    world.write('state/hang', '');
    const specs = ['bu', 'other', 'third'].map((name) => ({ truenas_acl: `/mnt/main_pool/${name}` }));
    const seen = world.look(truenasAcl, specs, 1);
    for (const { truenas_acl: at } of specs)
      expect(seen.get(at)?.facts.get('unknown')).toMatch(/^no answer in /);
    expect(world.calls()).toHaveLength(1);
  });

  it('knows an ACL from a mode', () => {
    const world = truenas('25.04', shell);
    const acl = { truenas_acl: path, trivial: true };
    expect(world.read(truenasAcl, acl)).toEqual({ have: { trivial: true } });
    world.write('state/acls.json', { [path]: true });
    expect(world.read(truenasAcl, acl)).toEqual({ have: { trivial: false } });
    expect(world.read(truenasAcl, { truenas_acl: '/mnt/x/gone' })).toMatchObject({
      unknown: expect.stringContaining('[ENOENT]'),
    });
  });
});
