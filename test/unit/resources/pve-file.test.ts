import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { pveFile } from '../../../src/resources/pve-file.ts';
import { facts } from '../../../src/shell/facts.ts';
import { observePrelude, opening } from '../../../src/shell/observe.ts';
import { hasBusybox, newTree, runScript, type ShellName, shells } from './tree.ts';

const context = { host: 'pve1', platform: 'pve', live: true } as const;

describe('which files below /etc/pve may be written', () => {
  const valid = new Ajv({ strict: false }).compile(pveFile.schema);

  it.each([
    '/etc/pve',
    '/etc/pve/',
    '/etc/pve/../shadow',
    '/etc/pve/a/../../shadow',
    '/etc/pvefile',
    '/etc/vzdump.conf',
    '/etc/pve/a\nb',
  ])('not %j: it does not lie there', (path) => {
    expect(valid({ pve_file: path, content: '' })).toBe(false);
  });

  it.each([
    ['/etc/pve/storage.cfg', 'use pve_storage'],
    ['/etc/pve/jobs.cfg', 'use pve_backup_job'],
    ['/etc/pve/user.cfg', 'pveum'],
    ['/etc/pve/corosync.conf', 'takes the whole cluster down'],
    ['/etc/pve/corosync.conf.new', 'takes the whole cluster down'],
    ['/etc/pve/qemu-server/100.conf', 'pve_guest_option'],
    ['/etc/pve/nodes/pve1/lxc/100.conf', 'pve_guest_option'],
    ['/etc/pve/priv/storage/a.pw', 'pve_storage'],
    ['/etc/pve/priv/lock/file-storage_cfg', 'locks'],
    ['/etc/pve/priv/authkey.key', 'made by Proxmox'],
    ['/etc/pve/nodes/pve1/pve-ssl.key', 'made by Proxmox'],
    ['/etc/pve/.members', 'by the file system itself'],
    ['/etc/pve/local/config', 'by the file system itself'],
  ])('not %s: it has a keeper of its own', (path, hint) => {
    expect(pveFile.mistakes?.({ pve_file: path, content: '' })).toMatchObject([
      { at: ['pve_file'], hint: expect.stringContaining(hint) },
    ]);
  });

  it.each([
    '/etc/pve/datacenter.cfg',
    '/etc/pve/firewall/cluster.fw',
    '/etc/pve/nodes/pve1/config',
    '/etc/pve/vzdump.cron',
  ])('%s', (path) => {
    expect(valid({ pve_file: path, content: '' })).toBe(true);
    expect(pveFile.mistakes?.({ pve_file: path, content: '' })).toEqual([]);
  });

  it.each(['/etc/pve/priv/notifications.cfg', '/etc/pve/nodes/pve1/priv/x'])(
    'what lies in %s is not shown as text: only root may read it',
    (path) => {
      expect(pveFile.text?.({ pve_file: path, content: 'a' })).toBeNull();
      expect(pveFile.text?.({ pve_file: path.replace('priv/', ''), content: 'a' })).not.toBeNull();
    },
  );

  it('not more than 1 MiB, counted in bytes', () => {
    const path = '/etc/pve/datacenter.cfg';
    expect(pveFile.mistakes?.({ pve_file: path, content: 'x'.repeat(1048576) })).toEqual([]);
    expect(pveFile.mistakes?.({ pve_file: path, content: 'ü'.repeat(524289) })).toMatchObject([
      { says: 'has 1048578 bytes, and the cluster file system takes at most 1048576' },
    ]);
  });
});

describe('what the steps do not do', () => {
  const spec = { pve_file: '/etc/pve/datacenter.cfg', content: 'keyboard: de\n' };
  const steps = pveFile.steps({
    spec,
    have: null,
    want: pveFile.want(spec, context),
    differs: ['sha256'],
    context,
  });
  const text = steps.map((step) => step.run.text).join('\n');

  it('chmod, chown, sync and temporary names elsewhere', () => {
    expect(text).not.toMatch(/\b(chmod|chown|put|install|cp|sync|mktemp)\b/);
    expect(text).toContain('temp=./etc/pve/.provision.$RUN.$CHANGE.new');
  });

  it('anything before the mount and the quorum are looked at', () => {
    expect(text.indexOf('[ "$pmxcfs" = fuse ] || {')).toBeLessThan(text.indexOf('cat '));
    expect(text.indexOf('"quorate":0')).toBeLessThan(text.indexOf('inside ./etc/pve'));
  });
});

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('looking, with %s', (shell) => {
  const members = '{\n"nodename": "pve1",\n"version": 0\n}\n';

  function look(files: Record<string, string>, paths: readonly string[], type = 'fuse') {
    const { root } = newTree(shell as ShellName);
    const put = (path: string, text: string) => {
      mkdirSync(dirname(`${root}${path}`), { recursive: true });
      writeFileSync(`${root}${path}`, text);
    };
    for (const [path, text] of Object.entries(files)) put(path, text);
    put('/mounts', `30 1 0:30 / /etc/pve rw - ${type} /dev/fuse rw\n`);
    const observe = pveFile
      .observe(paths.map((path) => ({ pve_file: path })))
      .text.replace('/proc/self/mountinfo', './mounts');
    const script = `{ exec </dev/null\n${opening({ nonce: 'abc', root })}\n${observePrelude}\n(\n${observe}\n)\nexit 0\n}\n`;
    const lines = runScript(shell as ShellName, script).split('\n');
    return paths.map((path) => lines.filter((line) => line.startsWith(`${path}\t`)));
  }
  const read = (lines: readonly string[] | undefined) =>
    pveFile.read(facts(lines ?? []), { pve_file: '/etc/pve/a b', content: '' }, context);

  it('tells files, directories and what is not there apart', () => {
    const paths = ['/etc/pve/a b', '/etc/pve/firewall', '/etc/pve/none', '/etc/pve/none/none'];
    const seen = look({ '/etc/pve/.members': members, '/etc/pve/a b': '', '/etc/pve/firewall/x': '' }, paths);
    expect(seen.map((lines) => read(lines))).toMatchObject([
      { have: { type: 'file', sha256: expect.stringMatching(/^e3b0c442/) } },
      { have: { type: 'directory' } },
      { have: null },
      { have: null, blocked: expect.stringContaining('directory') },
    ]);
    expect(look({ '/etc/pve/.members': members, '/etc/pve/a b': '' }, ['/etc/pve/a b'])[0]).toEqual(seen[0]);
  });

  it('an /etc/pve that is not mounted tells nothing', () => {
    for (const type of ['ext4', 'fuse.sshfs'])
      expect(read(look({ '/etc/pve/.members': members }, ['/etc/pve/a b'], type)[0])).toMatchObject({
        unknown: expect.stringContaining('pve-cluster does not run'),
      });
  });

  it('without quorum it is seen, and not to be changed', () => {
    const lost = members.replace('"version": 0', '"cluster": { "quorate": 0 }');
    expect(read(look({ '/etc/pve/.members': lost, '/etc/pve/a b': '' }, ['/etc/pve/a b'])[0])).toMatchObject({
      have: { type: 'file' },
      blocked: expect.stringContaining('no quorum'),
    });
  });

  it('without .members nothing is known', () => {
    expect(read(look({ '/etc/pve/a b': '' }, ['/etc/pve/a b'])[0])).toHaveProperty('unknown');
    const cut = '{\n"nodename": "pve1",\n"version": 4,\n"cluster": { "name"';
    expect(read(look({ '/etc/pve/.members': cut, '/etc/pve/a b': '' }, ['/etc/pve/a b'])[0])).toHaveProperty(
      'unknown',
    );
  });
});
