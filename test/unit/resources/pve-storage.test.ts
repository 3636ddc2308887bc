import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { pveStorage } from '../../../src/resources/pve-storage.ts';
import type { StorageSpec } from '../../../src/resources/pve-storage-spec.ts';
import { facts } from '../../../src/shell/facts.ts';
import { observePrelude, opening } from '../../../src/shell/observe.ts';
import { hasBusybox, newTree, runScript, type ShellName, shells } from './tree.ts';

const nas: StorageSpec = {
  pve_storage: 'nas',
  type: 'nfs',
  server: 'nas.lan',
  export: '/bu',
  content: ['backup', 'iso'],
};
const context = { host: 'pve1', platform: 'pve', live: true } as const;
const change = (spec: StorageSpec, have: Record<string, string | boolean> | null, differs: string[]) => ({
  spec,
  have,
  want: pveStorage.want(spec, context),
  differs,
  context,
});

describe('a spec that Proxmox would read otherwise', () => {
  const valid = new Ajv({ strict: false }).compile(pveStorage.schema);

  it.each([
    ['content', { ...nas, content: undefined }],
    ['content', { ...nas, content: [] }],
    ['content', { ...nas, content: ['backups'] }],
    ['pve_storage', { ...nas, pve_storage: 'a' }],
    ['pve_storage', { ...nas, pve_storage: '1a' }],
    ['pve_storage', { ...nas, pve_storage: 'a-' }],
    ['disable', { ...nas, disable: 'yes' }],
    ['options', { ...nas, options: 'vers=4.2, soft' }],
    ['options', { ...nas, options: '-x' }],
    ['prune_backups', { ...nas, prune_backups: { 'keep-lst': 3 } }],
    ['prune_backups', { ...nas, prune_backups: 'keep-last=3' }],
    ['maxfiles', { ...nas, maxfiles: 3 }],
    ['fingerprint', { ...nas, fingerprint: 'AB:CD' }],
    ['nodes', { ...nas, nodes: ['pve1,pve2'] }],
    ['server', { ...nas, server: '-x' }],
    ['export', { ...nas, export: '/a b' }],
    ['type', { ...nas, type: 'NFS' }],
  ])('is refused for its %s: %j', (_, spec) => {
    expect(valid(JSON.parse(JSON.stringify(spec)))).toBe(false);
  });

  it('takes every key that can be taken away', () => {
    const none = {
      options: '',
      namespace: '',
      fingerprint: '',
      username: '',
      prune_backups: {},
      nodes: [],
      bwlimit: {},
    };
    expect(valid({ ...nas, ...none })).toBe(true);
    expect(valid({ pve_storage: 'nas', state: 'absent' })).toBe(true);
  });

  it.each([
    [{ ...nas, server: undefined }, ['type'], 'requires "server", and there is none'],
    [{ ...nas, datastore: 'main' }, ['datastore'], 'is no key of the type nfs'],
    [
      { ...nas, type: 'pbs', datastore: 'main', export: undefined },
      ['content', '1'],
      'is iso, which a storage of type pbs',
    ],
    [{ ...nas, content: ['none', 'iso'] }, ['content'], 'has "none" beside others'],
    [
      { ...nas, prune_backups: { 'keep-all': true, 'keep-last': 3 } },
      ['prune_backups', 'keep-all'],
      'beside other',
    ],
    [{ ...nas, prune_backups: { 'keep-last': 0 } }, ['prune_backups'], 'reads as "keep everything"'],
    [{ pve_storage: 'local', type: 'dir', path: '/srv', content: ['iso'] }, ['path'], 'is not /var/lib/vz'],
    [{ ...nas, pve_storage: 'local' }, ['type'], '"local" is always a dir'],
    [
      { pve_storage: 'local', type: 'dir', path: '/var/lib/vz', content: ['iso'], nodes: [] },
      ['nodes'],
      'has no effect',
    ],
    [{ pve_storage: 'local', state: 'absent' }, ['state'], 'cannot be absent'],
  ])('%j is a mistake', (spec, at, says) => {
    const found = pveStorage.mistakes?.(JSON.parse(JSON.stringify(spec))) ?? [];
    expect(found).toHaveLength(1);
    expect(found[0]?.at).toEqual(at);
    expect(found[0]?.says).toContain(says);
  });

  it('finds nothing wrong with its own example', () => {
    expect(pveStorage.mistakes?.(parse(pveStorage.example))).toEqual([]);
    expect(pveStorage.mistakes?.(nas)).toEqual([]);
  });
});

describe('the password of a storage', () => {
  const pbs: StorageSpec = {
    pve_storage: 'box',
    type: 'pbs',
    server: 'pbs.lan',
    datastore: 'main',
    content: ['backup'],
    password: 'canary $(touch PWNED)',
  };

  it('is in no text of the plan and in no shell, only in a staged file', () => {
    const steps = pveStorage.steps(change(pbs, null, ['type', 'password']));
    const state = JSON.stringify(pveStorage.want(pbs, context));
    expect(JSON.stringify(steps.map(({ about, run }) => [about, run.text])) + state).not.toContain('canary');
    expect(steps[0]?.run.blobs[0]?.bytes.toString()).toBe('canary $(touch PWNED)\n');
    expect(steps[0]?.run.text).toContain('--password <"$STAGE/');
  });

  it('is not sent when it is as wanted', () => {
    const steps = pveStorage.steps(change(pbs, { type: 'pbs', password: 'as wanted' }, ['server']));
    expect(steps.flatMap((step) => step.run.blobs)).toEqual([]);
  });

  it('that somebody wrote into storage.cfg is told, and never read', () => {
    const symptoms = pveStorage.symptoms?.(
      { have: { type: 'pbs', password: 'none', ignored: 'line 3', disable: false } },
      pbs,
    );
    expect(symptoms?.map(({ code, of }) => `${code} ${of}`)).toEqual([
      'section-config file:/etc/pve/storage.cfg',
      'no-password storage:box',
    ]);
  });
});

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))(
  'looking at storages, with %s',
  (shell) => {
    const members =
      '{\n"nodename": "pve1",\n"version": 4,\n"cluster": { "name": "c", "version": 3, "nodes": 3, "quorate": 1 }\n}\n';
    const cfg =
      'nfs: nas\n# by hand\n\texport /bu\n\tcontent iso,backup\n\tserver nas.lan\n\npbs: box\n\tserver p\n\tpassword canary\n\tdisable\n\tdatastore m\n';

    function look(
      files: Record<string, string>,
      ids: readonly string[],
      type = 'fuse',
    ): Record<string, string[]> {
      const { root } = newTree(shell as ShellName);
      const put = (path: string, text: string) => {
        mkdirSync(dirname(`${root}/${path}`), { recursive: true });
        writeFileSync(`${root}/${path}`, text);
      };
      for (const [path, text] of Object.entries(files)) put(path, text);
      put('mounts', `30 1 0:30 / /etc/pve rw - ${type} /dev/fuse rw\n`);
      const specs = ids.map((id) => ({ ...nas, pve_storage: id }));
      const observe = pveStorage.observe(specs).text.replace('/proc/self/mountinfo', './mounts');
      const script = `{ exec </dev/null\n${opening({ nonce: 'abc', root })}\n${observePrelude}\n(\n${observe}\n)\nexit 0\n}\n`;
      const lines = runScript(shell as ShellName, script)
        .split('\n')
        .filter((line) => line !== '');
      return Object.fromEntries(ids.map((id) => [id, lines.filter((line) => line.startsWith(`${id}\t`))]));
    }
    const usual = { 'etc/pve/.members': members, 'etc/pve/storage.cfg': cfg };
    const own = (lines: readonly string[] | undefined) => facts(lines ?? []).all('own');
    const read = (lines: readonly string[] | undefined, spec: StorageSpec = nas) =>
      pveStorage.read(facts(lines ?? []), spec, context);

    it('sees what the file has, without the password that lies in it', () => {
      const seen = look(usual, ['nas', 'box']);
      expect(JSON.stringify(seen)).not.toContain('canary');
      expect(own(seen.nas)).toEqual(['content backup iso', 'export /bu', 'server nas.lan', 'type nfs']);
      expect(own(seen.box)).toEqual(['datastore m', 'disable 1', 'password -', 'server p', 'type pbs']);
      expect(read(seen.nas)).toMatchObject({ have: { type: 'nfs', content: 'backup,iso', disable: false } });
      expect(read(seen.box, { ...nas, pve_storage: 'box' })).toMatchObject({
        have: { type: 'pbs', disable: true, password: 'none' },
      });
    });

    it('prints of one what it prints of it among others', () => {
      const both = look(usual, ['nas', 'box']);
      expect(look(usual, ['nas']).nas).toEqual(both.nas);
      expect(look(usual, ['box']).box).toEqual(both.box);
    });

    it('prints the same of a storage when Proxmox has written the file anew', () => {
      const anew =
        'nfs: nas\n\texport /bu\n\tserver nas.lan\n\tcontent backup,iso\n\npbs: box\n\tdisable 1\n\tdatastore m\n\tserver p\n\tpassword x\n\n';
      expect(own(look({ ...usual, 'etc/pve/storage.cfg': anew }, ['nas']).nas)).toEqual(
        own(look(usual, ['nas']).nas),
      );
    });

    it('knows the password by its hash, and an encryption key by its file', () => {
      const files = {
        ...usual,
        'etc/pve/priv/storage/box.pw': 'hush\n',
        'etc/pve/priv/storage/box.enc': '{}',
      };
      const spec: StorageSpec = { ...nas, pve_storage: 'box', type: 'pbs', password: 'hush' };
      const seen = look(files, ['box']);
      expect(read(seen.box, spec)).toMatchObject({ have: { password: 'as wanted', key: true } });
      expect(read(seen.box, { ...spec, password: 'other' })).toMatchObject({ have: { password: 'other' } });
    });

    it('looks at nothing when /etc/pve is not the cluster file system', () => {
      for (const type of ['ext4', 'fuse.sshfs']) {
        const seen = look(usual, ['nas'], type);
        expect(seen.nas).toEqual([`nas\tmounted\t${type}`]);
        expect(read(seen.nas)).toMatchObject({
          unknown: expect.stringContaining('pve-cluster does not run'),
        });
      }
    });

    it('without quorum nothing is changed', () => {
      const seen = look({ ...usual, 'etc/pve/.members': members.replace('"quorate": 1', '"quorate": 0') }, [
        'nas',
      ]);
      const observed = read(seen.nas);
      expect(observed).toMatchObject({ have: { trouble: expect.stringContaining('no quorum') } });
      if (!('have' in observed)) return;
      expect(pveStorage.refuse?.({ ...change(nas, null, ['content']), have: observed.have })).toContain(
        'no quorum',
      );
      expect(pveStorage.symptoms?.(observed, nas)).toMatchObject([
        { code: 'no-quorum', of: 'quorum:/etc/pve' },
      ]);
    });

    it('what cannot be read is unknown', () => {
      expect(read(look({ 'etc/pve/storage.cfg': cfg }, ['nas']).nas)).toHaveProperty('unknown');
      expect(read(look({ ...usual, 'etc/pve/.members': '' }, ['nas']).nas)).toHaveProperty('unknown');
      for (const length of [20, 40, 70])
        expect(
          read(look({ ...usual, 'etc/pve/.members': members.slice(0, length) }, ['nas']).nas),
          String(length),
        ).toHaveProperty('unknown');
      expect(read([])).toHaveProperty('unknown');
    });

    it('a node without storage.cfg has none but "local"', () => {
      const seen = look({ 'etc/pve/.members': members }, ['nas', 'local']);
      expect(read(seen.nas)).toEqual({ have: null });
      expect(read(seen.local, { ...nas, pve_storage: 'local', type: 'dir' })).toMatchObject({
        have: { path: '/var/lib/vz' },
      });
    });

    it('types of other makers are left to them', () => {
      const files = { ...usual, 'etc/pve/storage.cfg': `${cfg}\ndrbd: fast\n\tredundancy 2\n` };
      expect(read(look(files, ['nas']).nas)).toMatchObject({
        have: { trouble: expect.stringContaining('line 13') },
      });
      const plugin = { ...files, 'usr/share/perl5/PVE/Storage/Custom/Drbd.pm': '1;' };
      expect(read(look(plugin, ['nas']).nas)).not.toMatchObject({ have: { trouble: expect.anything() } });
    });

    it('the lines of a storage end where Proxmox ends them', () => {
      const text = cfg.replace('lan\n\n', 'lan\n \n');
      const seen = look({ ...usual, 'etc/pve/storage.cfg': text }, ['nas', 'box']);
      expect(own(seen.box)).toEqual([]);
      expect(own(seen.nas)).toContain('datastore m');
    });
  },
);
