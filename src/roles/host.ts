import { resolve } from 'node:path';
import { child, type Node, plain, text } from '../inventory/node.ts';
import {
  type Connection,
  type Host,
  type Platform,
  platforms,
  type SessionKind,
  sessionKinds,
} from '../model/host.ts';
import type { Site } from './site.ts';
import { type Scope, substitute } from './values.ts';

/** How a host is reached, with its password as a Secret. */
export function hostOf(site: Site, name: string, scope: Scope): Host {
  const file = site.file(name);
  return {
    name,
    platform: platformOf(child(file.node, 'platform')),
    connection: connectionOf(child(file.node, 'connection'), site.directory, scope),
    groups: file.groups,
    roles: site.rolesOf(name).map((role) => role.name),
    from: file.from,
  };
}

export function platformOf(node: Node | undefined): Platform {
  return platforms.find((platform) => platform === text(node)) ?? 'linux';
}

function connectionOf(node: Node | undefined, directory: string, scope: Scope): Connection {
  const port = node && child(node, 'port');
  const session: SessionKind = sessionKinds.find((kind) => kind === text(child(node, 'session'))) ?? 'ssh';
  const given = child(node, 'password');
  const password = given === undefined ? undefined : substitute(given, scope);
  const root = text(child(node, 'root'));
  return {
    session,
    address: text(child(node, 'address')) ?? 'localhost',
    port: port === undefined ? 22 : Number(plain(port)),
    user: text(child(node, 'user')) ?? 'root',
    become: text(child(node, 'become')) === 'sudo' ? 'sudo' : 'none',
    password: password?.kind === 'scalar' ? password.secrets?.[0] : undefined,
    identityFile: text(child(node, 'identity_file')),
    // Relative to the inventory, so that it means the same from every working directory.
    root: root === undefined ? undefined : resolve(directory, root),
    machineId: text(child(node, 'machine_id')),
  };
}
