import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { Connection, Host } from '../../src/model/host.ts';
import type { Contact } from '../../src/remote/session.ts';
import type { LabHost } from './lab.ts';
import { scratch } from './machine.ts';

type Data = Readonly<Record<string, unknown>>;

export interface SiteOptions {
  /** Roles of every host. */
  readonly roles?: readonly string[];
  /** Variables of every host: by role, then by variable. */
  readonly vars?: Readonly<Record<string, Data>>;
  /** Merged into the host file of the named host: `platform`, `roles`, `vars`, `guests`, `connection: {...}`, ... */
  readonly hosts?: Readonly<Record<string, Data>>;
  /** Files in addition, by path below the site: text, or data that is written as YAML. Wins over what is there. */
  readonly files?: Readonly<Record<string, string | Data>>;
}

/** What an inventory says of a host: containers and virtual machines alike. */
export type Reachable = Pick<
  LabHost,
  'name' | 'platform' | 'address' | 'port' | 'user' | 'identityFile' | 'hostKeys' | 'machineId'
>;

const project = new URL('../../', import.meta.url).pathname;

/** Writes a known_hosts file with the keys of these hosts; answers with its path. */
export function knownHosts(hosts: readonly Reachable[]): string {
  const file = join(scratch('keys'), 'known_hosts');
  writeFileSync(file, pinned(hosts));
  return file;
}

/**
 * Writes a whole site into a new directory: `inventory/` with these hosts, their keys and machine-ids pinned, and copies of
 * the project's `roles/` and `templates/`. Answers with the directory: `runProvision(args, {cwd: site})`.
 * May be written again with other options into the same directory (`dir`): what a person does who edits the repository.
 */
export function inventoryFor(
  hosts: readonly Reachable[],
  options: SiteOptions = {},
  dir: string = scratch('site'),
): string {
  for (const part of ['roles', 'templates']) {
    if (existsSync(join(project, part))) cpSync(join(project, part), join(dir, part), { recursive: true });
  }
  const write = (path: string, content: string | Data) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(
      join(dir, path),
      typeof content === 'string' ? content : stringify(content, { aliasDuplicateObjects: false }),
    );
  };
  write('inventory/site.yaml', { site: 'lab', groups: ['all'] });
  write('inventory/groups/all.yaml', { group: 'all', roles: options.roles ?? [], vars: options.vars ?? {} });
  write('inventory/known_hosts', pinned(hosts));
  for (const host of hosts)
    write(`inventory/hosts/${host.name}.yaml`, hostFile(host, options.hosts?.[host.name] ?? {}));
  for (const [path, content] of Object.entries(options.files ?? {})) write(path, content);
  return dir;
}

function hostFile(host: Reachable, more: Data): Data {
  const { connection, ...rest } = more;
  return {
    host: host.name,
    platform: host.platform,
    connection: {
      session: 'ssh',
      address: host.address,
      port: host.port,
      user: host.user,
      become: 'none',
      identity_file: host.identityFile,
      machine_id: host.machineId,
      ...(connection as Data | undefined),
    },
    ...rest,
  };
}

function pinned(hosts: readonly Reachable[]): string {
  return hosts.flatMap((host) => host.hostKeys.map((line) => `${line}\n`)).join('');
}

/** The host as the product's own modules take it, for tests below the command line: `connect(host, contact)`. */
export function reach(host: Reachable, changes: Partial<Connection> = {}): { host: Host; contact: Contact } {
  const connection: Connection = {
    session: 'ssh',
    address: host.address,
    port: host.port,
    user: host.user,
    become: 'none',
    identityFile: host.identityFile,
    machineId: host.machineId,
    ...changes,
  };
  const from = { file: `inventory/hosts/${host.name}.yaml`, line: 1, column: 1 };
  return {
    host: { name: host.name, platform: host.platform, connection, groups: ['all'], roles: [], from },
    contact: { knownHosts: knownHosts([host]), env: { PATH: process.env.PATH, HOME: scratch('home') } },
  };
}
