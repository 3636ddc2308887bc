import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { synologyNfsRule } from '../../../src/resources/synology-nfs-rule.ts';
import { synologyShare } from '../../../src/resources/synology-share.ts';
import { newWorld, type World } from './synology-world.ts';
import { hasBusybox, shells } from './tree.ts';

const share = {
  synology_share: 'Backup',
  volume: '/volume1',
  description: 'Third copy',
  browseable: false,
  rw: ['provision', '@administrators'],
  deny: ['guest'],
};
const rule = {
  client: '10.10.0.0/24',
  privilege: 'rw',
  root_squash: 'root',
  async: false,
  insecure: false,
  crossmnt: false,
  security_flavor: ['sys'],
};
const rules = (...list: object[]) => ({ synology_nfs_rule: 'Backup', rules: list });
const calls = (world: World) => readFileSync(world.at('calls'), 'utf8').trim().split('\n');
const writes = (world: World) => calls(world).filter((line) => /<--(add|set)|method=save/.test(line));
const have = (world: World, type: typeof synologyShare, spec: unknown) => {
  const seen = world.read(type, spec);
  return 'have' in seen ? seen.have : seen;
};

describe.each(shells.filter((shell) => shell !== 'busybox' || hasBusybox))('with %s', (shell) => {
  describe('synology_share', () => {
    it('makes one, with who may do what, and has nothing to do afterwards', () => {
      const world = newWorld(shell);
      expect(world.read(synologyShare, share)).toEqual({ have: null });
      expect(world.apply(synologyShare, share)).toEqual({ ok: true, said: '' });
      expect(writes(world)).toEqual([
        'synoshare <--add> <Backup> <Third copy> </volume1/Backup> <guest> <provision,@administrators> <> <0> <0>',
      ]);
      expect(have(world, synologyShare, share)).toMatchObject({
        rw: '@administrators, provision',
        ro: '',
        deny: 'guest',
      });
      expect(world.apply(synologyShare, share)).toEqual({ ok: true, said: 'as wanted' });
    });

    it('whom DSM let in by itself is taken out again, where all who may are named', () => {
      const world = newWorld(shell);
      const spec = { synology_share: 'Backup', volume: '/volume1', rw: ['provision'] };
      expect(world.apply(synologyShare, spec)).toEqual({ ok: true, said: '' });
      expect(have(world, synologyShare, spec)).toMatchObject({ rw: 'provision' });
    });

    it('changes what differs, one name at a time, and nothing else', () => {
      const world = newWorld(shell);
      world.sh('synoshare --add Backup old /volume1/Backup provision admin,old bob 1 0; : >world/calls');
      expect(have(world, synologyShare, share)).toMatchObject({
        rw: '@administrators, admin, old',
        deny: 'provision',
      });
      expect(world.apply(synologyShare, share)).toEqual({ ok: true, said: '' });
      expect(writes(world).map((line) => line.replace(/^synoshare /, ''))).toEqual([
        '<--setdesc> <Backup> <Third copy>',
        '<--setbrowse> <Backup> <0>',
        '<--setuser> <Backup> <RW> <-> <admin>',
        '<--setuser> <Backup> <RW> <-> <old>',
        '<--setuser> <Backup> <NA> <-> <provision>',
        '<--setuser> <Backup> <RW> <+> <provision>',
        '<--setuser> <Backup> <NA> <+> <guest>',
      ]);
      // Who may read only was not asked for.
      expect(have(world, synologyShare, share)).toMatchObject({
        rw: '@administrators, provision',
        ro: 'bob',
        deny: 'guest',
      });
    });

    it('one who is wanted in a list and is in another as well is taken out of that', () => {
      const world = newWorld(shell);
      world.sh("synoshare --add Backup '' /volume1/Backup bob bob '' 1 0");
      const spec = { synology_share: 'Backup', volume: '/volume1', rw: ['bob', '@administrators'] };
      expect(have(world, synologyShare, spec)).toMatchObject({ rw: '@administrators, bob (also in deny)' });
      expect(world.apply(synologyShare, spec).ok).toBe(true);
      expect(have(world, synologyShare, spec)).toMatchObject({ rw: '@administrators, bob', deny: '' });
    });

    it('takes a share of an earlier installation back with its data', () => {
      const world = newWorld(shell);
      world.sh(
        'mkdir volume1/Backup; echo data >volume1/Backup/kept; echo /volume1/Backup >world/subvolumes',
      );
      const { ok, said } = world.apply(synologyShare, share);
      expect(ok).toBe(true);
      expect(said).toContain('takes it back with its data');
      expect(world.sh('cat volume1/Backup/kept')).toBe('data\n');
    });

    it('a plain directory in the way blocks it, with what that means, and stays', () => {
      const world = newWorld(shell);
      world.sh('mkdir volume1/Backup; echo data >volume1/Backup/kept');
      expect(world.read(synologyShare, share)).toMatchObject({
        have: null,
        blocked: expect.stringContaining('plain directory'),
      });
      // Somebody made it after the look.
      const { ok, said } = world.apply(synologyShare, share);
      expect({ ok, said }).toEqual({ ok: false, said: '/volume1/Backup is in the way; nothing was touched' });
      expect(writes(world)).toEqual([]);
    });

    it('a volume that is not mounted is not written to', () => {
      const world = newWorld(shell);
      writeFileSync(`${world.root}/mountinfo`, '20 1 0:1 / / rw - ext4 /dev/md0 rw\n');
      expect(world.read(synologyShare, share)).toMatchObject({
        have: null,
        blocked: expect.stringContaining('nothing is mounted at /volume1'),
      });
      expect(world.apply(synologyShare, share)).toEqual({
        ok: false,
        said: 'nothing is mounted at /volume1 any more; nothing was made',
      });
      expect(writes(world)).toEqual([]);
    });

    it.each([
      ['--add', ''],
      ['--setdesc', "synoshare --add Backup x /volume1/Backup guest provision '' 0 0"],
      ['--setbrowse', "synoshare --add Backup 'Third copy' /volume1/Backup guest provision '' 1 0"],
      ['--setuser', "synoshare --add Backup 'Third copy' /volume1/Backup guest,provision other '' 0 0"],
    ])('success of %s that did nothing is a failure', (verb, before) => {
      const world = newWorld(shell);
      world.sh(`${before}\n: >world/calls; : >world/deaf`);
      const { ok, said } = world.apply(synologyShare, share);
      expect(ok).toBe(false);
      expect(said).toContain('DSM reported success, but');
      expect(writes(world).at(-1)).toContain(`<${verb}>`);
    });

    it('looking at two prints for each what looking at it alone prints', () => {
      const world = newWorld(shell);
      world.sh(
        "synoshare --add Backup '' /volume1/Backup '' provision '' 1 0; synoshare --add other '' /volume1/other '' '' '' 1 0",
      );
      const specs = [
        share,
        { synology_share: 'other', volume: '/volume1' },
        { ...share, synology_share: 'missing' },
      ];
      const together = world.look(synologyShare, specs);
      for (const spec of specs)
        expect(world.look(synologyShare, [spec]).get(spec.synology_share)?.text).toBe(
          together.get(spec.synology_share)?.text,
        );
      expect(calls(world).filter((line) => line.includes('method=list'))).toHaveLength(4);
    });

    it('DSM has it in another case: told, not made a second time', () => {
      const world = newWorld(shell);
      world.sh("synoshare --add backup '' /volume1/backup '' '' '' 1 0");
      expect(world.refuse(synologyShare, { synology_share: 'Backup', volume: '/volume1' })).toContain(
        'DSM has it as backup',
      );
    });

    it('an encrypted share that is locked is told, and its ACL left alone', () => {
      const world = newWorld(shell);
      world.sh(
        "synoshare --add Backup '' /volume1/Backup '' '' '' 1 0; echo 1 >world/shares/Backup/encryption; rmdir volume1/Backup",
      );
      expect(
        world.refuse(synologyShare, { synology_share: 'Backup', volume: '/volume1', rw: ['provision'] }),
      ).toContain('encrypted and locked');
    });
  });

  describe('synology_nfs_rule', () => {
    const ready = () => {
      const world = newWorld(shell);
      world.sh("synoshare --add Backup '' /volume1/Backup '' '' '' 1 0; : >world/calls");
      return world;
    };

    it('saves the whole set, and DSM writes its exports from it', () => {
      const world = ready();
      expect(have(world, synologyNfsRule, rules(rule))).toEqual({ clients: '' });
      expect(
        world.apply(
          synologyNfsRule,
          rules(rule, { ...rule, client: '10.10.0.151', privilege: 'ro', root_squash: 'all_admin' }),
        ),
      ).toEqual({ ok: true, said: '' });
      expect(world.sh('cat etc/exports')).toBe(
        '/volume1/Backup\t10.10.0.0/24(rw,sync,no_wdelay,no_root_squash,insecure_locks,sec=sys,anonuid=1025,anongid=100) 10.10.0.151(ro,sync,no_wdelay,all_squash,insecure_locks,sec=sys,anonuid=1024,anongid=100)\n',
      );
      // Saving one replaces all.
      expect(world.apply(synologyNfsRule, rules(rule))).toEqual({ ok: true, said: '' });
      expect(have(world, synologyNfsRule, rules(rule))).toEqual({
        clients: '10.10.0.0/24',
        'client 10.10.0.0/24': 'rw, root_squash=root (no_root_squash), sync, sec=sys',
      });
      expect(world.apply(synologyNfsRule, rules())).toEqual({ ok: true, said: '' });
      expect(world.sh('cat etc/exports')).toBe('');
    });

    it('two rules for one client are told, also when they are written differently', () => {
      const world = ready();
      const again = { ...rule, client: '10.10.0.0/255.255.255.0', privilege: 'ro' };
      world.sh(
        `synowebapi --exec api=SYNO.Core.FileServ.NFS.SharePrivilege method=save version=1 'share_name="Backup"' 'rule=${JSON.stringify(
          [rule, again].map((one) => ({
            ...one,
            security_flavor: {
              sys: true,
              kerberos: false,
              kerberos_integrity: false,
              kerberos_privacy: false,
            },
          })),
        )}'`,
      );
      expect(have(world, synologyNfsRule, rules(rule))).toMatchObject({ clients: '10.10.0.0/24 (2 rules)' });
      expect(world.apply(synologyNfsRule, rules(rule))).toEqual({ ok: true, said: '' });
      expect(have(world, synologyNfsRule, rules(rule))).toMatchObject({ clients: '10.10.0.0/24' });
    });

    it('success that did nothing is a failure', () => {
      const world = ready();
      world.sh(': >world/deaf');
      const { ok, said } = world.apply(synologyNfsRule, rules(rule));
      expect({ ok, said }).toEqual({
        ok: false,
        said: 'DSM reported success, but Backup does not have the rules that were saved; it has:',
      });
    });

    it('a share that is not there blocks it; a refused save says the number', () => {
      const world = newWorld(shell);
      expect(world.read(synologyNfsRule, rules(rule))).toEqual({
        have: null,
        blocked: 'DSM has no share Backup',
      });
      const { ok, said } = world.apply(synologyNfsRule, rules(rule));
      expect(ok).toBe(false);
      expect(said).toContain('with error 2370');
    });

    it('keys that a newer DSM adds are not dropped by a save', () => {
      const world = ready();
      expect(world.apply(synologyNfsRule, rules(rule)).ok).toBe(true);
      world.sh('echo nfs_audit >world/extra');
      expect(have(world, synologyNfsRule, rules({ ...rule, privilege: 'ro' }))).toMatchObject({
        other_keys: 'nfs_audit',
      });
      expect(world.refuse(synologyNfsRule, rules({ ...rule, privilege: 'ro' }))).toContain('nfs_audit');
    });
  });

  describe.each([synologyShare, synologyNfsRule])('$name: could not look', (type) => {
    const spec = type === synologyShare ? share : rules(rule);
    const api = type === synologyShare ? 'SYNO.Core.Share' : 'SYNO.Core.FileServ.NFS.SharePrivilege';
    it.each([
      [`echo ${api} >world/older`, 'DSM 7.2.1-69057 answered with error 102: this DSM has no such API'],
      [': >world/broken', 'synowebapi of DSM 7.2.1-69057 gave no answer that could be read'],
      [
        'printf "#!/bin/sh\\necho segfault\\n" >bin/synowebapi',
        'synowebapi of DSM 7.2.1-69057 gave no answer that could be read',
      ],
      [
        'printf "#!/bin/sh\\necho \'{\\"success\\": true, \\"data\\": {}}\'\\n" >bin/synowebapi',
        'DSM 7.2.1-69057 answered in a form that is not known here',
      ],
    ])('%s', (edit, unknown) => {
      const world = newWorld(shell);
      world.sh(edit);
      expect(world.read(type, spec)).toEqual({ unknown });
    });
  });

  it('a list that is not whole does not say that a share is missing', () => {
    const world = newWorld(shell);
    world.sh(
      `printf '#!/bin/sh\\necho \\'{"success":true,"data":{"shares":[{"name":"other","vol_path":"/volume1"}],"total":2}}\\'\\n' >bin/synowebapi`.replaceAll(
        "\\'",
        "'\\''",
      ),
    );
    expect(world.read(synologyShare, share)).toEqual({
      unknown: 'DSM 7.2.1-69057 listed a part of its shares only',
    });
  });

  it('a web API that hangs costs its limit once, for both types', () => {
    const world = newWorld(shell);
    world.sh(': >world/hang');
    const shorter = {
      ...synologyShare,
      observe: (specs: readonly unknown[]) => ({
        ...synologyShare.observe(specs),
        text: synologyShare.observe(specs).text.replaceAll('ask synowebapi 20', 'ask synowebapi 1'),
      }),
    };
    const started = Date.now();
    const looks = world.look(shorter, [share, { ...share, synology_share: 'other' }]);
    expect(Date.now() - started).toBeLessThan(3000);
    for (const name of ['Backup', 'other']) expect(looks.get(name)?.facts.get('answer')).toBe('late');
    expect(calls(world)).toHaveLength(1);
  });
});

describe('what is refused before any connection', () => {
  const valid = (type: typeof synologyShare, spec: unknown) =>
    new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(type.schema)(spec);

  it.each([
    'homes',
    'Home',
    'global',
    'usbshare1',
    'usbshare1-2',
    'esatashare2',
    'Surveillance',
    'printers',
    'usbbackup',
  ])('the reserved name %s', (name) => {
    expect(synologyShare.mistakes?.({ ...share, synology_share: name })).toMatchObject([
      { at: ['synology_share'] },
    ]);
  });

  it.each(['/Backup', '/volume1/Backup', 'volume1', '/volume0', '/'])(
    'the volume %s: SFTP shows no volumes',
    (volume) => {
      expect(valid(synologyShare, { ...share, volume })).toBe(false);
    },
  );

  it.each(['client', 'privilege', 'root_squash', 'async', 'insecure', 'crossmnt', 'security_flavor'])(
    'a rule without %s',
    (key) => {
      const { [key as keyof typeof rule]: _, ...rest } = rule;
      expect(valid(synologyNfsRule, rules(rule))).toBe(true);
      expect(valid(synologyNfsRule, rules(rest))).toBe(false);
    },
  );

  it('words of exports in place of those of DSM', () => {
    for (const word of ['no_root_squash', 'root_squash', 'all_squash', 'none', true])
      expect(valid(synologyNfsRule, rules({ ...rule, root_squash: word }))).toBe(false);
  });

  it('two rules for one client, and one person in two lists', () => {
    expect(synologyNfsRule.mistakes?.(rules(rule, { ...rule, client: '10.10.0.7/24' }))).toMatchObject([
      { at: ['rules', '1', 'client'] },
    ]);
    expect(synologyShare.mistakes?.({ ...share, deny: ['provision'] })).toMatchObject([{ at: ['deny'] }]);
  });

  it('a share that a package makes is not made by hand', () => {
    const change = {
      spec: { ...share, synology_share: 'NetBackup' },
      have: null,
      want: {},
      differs: ['name'],
      context: { host: 'nas', platform: 'synology', live: true } as const,
    };
    expect(synologyShare.refuse?.(change)).toContain('made by a package');
  });
});
