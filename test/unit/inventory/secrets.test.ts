import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encryptText, newIdentity } from '../../../src/inventory/age.ts';
import { secret } from '../../../src/inventory/secret.ts';
import { explain } from '../../../src/roles/explain.ts';
import { base, expand, load, type Tree, told, write } from '../bad-input/tree.ts';

const canary = 'canary-7f3a9';
const folder = mkdtempSync(join(tmpdir(), 'keys-'));
const key = join(folder, 'age.txt');
let secrets: Tree = {};

beforeAll(async () => {
  const { identity, recipient } = await newIdentity();
  writeFileSync(key, `# created: today\n${identity}\n`, { mode: 0o600 });
  const armored = await encryptText(canary, [recipient]);
  const block = armored.replace(/^/gm, '    ');
  secrets = { 'inventory/secrets.yaml': `recipients: [${recipient}]\nsecrets:\n  token: |\n${block}\n` };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function withRole(resources: string, title = '${secrets.token}'): Tree {
  return {
    ...secrets,
    'roles/web/role.yaml': `role: web\nabout: A page.\nplatforms: [pve]\nvariables:\n  title: {type: string, minLength: 3}\n${resources}`,
    'inventory/hosts/one.yaml': `host: one\nplatform: pve\nconnection: {address: 10.0.0.1}\ngroups: [web]\nvars: {web: {title: "${title}"}}\n`,
  };
}

test('a secret marks its file, which then is for its owner alone', async () => {
  const tree = withRole(
    'resources:\n  - file: /a\n    template: web/title.hbs\n  - file: /b\n    content: x ${title}\n    mode: "0640"\n',
  );
  const { resources } = await expand(tree, { key });
  expect(resources.map(({ secret, spec }) => [secret, spec])).toEqual([
    [true, { file: '/a', content: `title: ${canary}\n`, mode: '0600' }],
    [true, { file: '/b', content: `x ${canary}`, mode: '0640' }],
  ]);
});

test.each([
  [
    'mode that others can read',
    'resources:\n  - file: /a\n    content: ${title}\n    mode: "0644"\n',
    'lets others read',
  ],
  [
    'mode with setuid',
    'resources:\n  - file: /a\n    content: ${title}\n    mode: "4600"\n',
    'lets others read',
  ],
  ['name', 'resources:\n  - file: /${title}\n    content: x\n', 'would be seen in "file"'],
  [
    'validator',
    'resources:\n  - file: /a\n    content: x\n    verify: [x, "${title}"]\n',
    'would be seen in "verify"',
  ],
  ['line', 'resources:\n  - line: /a\n    key: x\n    value: ${title}\n', 'would be seen in "value"'],
  [
    'argument of a check',
    'checks:\n  - {id: a, about: b, run: [x, "${title}"]}\n',
    'would be seen in "command"',
  ],
  ['about of a check', 'checks:\n  - {id: a, about: "${title}", run: [x]}\n', 'would show a secret'],
  [
    'argument of a step',
    'procedures:\n  - {id: a, about: b, steps: [{about: c, run: [x, "${title}"]}]}\n',
    'would be an argument',
  ],
  ['pattern', 'resources:\n  - directory: ${title}\n', 'is a secret'],
  ['format', 'resources:\n  - file: /a\n    template: web/unit.hbs\n', 'a secret holds a blank'],
])('%s: refused, and the message does not show it', async (_, rest, message) => {
  const tree = {
    ...withRole(rest, _ === 'format' ? ' ${secrets.token}' : '${secrets.token}'),
    'templates/web/unit.hbs': '{{unit title}}\n',
  };
  const text = await expand(tree, { key }).then(() => 'accepted', told);
  expect(text).toContain(message);
  expect(text).not.toContain(canary);
});

test('who uses no secret needs no key', async () => {
  const { resources } = await expand({ ...secrets, ...base }, { key: '/nowhere/age.txt' });
  expect(resources).toHaveLength(1);
});

test('a condition that leaves the user of a secret out needs no key either', async () => {
  const tree = {
    ...secrets,
    'roles/web/role.yaml':
      'role: web\nabout: A.\nplatforms: [pve]\nvariables: {title: {type: string}}\nresources:\n  - file: /a\n    content: ${secrets.token}\n    when: {set: null}\n',
  };
  expect((await expand(tree, { key: '/nowhere' })).resources).toEqual([]);
});

test.each([
  ['missing', undefined, 'no age key file was given'],
  ['not there', '/nowhere/age.txt', 'the age key file /nowhere/age.txt is missing'],
])('key %s: says which secret, where it stands and how to get the key', async (_, identity, message) => {
  const tree = withRole('resources:\n  - file: /a\n    content: ${title}\n');
  const options = identity === undefined ? {} : { key: identity };
  const text = await expand(tree, options).then(() => 'accepted', told);
  expect(text).toContain(`secrets.yaml:3:3: the secret "token" is needed and ${message}`);
  expect(text).toContain('PROVISION_AGE_KEY_FILE');
});

test('a key for somebody else, a key that others can read, a file without a key', async () => {
  const tree = withRole('resources:\n  - file: /a\n    content: ${title}\n');
  const said = async (content: string, mode: number) => {
    const file = join(folder, `other-${mode}`);
    writeFileSync(file, content, { mode });
    return expand(tree, { key: file }).then(() => 'accepted', told);
  };
  const { identity } = await newIdentity();
  expect(await said(`${identity}\n`, 0o600)).toContain('"token" cannot be decrypted with the key at hand');
  expect(await said(`${identity}\n`, 0o644)).toContain('has mode 0644: others can read it');
  expect(await said('ssh-ed25519 x\n', 0o400)).toContain('holds no line AGE-SECRET-KEY-');
});

test('a password of a connection is a Secret', async () => {
  const tree = {
    ...secrets,
    'inventory/hosts/one.yaml':
      'host: one\nplatform: pve\nconnection: {address: 10.0.0.1, become: sudo, password: "${secrets.token}"}\n',
  };
  const { host } = await expand(tree, { key });
  expect(host.connection.password?.reveal()).toBe(canary);
  expect(inspect(host, { depth: 9, showHidden: true })).not.toContain(canary);
  expect(() => JSON.stringify(host)).toThrow('must not be written as JSON');
});

test('a Secret shows dots wherever text is made of it', () => {
  const hidden = secret('token', () => canary);
  for (const text of [
    `${hidden}`,
    String(hidden),
    inspect(hidden),
    inspect({ a: [hidden] }),
    `${[hidden]}`,
  ]) {
    expect(text).not.toContain(canary);
    expect(text).toContain('•••');
  }
  expect(JSON.stringify(Object.entries({ ...hidden, toJSON: undefined }))).not.toContain(canary);
  expect(() => JSON.stringify({ hidden })).toThrow('token');
});

test('explain shows dots and needs no key', async () => {
  const site = await load(write(withRole('')));
  const [title] = explain(site, 'one', 'web.title');
  expect(title?.value).toBe('••••••');
});

const sopsTree = {
  ...withRole('resources:\n  - file: /a\n    content: ${title}\n'),
  'inventory/secrets.yaml': 'token: ENC[AES256_GCM,data:x]\nsops:\n  version: 3.9.0\n',
};

test('a SOPS file without the sops program says so', async () => {
  expect(await expand(sopsTree, { key }).then(() => 'accepted', told)).toContain(
    'the program sops is not installed',
  );
});

test('a SOPS file is opened by sops, with the key of the user', async () => {
  const bin = write(
    {},
    {
      // Stands in for sops: proves what it was given, and answers as it does.
      sops: '#!/bin/sh\n[ "$1 $2 $3" = "--decrypt --output-type json" ] || exit 9\nprintf \'{"token": "%s"}\' "$SOPS_AGE_KEY_FILE"\n',
    },
  );
  chmodSync(join(bin, 'sops'), 0o755);
  const { resources } = await expand(sopsTree, { key, env: { PATH: bin } });
  expect(resources[0]).toMatchObject({ id: 'file:/a', secret: true, spec: { content: key } });
});
