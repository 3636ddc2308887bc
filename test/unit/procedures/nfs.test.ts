import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Question } from '../../../src/model/procedure.ts';
import type { Sh } from '../../../src/model/sh.ts';
import { nfsMounts, probeQuestion } from '../../../src/procedures/nfs-mounts.ts';
import { repairPermissions } from '../../../src/procedures/nfs-repair-permissions.ts';
import { observePrelude, opening } from '../../../src/shell/observe.ts';
import { answersOf, planned, siteOf } from './world.ts';

const from = { file: 'inventory/hosts/pve2.yaml', line: 1, column: 1 };
const bu = { id: 'bu', type: 'nfs', server: '10.10.0.104', export: '/mnt/main/bu', from };
const site = siteOf(
  { name: 'pve2', storages: [bu] },
  { name: 'pve3', storages: [bu, { id: 'srv', type: 'nfs', server: 'pve', export: '/srv/nfs', from }] },
  { name: 'pve' },
  { name: 'truenas-bu', platform: 'truenas', address: '10.10.0.104' },
);
const probe = (mode = 'ok', write = 'ok') => [
  'probe:/mnt/pve/bu | mounted | 10.10.0.104:/mnt/main/bu',
  `probe:/mnt/pve/bu | write | ${write}`,
  ...(write === 'ok' ? ['probe:/mnt/pve/bu | time | ok', `probe:/mnt/pve/bu | mode | ${mode}`] : []),
];
const eperm = 'Operation not permitted';

/** A TrueNAS of stand-ins in a directory of this machine. */
function truenas(version: string, properties: object, share: object) {
  const dir = mkdtempSync(join(tmpdir(), 'provision-nas-'));
  mkdirSync(join(dir, 'bin'));
  mkdirSync(join(dir, 'root/mnt/main/bu'), { recursive: true });
  copyFileSync('test/lab/stand-ins/truenas/midclt', join(dir, 'bin/midclt'));
  chmodSync(join(dir, 'bin/midclt'), 0o755);
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  write('bin/truenas-stand-ins.root', dir);
  write('version', version);
  write('root-path', join(dir, 'root'));
  write('acls.json', JSON.stringify({ '/mnt/main/bu': true }));
  write(
    'datasets.json',
    JSON.stringify({
      'main/bu': { type: 'FILESYSTEM', mountpoint: '/mnt/main/bu', locked: false, props: properties },
    }),
  );
  write(
    'shares.json',
    JSON.stringify([{ id: 3, path: '/mnt/main/bu', enabled: true, hosts: ['10.10.0.2'], ...share }]),
  );
  const shell = (text: string): string[] =>
    execFileSync('/bin/sh', [
      '-c',
      `${opening({ nonce: 'abcdef', root: '/' })}\nexport PATH="${dir}/bin:$PATH"\n${observePrelude}\n(\n${text}\n)`,
    ])
      .toString()
      .split('\n')
      .map((line) => line.replaceAll('\t', ' | '));
  return {
    ask: ({ look }: Question): string[] => shell(look.text),
    run: ({ text }: Sh) => shell(text),
    read: (name: string) => readFileSync(join(dir, name), 'utf8'),
  };
}

it('knows the mounts of all clients by their servers, and starts from either end', () => {
  expect(nfsMounts(site).map(({ client, point, nas }) => `${client} ${point} ${nas}`)).toEqual([
    'pve2 /mnt/pve/bu truenas-bu',
    'pve3 /mnt/pve/bu truenas-bu',
    'pve3 /mnt/pve/srv pve',
  ]);
  expect(repairPermissions.hosts(site, {})).toEqual(['pve2', 'truenas-bu', 'pve3', 'pve']);
  const asked = (host: string, path?: string) =>
    repairPermissions.questions(site, host, { path }).map((one) => one.host);
  expect(asked('truenas-bu')).toEqual(['pve2', 'pve3', 'truenas-bu']);
  expect(asked('pve3', '/srv/nfs')).toEqual(['pve3', 'pve']);
  expect(planned(repairPermissions, site, 'pve3', {}, {}).refused?.why).toContain('several exports');
});

describe('on TrueNAS', () => {
  const restricted = { acltype: 'nfsv4', aclmode: 'restricted' };
  const rooted = { maproot_user: 'root', maproot_group: 'root' };
  const clients = { pve2: probe(eperm), pve3: probe(eperm) };
  const question = () => {
    const found = repairPermissions.questions(site, 'pve2', {}).find(({ host }) => host === 'truenas-bu');
    if (!found) throw new Error('TrueNAS is not asked');
    return found;
  };

  it.each(['22.12', '25.04'])(
    '%s: sets the ACL mode, says how to undo it, and lets every client try again',
    (version) => {
      const nas = truenas(version, restricted, rooted);
      const plan = planned(
        repairPermissions,
        site,
        'pve2',
        { cure: 'passthrough' },
        { ...clients, 'truenas-bu': nas.ask(question()) },
      );
      expect(plan.refused).toBeUndefined();
      expect(plan.abouts[0]).toBe(
        `let modes be set on main/bu (aclmode RESTRICTED -> PASSTHROUGH); undone by: midclt call pool.dataset.update main/bu '{"aclmode":"RESTRICTED"}'`,
      );
      expect(plan.steps.map(({ host }) => host)).toEqual(['truenas-bu', 'pve2', 'pve3']);
      const [set, try2] = plan.steps;
      const now = () => answersOf({ ...clients, 'truenas-bu': nas.ask(question()) });
      expect(set?.verify(now())?.why).toContain('RESTRICTED');
      if (set) nas.run(set.run);
      expect(set?.verify(now())).toBeNull();
      expect(try2?.verify(now())?.why).toContain(`cannot set its mode: ${eperm}`);
      expect(try2?.verify(answersOf({ pve2: probe() }))).toBeNull();
    },
  );

  it('makes no POSIX dataset of one whose ACLs others inherit', () => {
    const dataset = (id: string, source: string, children: object[] = []) => ({
      id,
      type: 'FILESYSTEM',
      acltype: { value: 'NFSV4', source },
      aclmode: { value: 'RESTRICTED', source },
      children,
    });
    const plan = (children: object[]) => {
      const said = [
        `truenas | datasets | ${JSON.stringify([dataset('main/bu', 'LOCAL', children)])}`,
        'truenas | acl | {"trivial":false}',
        'truenas | shares | []',
      ];
      const parameters = { cure: 'posix' };
      return planned(repairPermissions, site, 'pve2', parameters, { ...clients, 'truenas-bu': said });
    };
    expect(plan([]).abouts[0]).toContain('POSIX');
    expect(
      plan([dataset('main/bu/own', 'LOCAL', [dataset('main/bu/own/b', 'INHERITED')])]).abouts,
    ).toHaveLength(3);
    expect(plan([dataset('main/bu/a', 'INHERITED', [dataset('main/bu/a/b', 'INHERITED')])])).toMatchObject({
      steps: [],
      refused: { why: expect.stringMatching(/^main\/bu\/a, main\/bu\/a\/b below main\/bu would lose/) },
    });
  });

  it('takes ACLs away only when asked for by name, and says that this is for good', () => {
    const nas = truenas('25.04', restricted, rooted);
    const plan = planned(
      repairPermissions,
      site,
      'pve2',
      { cure: 'strip' },
      { ...clients, 'truenas-bu': nas.ask(question()) },
    );
    expect(plan.abouts[0]).toContain('this cannot be undone');
    const [strip] = plan.steps;
    if (strip) nas.run(strip.run);
    expect(strip?.verify(answersOf({ 'truenas-bu': nas.ask(question()) }))).toBeNull();
  });

  it('maps root to root, user and group, where clients cannot write', () => {
    const nas = truenas('25.04', { acltype: 'posix', aclmode: 'discard' }, { maproot_user: 'root' });
    const said = { pve2: probe('', 'Permission denied'), pve3: probe(), 'truenas-bu': nas.ask(question()) };
    const [map] = planned(repairPermissions, site, 'pve2', { cure: 'passthrough' }, said).steps;
    expect(map?.about).toContain('maproot root:none -> root:root');
    if (map) nas.run(map.run);
    expect(map?.verify(answersOf({ 'truenas-bu': nas.ask(question()) }))).toBeNull();
    expect(JSON.parse(nas.read('shares.json'))).toMatchObject([
      { maproot_user: 'root', maproot_group: 'root' },
    ]);
  });

  it.each([
    ['both lists are empty', { hosts: [], networks: [] }],
    ['any host', { hosts: ['*'] }],
    ['the whole network', { networks: ['0.0.0.0/0'] }],
  ])('makes nobody root of a share that is open to everybody: %s', (_, open) => {
    const posix = { acltype: 'posix', aclmode: 'discard' };
    const said = { pve2: probe('', 'Permission denied'), pve3: probe() };
    const shown = truenas('25.04', posix, open).ask(question());
    const plan = planned(repairPermissions, site, 'pve2', {}, { ...said, 'truenas-bu': shown });
    expect(plan).toMatchObject({ steps: [], refused: { why: expect.stringContaining('to everybody') } });
    const nas = truenas('25.04', posix, {}).ask(question());
    const [map] = planned(repairPermissions, site, 'pve2', {}, { ...said, 'truenas-bu': nas }).steps;
    expect(map?.guard(answersOf({ 'truenas-bu': nas }))).toBeNull();
    expect(map?.guard(answersOf({ 'truenas-bu': shown }))?.why).toContain('another one');
    const other = truenas('25.04', posix, { id: 4 }).ask(question());
    expect(map?.guard(answersOf({ 'truenas-bu': other }))?.why).toContain('another one');
  });

  it('leaves everything alone where all is well, where nothing is known, and where the cause is elsewhere', () => {
    const nas = truenas('25.04', restricted, rooted).ask(question());
    expect(
      planned(repairPermissions, site, 'pve2', {}, { pve2: probe(), pve3: probe(), 'truenas-bu': nas }),
    ).toMatchObject({
      steps: [],
      found: [expect.stringContaining('writes'), expect.stringContaining('writes')],
    });
    expect(
      planned(repairPermissions, site, 'pve2', {}, { pve2: null, pve3: null, 'truenas-bu': nas }).refused,
    ).toMatchObject({ unknown: true });
    expect(
      planned(
        repairPermissions,
        site,
        'pve2',
        {},
        { ...clients, 'truenas-bu': ['truenas | unknown | no answer'] },
      ).refused,
    ).toMatchObject({ unknown: true });
    const other = truenas('25.04', { acltype: 'posix', aclmode: 'discard' }, rooted).ask(question());
    expect(
      planned(repairPermissions, site, 'pve2', {}, { ...clients, 'truenas-bu': other }).refused?.why,
    ).toContain('neither');
  });
});

it('an export that this program keeps is changed in the inventory', () => {
  const said = {
    pve3: ['probe:/mnt/pve/srv | mounted | pve:/srv/nfs', `probe:/mnt/pve/srv | write | Permission denied`],
    pve: ['export | line | 10.10.0.0/24(rw,sync,no_all_squash,root_squash,anonuid=65534)'],
  };
  const plan = planned(repairPermissions, site, 'pve3', { path: '/mnt/pve/srv' }, said);
  expect(plan).toMatchObject({ steps: [], refused: { why: expect.stringContaining('root_squash') } });
  expect(plan.refused?.hint).toContain('no_root_squash in the variables of the role nfs-server of pve');
  const open = { ...said, pve: ['export | line | 10.10.0.0/24(rw,sync,no_root_squash,no_all_squash)'] };
  expect(planned(repairPermissions, site, 'pve3', { path: '/mnt/pve/srv' }, open).refused?.why).toContain(
    'does not show the cause',
  );
});

it('tries what vzdump does and leaves nothing; where no NFS is mounted nothing is written', () => {
  const dir = mkdtempSync(join(tmpdir(), 'provision-probe-'));
  const { look } = probeQuestion({ client: 'pve2', point: dir, server: '', path: '', nas: '' });
  const shell = (text: string): string =>
    execFileSync('/bin/sh', [
      '-c',
      `${opening({ nonce: 'abcdef', root: '/' })}\n${observePrelude}\n(\n${text}\n)`,
    ]).toString();
  expect(shell(look.text)).toBe(`probe:${dir}\tmounted\t\n`);
  expect(readdirSync(dir)).toEqual([]);
  // As though something were mounted there.
  const mounted = look.text.replace(/^source=.*$/m, 'source=nas:/x');
  expect(shell(mounted)).toBe(
    ['mounted\tnas:/x', 'write\tok', 'time\tok', 'mode\tok', '']
      .map((line) => (line ? `probe:${dir}\t${line}` : ''))
      .join('\n'),
  );
  expect(readdirSync(dir)).toEqual([]);
});
