// V8's code cache of the bundle: it holds the functions that have run, so the program is made to do its usual work once.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

/** The cache as bytes, or null where the rehearsal cannot run: it is worth time, not a build. */
export async function makeCache(bundle) {
  const file = resolve(bundle);
  const script = new Script(readFileSync(file, 'utf8'), { filename: file });
  const module = { exports: {} };
  const url = pathToFileURL(file);
  script.runInThisContext()(createRequire(url), module, module.exports, file, dirname(file), url.href);
  const site = mkdtempSync(join(tmpdir(), 'provision-build-'));
  try {
    makeSite(site);
    const said = [];
    for (const argv of [['list', 'resources'], ['diff'], ['apply', '--yes'], ['diff', '--format', 'json']]) {
      await module.exports.start(['--inventory', join(site, 'inventory'), ...argv], silent(said));
    }
    return script.createCachedData();
  } catch (error) {
    console.warn(`no code cache: ${error.message}`);
    return null;
  } finally {
    rmSync(site, { recursive: true, force: true });
  }
}

/** Two hosts: a directory tree that is looked at, and an address at which nobody answers, for the way there. */
function makeSite(site) {
  const write = (path, text) => {
    mkdirSync(dirname(join(site, path)), { recursive: true });
    writeFileSync(join(site, path), text);
  };
  mkdirSync(join(site, 'tree/etc'), { recursive: true });
  write('inventory/site.yaml', 'site: build\ngroups: [all]\n');
  write('inventory/groups/all.yaml', 'group: all\nroles: [sample]\nvars: {sample: {names: [a, b]}}\n');
  write(
    'inventory/known_hosts',
    '127.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n',
  );
  write(
    'inventory/hosts/tree.yaml',
    `host: tree\nplatform: linux\nconnection: {session: root, root: ${JSON.stringify(join(site, 'tree'))}}\n`,
  );
  write(
    'inventory/hosts/gone.yaml',
    'host: gone\nplatform: linux\nconnection: {address: 127.0.0.1, port: 1, user: root}\n',
  );
  write(
    'templates/sample/file.hbs',
    '# {{line item}} of {{line host.name}}\n{{#each names}}\n{{line this}}\n{{/each}}\n',
  );
  write(
    'roles/sample/role.yaml',
    `role: sample
about: Something of each kind, to have it in the cache.
platforms: [linux]
variables: {names: {type: array, items: {type: string}, description: Names.}}
resources:
  - directory: /etc/sample
  - {each: "\${names}", file: "/etc/sample/\${item}", template: sample/file.hbs}
  - {link: /etc/sample/link, to: a}
  - {line: /etc/sample.conf, key: a, value: b, create: true}
checks:
  - {id: there, about: It is there, path: /etc/sample}
`,
  );
}

/** A terminal that nobody sees. */
function silent(said) {
  return {
    out: (text) => said.push(text),
    err: (text) => said.push(text),
    outIsTerminal: false,
    errIsTerminal: false,
    interactive: false,
    ask: async () => '',
    input: async () => Buffer.alloc(0),
    env: { PATH: process.env.PATH, HOME: tmpdir() },
    now: () => Date.now(),
    nonce: () => '0123456789abcdef0123456789abcdef',
    controller: 'build',
    size: () => ({ columns: 80, rows: 24 }),
    onInterrupt: () => () => {},
    end: () => {},
  };
}
