import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { nfsExport } from '../../../src/resources/export.ts';
import {
  canonicalClient,
  canonicalOptions,
  exportsFile,
  exportsText,
  parseClient,
} from '../../../src/resources/export-options.ts';
import { hasBusybox, hostile, newTree, shells } from './tree.ts';

describe('clients and options that mean the same are the same', () => {
  it.each([
    ['<world>', '*'],
    ['10.1.2.3/255.255.0.0', '10.1.0.0/16'],
    ['10.10.0.0/24', '10.10.0.0/24'],
    ['10.0.0.5/32', '10.0.0.5'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['10.0.0.0/255.0.255.0', '10.0.0.0'],
    ['FE80:0:0::1', 'fe80::1'],
    ['2001:db8:0:0::/64', '2001:db8::/64'],
    ['NAS.lan', 'nas.lan'],
    ['@Group', '@group'],
  ])('%s is %s', (client, canonical) => {
    expect(canonicalClient(client)).toBe(canonical);
  });

  it.each([
    ['rw', 'rw,sync,wdelay,hide,nocrossmnt,secure,root_squash,no_subtree_check,sec=sys,rw,root_squash', 'rw'],
    ['no_root_squash,rw', 'rw,no_root_squash,sec=sys,rw,no_root_squash,no_all_squash', 'rw,no_root_squash'],
    ['', 'ro,anonuid=65534,anongid=65534,acl,no_pnfs,secure_locks', 'ro'],
    ['rw,mp,fsid=root', 'fsid=0,mountpoint,sec=sys,rw', 'rw,fsid=0,mountpoint'],
    ['mp=/srv,anonuid=0', 'ro,anonuid=0,mountpoint=/srv', 'ro,anonuid=0,mountpoint=/srv'],
    ['async,insecure', 'insecure,async,ro', 'ro,async,insecure'],
  ])('%s is %s', (one, other, canonical) => {
    expect(canonicalOptions(one.split(','))).toBe(canonical);
    expect(canonicalOptions(other.split(','))).toBe(canonical);
  });

  it('a difference that matters stays one', () => {
    const words = [
      'rw',
      'async',
      'nohide',
      'crossmnt',
      'insecure',
      'no_root_squash',
      'all_squash',
      'anonuid=1',
      'sec=krb5',
    ];
    const forms = words.map((word) => canonicalOptions([word]));
    expect(new Set([...forms, canonicalOptions([])]).size).toBe(words.length + 1);
  });

  it('takes a line of the table apart', () => {
    expect(parseClient('10.0.0.0/8(rw,sync)')).toEqual({ client: '10.0.0.0/8', options: ['rw', 'sync'] });
    expect(parseClient('*')).toEqual({ client: '*', options: [''] });
  });
});

describe('our file', () => {
  const clients = [
    { client: '10.10.0.0/24', options: ['rw', 'no_root_squash'] },
    { client: '*', options: ['ro', 'subtree_check'] },
  ];

  it('has no blank before a parenthesis, and says what exportfs would warn about', () => {
    expect(exportsText('/srv/a b#"c"\\', clients)).toBe(
      '# Kept by provision: changes made here are undone.\n' +
        '/srv/a\\040b\\043\\042c\\042\\134 10.10.0.0/24(rw,no_root_squash,no_subtree_check) *(ro,subtree_check)\n',
    );
  });

  it('has a name of its own for every path, and one that exportfs reads', () => {
    const paths = ['/srv/a-b', '/srv/a/b', '/srv/a%2db', '/srv/a b', '/srv/.x', '/srv/é'];
    const names = paths.map(exportsFile);
    expect(new Set(names).size).toBe(paths.length);
    for (const name of names)
      expect(name).toMatch(/^\/etc\/exports\.d\/provision-[A-Za-z0-9._%-]+\.exports$/);
  });

  it('the schema lets nothing through that could open another export', () => {
    const valid = new Ajv({ strict: false }).compile(nfsExport.schema);
    const of = (client: string, option = 'rw') => ({
      export: '/srv',
      clients: [{ client, options: [option] }],
    });
    for (const good of [
      '*',
      '10.0.0.0/8',
      '10.0.0.0/255.0.0.0',
      '@group',
      '*.lan',
      'fe80::1',
      '2001:db8::/32',
      'nas1.lan',
    ])
      expect(valid(of(good)), good).toBe(true);
    for (const bad of ['10.0.0.0/8 ', 'a b', '*(rw)', 'a\n/', '', '#x', 'a,b', '-'.concat('\\')])
      expect(valid(of(bad)), bad).toBe(false);
    for (const bad of ['rw,ro', 'rw)', 'norootsquash', 'anonuid=x', 'fsid=', ''])
      expect(valid(of('*', bad)), bad).toBe(false);
    expect(valid({ export: '/srv', clients: [{ client: '*', options: [] }] })).toBe(false);
    expect(valid({ export: '/srv' })).toBe(false);
    expect(valid({ export: '/srv', state: 'absent' })).toBe(true);
  });

  it.each(['truenas', 'synology'] as const)('is refused on %s', (platform) => {
    const context = { host: 'nas', platform, live: true };
    const spec = { export: '/srv', clients };
    expect(nfsExport.refuse?.({ spec, have: null, want: {}, differs: ['file'], context })).toMatch(
      /TrueNAS|DSM/,
    );
  });
});

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))(
  'an export in a tree, on %s',
  (shell) => {
    it.each(hostile.filter((name) => name !== '-rf'))('of %s is written once and removed', (name) => {
      const tree = newTree(shell);
      const spec = { export: `/srv/${name}`, clients: [{ client: '*', options: ['ro'] }] };
      expect(tree.have(nfsExport, spec)).toBeNull();
      expect(tree.apply(nfsExport, spec)).toEqual({ ok: true, said: '' });
      expect(tree.differs(nfsExport, spec)).toEqual([]);
      const gone = { export: spec.export, state: 'absent' };
      expect(tree.apply(nfsExport, gone).ok).toBe(true);
      expect(tree.have(nfsExport, gone)).toBeNull();
      expect(tree.sh('find . -name PWNED -o -name "provision-*"')).toBe('');
    });

    it('finds the same directory in another file, quoted, escaped or continued', () => {
      const tree = newTree(shell);
      tree.sh(`mkdir etc/exports.d; printf '%s\\n' '"/srv/a b" *(rw)' '/srv/c\\040d *(ro)' >etc/exports`);
      tree.sh(`printf '%s\\n' '# /srv/no *(rw)' '/srv/e \\' ' *(ro)' >etc/exports.d/hand.exports`);
      for (const [path, where] of [
        ['/srv/a b', '/etc/exports'],
        ['/srv/c d', '/etc/exports'],
        ['/srv/e', '/etc/exports.d/hand.exports'],
      ]) {
        const spec = { export: path, clients: [{ client: '*', options: ['ro'] }] };
        expect(tree.refuse(nfsExport, spec), path).toContain(`also exported by ${where};`);
      }
      expect(tree.refuse(nfsExport, { export: '/srv/no', clients: [] })).toBeNull();
    });
  },
);
