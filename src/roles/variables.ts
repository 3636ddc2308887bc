import { layersOf, merge } from '../inventory/layers.ts';
import type { HostFile } from '../inventory/load.ts';
import {
  child,
  type Entry,
  list,
  type MapNode,
  map,
  type Node,
  type Plain,
  plain,
  scalar,
  text,
} from '../inventory/node.ts';
import { complete, fromPlain } from '../inventory/schema.ts';
import { shown } from '../inventory/wording.ts';
import { ProvisionError } from '../model/errors.ts';
import type { Role } from './load.ts';
import type { Site } from './site.ts';
import { type Scope, substitute } from './values.ts';

/** What values of the inventory may name: `host`, `site` and secrets. */
export function baseScope(site: Site, host: string, sealed: Set<string>, mistakes: ProvisionError[]): Scope {
  const names = new Map([
    ['host', hostNode(site, site.file(host))],
    ['site', siteNode(site)],
  ]);
  return { host, names, secrets: site.secrets, sealed, mistakes };
}

/** What a role may name on a host; undefined when its variables have mistakes, which are then in the scope. */
export function roleScope(site: Site, host: string, role: Role, base: Scope): Scope | undefined {
  const variables = variablesOf(site, host, role, base);
  if (variables === undefined) return undefined;
  const names = new Map(base.names);
  for (const [name, entry] of variables.entries) names.set(name, entry.node);
  return { ...base, names };
}

/** The variables of a role on a host as plain data; null where it has no such role or they are wrong. */
export function roleValues(site: Site, host: string, name: string): Plain {
  const values = roleNode(site, host, name);
  return values === undefined ? null : plain(values);
}

/** The same with the lines they were written on. Secrets in them stay closed. */
export function roleNode(site: Site, host: string, name: string): MapNode | undefined {
  const role = site.rolesOf(host).find((candidate) => candidate.name === name);
  return role && variablesOf(site, host, role, baseScope(site, host, new Set(), []));
}

/** Defaults of the role, then groups in order, then the host; then `${...}` in them replaced, once; then judged. */
export function variablesOf(site: Site, hostName: string, role: Role, base: Scope): MapNode | undefined {
  const host = site.file(hostName);
  const before = base.mistakes.length;
  let merged: Node = defaults(role, host);
  for (const layer of layersOf(site.inventory, host)) {
    const given = child(layer.vars, role.name);
    if (given !== undefined) merged = merge(merged, given);
  }
  if (merged.kind !== 'map') return undefined;
  const filled = complete(merged, role.schema, role.schemaNode);
  for (const name of missing(role, filled)) {
    const about = text(child(role.variables.get(name)?.node, 'description'));
    const message = `the variable ${shown(name)} of role ${role.name} is missing for host ${hostName}`;
    const hint = `add "vars: {${role.name}: {${name}: ...}}" here or in one of its groups${about ? ` (${about.trim()})` : ''}`;
    base.mistakes.push(new ProvisionError('input', message, { where: host.from, host: hostName, hint }));
  }
  if (base.mistakes.length > before) return undefined;
  const values = substitute(filled, base);
  if (values?.kind !== 'map') return undefined;
  const judge = site.schemas.judge(role.schema);
  base.mistakes.push(...judge(values, { name: `role ${role.name}`, host: hostName }));
  return base.mistakes.length > before ? undefined : values;
}

function defaults(role: Role, host: HostFile): MapNode {
  const entries = new Map<string, Entry>();
  for (const [name, entry] of role.variables) {
    const given = child(entry.node, 'default');
    if (given !== undefined) entries.set(name, { key: entry.key, node: given });
  }
  return { kind: 'map', entries, where: host.from };
}

function missing(role: Role, values: Node): string[] {
  return values.kind === 'map' ? [...role.variables.keys()].filter((name) => !values.entries.has(name)) : [];
}

function hostNode(site: Site, host: HostFile): Node {
  const connection = child(host.node, 'connection');
  const here = host.from;
  const names = (words: readonly string[]) => fromPlain(words, here);
  const roles = site.rolesOf(host.name).map((role) => role.name);
  const empty = list([], here);
  const node = map(
    [
      ['name', scalar(host.name, here)],
      ['platform', child(host.node, 'platform') ?? scalar(null, here)],
      ['address', child(connection, 'address') ?? scalar(null, here)],
      ['user', child(connection, 'user') ?? scalar('root', here)],
      ['port', child(connection, 'port') ?? scalar(22, here)],
      ['groups', names(host.groups)],
      ['roles', names(roles)],
      ['note', child(host.node, 'note') ?? scalar(null, here)],
      ['disks', child(host.node, 'disks') ?? empty],
      ['guests', child(host.node, 'guests') ?? empty],
    ],
    here,
  );
  return node;
}

function siteNode(site: Site): Node {
  const hosts = site.inventory.hosts.map((host) => {
    const address = child(child(host.node, 'connection'), 'address') ?? scalar(null, host.from);
    const platform = child(host.node, 'platform') ?? scalar(null, host.from);
    return map(
      [
        ['name', scalar(host.name, host.from)],
        ['address', address],
        ['platform', platform],
      ],
      host.from,
    );
  });
  const where = site.inventory.node.where;
  return map(
    [
      ['name', scalar(site.name, where)],
      ['hosts', list(hosts, where)],
    ],
    where,
  );
}
