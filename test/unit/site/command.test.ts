import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { start } from '../../../src/cli/start.ts';
import { screen } from '../cli/screen.ts';

/** Two hosts that are directories: `nas` exports what `box` mounts. `third` has nothing to do with it, but a secret. */
const files = {
  'inventory/site.yaml': 'site: small\ngroups: [all]\n',
  'inventory/secrets.yaml': `recipients: []
secrets:
  pass: |
    -----BEGIN AGE ENCRYPTED FILE-----
    bm90aGluZyBhdCBhbGw=
    -----END AGE ENCRYPTED FILE-----
`,
  'inventory/hosts/nas.yaml': `host: nas
platform: linux
connection: {session: root, root: ../trees/nas, address: 10.0.0.3}
roles: [server]
vars:
  server:
    clients:
      - {client: 10.0.0.0/24, options: [rw, no_root_squash]}
`,
  'inventory/hosts/box.yaml': `host: box
platform: linux
connection: {session: root, root: ../trees/box, address: 10.0.0.1}
roles: [user]
vars:
  user:
    mounts:
      - {path: /mnt/data, from: "nas:/srv/data"}
`,
  'inventory/hosts/third.yaml': `host: third
platform: linux
connection: {session: root, root: ../trees/third}
roles: [keeper]
disks:
  - {serial: A, size: 1 TB, use: mirror tank}
  - {serial: B, size: 2 TB, use: mirror tank}
`,
  'roles/server/role.yaml': `role: server
about: Exports.
platforms: [linux]
variables:
  clients: {type: array, description: Who.}
resources:
  - export: /srv/data
    clients: \${clients}
`,
  'roles/user/role.yaml': `role: user
about: Mounts.
platforms: [linux]
variables:
  mounts: {type: array, description: What.}
resources:
  - mount: \${item.path}
    each: \${mounts}
    what: \${item.from}
    type: nfs
    active: false
`,
  'roles/keeper/role.yaml': `role: keeper
about: Keeps.
platforms: [linux]
variables: {}
resources:
  - file: /etc/pass
    content: \${secrets.pass}
`,
};

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'provision-rules-'));
  for (const [name, text] of Object.entries(files)) write(name, text);
  for (const name of ['nas', 'box', 'third']) mkdirSync(join(dir, 'trees', name, 'etc'), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(dir, name)), { recursive: true });
  writeFileSync(join(dir, name), text);
}

function change(name: keyof typeof files, from: string, to: string): void {
  expect(files[name]).toContain(from);
  write(name, files[name].replace(from, to));
}

async function provision(...argv: readonly string[]) {
  const terminal = screen({ env: { HOME: dir }, now: Date.now });
  const exit = await start(['--inventory', join(dir, 'inventory'), ...argv], terminal);
  const plain = (text: string) => text.replaceAll(`${dir}/`, '');
  return { exit, out: plain(terminal.printed.out), err: plain(terminal.printed.err) };
}

const closed = () => change('inventory/hosts/nas.yaml', '10.0.0.0/24', '10.9.9.0/24');

describe('provision rules', () => {
  test('warnings alone end with 0; both places, what to do, and what a silence would name are told', async () => {
    const { exit, out, err } = await provision('rules');
    expect([exit, err]).toEqual([0, '']);
    expect(out).toContain('fine        export-admits-client');
    expect(out).toContain('1 warning   mirror-disks-match');
    expect(out).toContain('  inventory/hosts/third.yaml:6:5: warning: the mirror tank of third');
    expect(out).toContain('      inventory/hosts/third.yaml:7:5: what it is compared with');
    expect(out).toContain('      hosts: third; about pool:tank');
    expect(out).toMatch(/\n\d+ rules: 1 warning\n$/);
  });

  test('an error ends with 1', async () => {
    closed();
    const { exit, out, err } = await provision('rules', '--rule', 'export-admits-client');
    expect([exit, err]).toEqual([1, '']);
    expect(out).toBe(`1 error     export-admits-client  An NFS export admits every host that mounts it.
  inventory/hosts/box.yaml:8:16: error: nas exports /srv/data to 10.9.9.0/24, and box (10.0.0.1) mounts it at /mnt/data
      roles/server/role.yaml:7:5: what it is compared with
      add 10.0.0.1 to the clients of that export
      hosts: box, nas; about mount:/mnt/data

1 rule: 1 error
`);
  });

  test('the document is as the published schema says', async () => {
    closed();
    write(
      'inventory/site.yaml',
      'site: small\ngroups: [all]\nsilence: [{rule: mirror-disks-match, reason: it is to be replaced}]\n',
    );
    const { exit, out } = await provision('rules', '--format', 'json');
    const document = JSON.parse(out);
    const schema = JSON.parse(
      readFileSync(new URL('../../../docs/report.schema.json', import.meta.url), 'utf8'),
    );
    const valid = new Ajv({ strictTypes: false, strictRequired: false }).compile(schema);
    valid(document);
    expect(valid.errors ?? []).toEqual([]);
    expect(exit).toBe(1);
    expect(document).toMatchObject({ command: 'rules', exit: 1, hosts: [], errors: [] });
    const of = (code: string) => document.rules.find(({ rule }: { readonly rule: string }) => rule === code);
    expect(of('export-admits-client')).toMatchObject({
      outcome: 'found',
      findings: [{ level: 'error', hosts: ['box', 'nas'], about: 'mount:/mnt/data', where: { line: 8 } }],
    });
    expect(of('mirror-disks-match')).toMatchObject({
      outcome: 'silenced',
      findings: [],
      silenced: [{ reason: 'it is to be replaced', about: 'pool:tank' }],
    });
    expect(of('tmpdir-local')).toMatchObject({ outcome: 'fine' });
  });

  test('an unknown rule names the nearest', async () => {
    const { exit, err } = await provision('rules', '--rule', 'mirror-disk-match');
    expect(exit).toBe(1);
    expect(err).toContain('did you mean "mirror-disks-match"?');
  });
});

describe('diff', () => {
  test('ends before any connection when an error concerns a selected host, whichever of the two', async () => {
    closed();
    for (const host of ['box', 'nas']) {
      const { exit, out, err } = await provision('diff', '--host', host);
      expect([exit, out]).toEqual([1, '']);
      expect(err).toContain('inventory/hosts/box.yaml:8:16: error: ');
      expect(err).toContain('compare ');
      expect(err).toContain('(rule export-admits-client)');
    }
    expect((await provision('check', '--host', 'box')).exit).toBe(1);
    expect((await provision('apply', '--yes', '--host', 'box')).exit).toBe(1);
  });

  test('other hosts go on, and so does everybody once it is silenced', async () => {
    closed();
    write(
      'inventory/hosts/fourth.yaml',
      'host: fourth\nplatform: linux\nconnection: {session: root, root: ../trees/nas}\n',
    );
    expect((await provision('diff', '--host', 'fourth')).exit).toBe(0);
    write(
      'inventory/site.yaml',
      'site: small\ngroups: [all]\nsilence: [{rule: export-admits-client, host: box, reason: it has another address}]\n',
    );
    expect((await provision('diff', '--host', 'nas')).err).toBe('');
  });

  test('no secret of a host that is not selected is opened', async () => {
    const { exit, err } = await provision('diff', '--host', 'box');
    expect([exit, err]).toEqual([2, '']);
    // The proof that it could not have been: no key is there, and the host that needs it says so.
    const third = await provision('diff', '--host', 'third');
    expect(third.exit).toBe(1);
    expect(third.err).toContain('pass');
    expect((await provision('rules')).exit).toBe(0);
  });

  test('warnings are notices of the host they name first', async () => {
    change('roles/server/role.yaml', '/srv/data\n', '/srv/data\n    state: absent\n');
    const { out } = await provision('diff', '--host', 'box,nas', '--format', 'json');
    const [box, nas] = JSON.parse(out).hosts;
    expect(box.notices).toEqual([
      'rules of the site warn of this host: exports-declared; see: provision rules',
    ]);
    expect(nas.notices).toEqual([]);
  });

  test('a silence of what is not there is bad input', async () => {
    write(
      'inventory/site.yaml',
      'site: small\ngroups: [all]\nsilence:\n  - {rule: export-admit-client, host: bix, reason: x}\n',
    );
    const { exit, err } = await provision('diff', '--host', 'box');
    expect(exit).toBe(1);
    expect(err).toContain('inventory/site.yaml:4:5: error: unknown rule "export-admit-client"');
    expect(err).toContain('did you mean "export-admits-client"?');
    expect(err).toContain('did you mean "box"?');
  });
});
