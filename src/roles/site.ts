import { readdir } from 'node:fs/promises';
import type { Disk, Guest } from '../inventory/data.ts';
import { type HostFile, type Inventory, loadInventory, type Named } from '../inventory/load.ts';
import { child, type Node, plain, text } from '../inventory/node.ts';
import { errno, reason } from '../inventory/read.ts';
import { loadSchemas, type Schemas } from '../inventory/schema.ts';
import type { Keys, Secrets } from '../inventory/secrets.ts';
import { didYouMean, listed, shown } from '../inventory/wording.ts';
import { InputErrors, ProvisionError, type Where } from '../model/errors.ts';
import type { Platform } from '../model/host.ts';
import type { ResourceType } from '../model/resource.ts';
import { platformOf } from './host.ts';
import { loadRole, type Role } from './load.ts';
import { sortMistakes } from './sort.ts';
import { type Templates, templatesIn } from './templates.ts';
import { baseScope, variablesOf } from './variables.ts';

/** A host as the inventory describes it. */
export interface SiteHost {
  readonly name: string;
  readonly platform: Platform;
  /** undefined for a host that is a directory tree or this machine. */
  readonly address: string | undefined;
  /** In the order of site.yaml, `all` first. */
  readonly groups: readonly string[];
  /** Those of its groups, then its own, each once. */
  readonly roles: readonly string[];
  readonly from: Where;
  readonly disks: readonly Disk[];
  readonly guests: readonly Guest[];
}

/** All hosts of one inventory with their roles, read and judged. Secrets and templates are opened when a host is expanded. */
export interface Site {
  readonly name: string;
  readonly groups: readonly string[];
  readonly hosts: readonly SiteHost[];
  /** Loaded roles by name: those that a host or a group names. */
  readonly roles: ReadonlyMap<string, Role>;
  readonly secrets: Secrets;

  /** The folder of the inventory. */
  readonly directory: string;
  readonly inventory: Inventory;
  readonly templates: Templates;
  readonly schemas: Schemas;
  readonly types: ReadonlyMap<string, ResourceType>;
  /** Throws an input error with the known names when there is no such host. */
  file(host: string): HostFile;
  rolesOf(host: string): readonly Role[];
}

export interface Folders {
  readonly inventory: string;
  readonly roles: string;
  readonly templates: string;
}

export interface LoadOptions extends Keys {
  readonly types: readonly ResourceType[];
}

/** Reads a site. Throws InputErrors with every mistake of inventory/ and of the roles in use, sorted by file and line. */
export async function loadSite(folders: Folders, options: LoadOptions): Promise<Site> {
  const mistakes: ProvisionError[] = [];
  const schemas = await loadSchemas();
  const inventory = await loadInventory(folders.inventory, options, schemas, mistakes);
  const roles = await loadRoles(folders.roles, inventory, schemas, mistakes);
  const site = makeSite(folders, options, inventory, roles, schemas);
  // What is wrong with a file makes more look wrong that is not: those hosts are judged once their files can be read.
  const broken = new Set(mistakes.map((mistake) => mistake.where?.file));
  for (const host of inventory.hosts) {
    if (!filesOf(inventory, host).some((file) => broken.has(file))) checkHost(site, host, mistakes);
  }
  if (mistakes.length > 0) throw new InputErrors(sortMistakes(mistakes));
  return site;
}

function makeSite(
  folders: Folders,
  options: LoadOptions,
  inventory: Inventory,
  roles: ReadonlyMap<string, Role>,
  schemas: Schemas,
): Site {
  const files = new Map(inventory.hosts.map((host) => [host.name, host]));
  const ofHost = new Map(inventory.hosts.map((host) => [host.name, rolesOfHost(inventory, host, roles)]));
  return {
    name: inventory.name,
    groups: inventory.groups.map((group) => group.name),
    hosts: inventory.hosts.map((host) => siteHost(host, ofHost.get(host.name) ?? [])),
    roles,
    secrets: inventory.secrets,
    directory: folders.inventory,
    inventory,
    templates: templatesIn(folders.templates),
    schemas,
    types: new Map(options.types.map((type) => [type.name, type])),
    file: (name) => {
      const host = files.get(name);
      if (host !== undefined) return host;
      const known = [...files.keys()];
      throw new ProvisionError('input', `unknown host ${shown(name)}; known: ${listed(known)}`, {
        host: name,
        hint: didYouMean(name, known),
      });
    },
    rolesOf: (name) => ofHost.get(name) ?? [],
  };
}

/** The roles a host is given, with the places that say so: groups in the order of the site, then its own. */
function askedRoles(inventory: Inventory, host: HostFile): Named[] {
  const groups = inventory.groups.filter((group) => host.groups.includes(group.name));
  return [...groups.flatMap((group) => group.roles), ...host.roles];
}

function rolesOfHost(inventory: Inventory, host: HostFile, roles: ReadonlyMap<string, Role>): Role[] {
  const names = new Set(askedRoles(inventory, host).map((role) => role.name));
  return [...names].flatMap((name) => roles.get(name) ?? []);
}

async function loadRoles(
  directory: string,
  inventory: Inventory,
  schemas: Schemas,
  mistakes: ProvisionError[],
): Promise<ReadonlyMap<string, Role>> {
  const known = await roleNames(directory);
  const asked: Named[] = [];
  for (const layer of [...inventory.groups, ...inventory.hosts]) {
    asked.push(...layer.roles);
    const vars = child(layer.node, 'vars');
    if (vars?.kind === 'map')
      asked.push(...[...vars.entries].map(([name, entry]) => ({ name, where: entry.key })));
  }
  for (const { name, where } of asked) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known) ?? `a role is a folder with a role.yaml below ${directory}/`;
    mistakes.push(
      new ProvisionError('input', `unknown role ${shown(name)}; allowed: ${listed(known)}`, { where, hint }),
    );
  }
  const names = [...new Set(asked.map((role) => role.name))].filter((name) => known.includes(name));
  const loaded = await Promise.all(names.map((name) => loadRole(directory, name, schemas, mistakes)));
  return new Map(loaded.flatMap((role) => (role === undefined ? [] : [[role.name, role] as const])));
}

async function roleNames(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  } catch (error) {
    if (errno(error) === 'ENOENT') return [];
    throw new ProvisionError('input', `the folder ${directory} cannot be read: ${reason(error)}`);
  }
}

/** The files that say what a host is. */
function filesOf(inventory: Inventory, host: HostFile): string[] {
  const groups = inventory.groups.filter((group) => host.groups.includes(group.name));
  return [inventory.node.where.file, host.from.file, ...groups.map((group) => group.node.where.file)];
}

/** Platform, names in `vars:` and the variables of every role, before anything is expanded and without any secret. */
function checkHost(site: Site, host: HostFile, mistakes: ProvisionError[]): void {
  const platform = platformOf(child(host.node, 'platform'));
  const roles = site.rolesOf(host.name);
  for (const asked of askedRoles(site.inventory, host)) {
    const role = site.roles.get(asked.name);
    if (role === undefined || role.platforms.includes(platform)) continue;
    const message = `role ${role.name} is not for ${platform} hosts such as ${host.name}; it is for: ${listed(role.platforms)}`;
    const hint = 'take the role away from it, or move it to a group of the right hosts';
    mistakes.push(new ProvisionError('input', message, { where: asked.where, host: host.name, hint }));
  }
  const vars = child(host.node, 'vars');
  for (const [name, entry] of vars?.kind === 'map' ? vars.entries : []) {
    if (!site.roles.has(name) || roles.some((role) => role.name === name)) continue;
    const message = `host ${host.name} has variables for the role ${name} but not the role`;
    const hint = `add ${name} to its roles, or remove the variables`;
    mistakes.push(new ProvisionError('input', message, { where: entry.key, host: host.name, hint }));
  }
  const base = baseScope(site, host.name, new Set(), mistakes);
  for (const role of roles) variablesOf(site, host.name, role, base);
}

function siteHost(host: HostFile, roles: readonly Role[]): SiteHost {
  return {
    name: host.name,
    platform: platformOf(child(host.node, 'platform')),
    address: text(child(child(host.node, 'connection'), 'address')),
    groups: host.groups,
    roles: roles.map((role) => role.name),
    from: host.from,
    disks: data<Disk>(child(host.node, 'disks')),
    guests: data<Guest>(child(host.node, 'guests')),
  };
}

/** The schema of the host file has judged these before anybody sees them: its properties are the fields of T. */
function data<T>(node: Node | undefined): readonly T[] {
  return (node === undefined ? [] : plain(node)) as unknown as readonly T[];
}
