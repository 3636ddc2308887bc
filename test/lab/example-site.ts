import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type ProvisionOptions, runProvision } from './cli.ts';
import type { LabHost } from './lab.ts';
import { scratch } from './machine.ts';
import type { Reachable } from './site.ts';

type Data = Record<string, unknown>;

export interface ExampleOptions {
  /**
   * Texts of the inventory and what stands for each in the lab: a fingerprint. Addresses of the hosts are replaced anyway: everywhere, not
   * only where they say how the host is reached.
   */
  readonly texts?: Readonly<Record<string, string>>;
  /** What other hosts call a host, where that is not the address at which it is reached from here. */
  readonly called?: Readonly<Record<string, string>>;
  /** Of the hosts of the example only those of the lab stay, so that no command can reach for the others. */
  readonly alone?: boolean;
  /** Edits of files of the site, by path: what a container cannot have. A text that is not there is an error. */
  readonly edits?: Readonly<Record<string, readonly (readonly [string, string])[]>>;
}

/** What the example site pins as the certificate of its backup server. */
export const chosenFingerprint =
  '3f:a1:0c:55:9e:72:d8:04:b6:e1:47:2a:90:cd:13:8b:5e:f0:66:21:ba:7d:39:c4:18:ef:52:a7:0b:93:dc:6e';

/** Makes an empty package, of a name that the lab has none of: it has no network. */
export async function emptyPackage(host: Pick<LabHost, 'sh'>, name: string): Promise<void> {
  await host.sh(`mkdir -p /tmp/p/DEBIAN
printf 'Package: ${name}\nVersion: 7.3\nArchitecture: all\nMaintainer: Lab <lab@lab.lan>\nDescription: empty\n' >/tmp/p/DEBIAN/control
dpkg-deb --root-owner-group --build /tmp/p /tmp/p.deb >/dev/null; dpkg -i /tmp/p.deb >/dev/null; rm -r /tmp/p /tmp/p.deb`);
}

const project = new URL('../../', import.meta.url).pathname;

/** The example site as it is shipped, with hosts of the lab in place of its own. Answers with its directory. */
export function exampleSite(hosts: readonly Reachable[], options: ExampleOptions = {}): string {
  const dir = scratch('example');
  for (const part of ['inventory', 'roles', 'templates'])
    cpSync(join(project, part), join(dir, part), { recursive: true });
  for (const [path, edits] of Object.entries(options.edits ?? {})) editFile(dir, path, edits);
  const folder = join(dir, 'inventory/hosts');
  const texts = { ...addresses(folder, hosts, options.called ?? {}), ...options.texts };
  for (const path of files(dir)) writeFileSync(path, replaced(readFileSync(path, 'utf8'), texts));
  if (options.alone)
    for (const file of readdirSync(folder))
      if (!hosts.some(({ name }) => file === `${name}.yaml`)) rmSync(join(folder, file));
  for (const host of hosts) {
    const file = join(folder, `${host.name}.yaml`);
    const data: Data = parse(readFileSync(file, 'utf8'));
    data.connection = {
      session: 'ssh',
      address: host.address,
      port: host.port,
      user: host.user,
      identity_file: host.identityFile,
      machine_id: host.machineId,
    };
    writeFileSync(file, stringify(data, { aliasDuplicateObjects: false }));
  }
  writeFileSync(
    join(dir, 'inventory/known_hosts'),
    hosts.flatMap((host) => host.hostKeys.map((line) => `${line}\n`)).join(''),
  );
  return dir;
}

/**
 * What the comment in the inventory asks for: the secret of the token that the backup server has made, encrypted in the inventory,
 * and named where the storages are. `site` says in its `env` where the key of the secrets is to lie.
 */
export async function putToken(site: ProvisionOptions, pbs: Pick<LabHost, 'sh' | 'readFile'>): Promise<void> {
  const file = '/etc/provision/tokens/backup@pbs!pve';
  const key = site.env?.PROVISION_AGE_KEY_FILE ?? '';
  const made = await runProvision(['secret', 'keygen', '--out', key], site);
  const input = await pbs.readFile(file);
  const kept = await runProvision(['secret', 'set', 'pbs_token'], { ...site, input });
  if (made.code !== 0 || kept.code !== 0) throw new Error(`lab: ${made.stderr}${kept.stderr}`);
  await pbs.sh(`rm '${file}'`);
  const user = '        username: backup@pbs!pve\n';
  editFile(site.cwd, 'inventory/groups/pbs-clients.yaml', [
    [user, `${user}        password: \${secrets.pbs_token}\n`],
  ]);
}

/** Edits a file of a site as a person does; a text that is not there is an error of the test. */
export function editFile(dir: string, path: string, edits: readonly (readonly [string, string])[]): void {
  let text = readFileSync(join(dir, path), 'utf8');
  for (const [from, to] of edits) {
    if (!text.includes(from)) throw new Error(`lab: ${path} has no ${JSON.stringify(from)}`);
    text = text.replaceAll(from, to);
  }
  writeFileSync(join(dir, path), text);
}

function files(dir: string): string[] {
  return ['inventory/groups', 'inventory/hosts'].flatMap((folder) =>
    readdirSync(join(dir, folder)).map((name) => join(dir, folder, name)),
  );
}

/** The addresses of the example, and what stands for them. */
function addresses(
  folder: string,
  hosts: readonly Reachable[],
  called: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    hosts.map(({ name, address }) => {
      const data: { connection: { address: string } } = parse(
        readFileSync(join(folder, `${name}.yaml`), 'utf8'),
      );
      return [data.connection.address, called[name] ?? address];
    }),
  );
}

/** Whole words only: 10.10.0.10 is no part of 10.10.0.103. */
function replaced(text: string, texts: Readonly<Record<string, string>>): string {
  const words = Object.keys(texts).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (words.length === 0) return text;
  const pattern = new RegExp(`(?<![\\w.:])(?:${words.join('|')})(?![\\w.]|/[0-9])`, 'g');
  return text.replace(pattern, (word) => texts[word] ?? word);
}
