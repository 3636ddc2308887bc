import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ProvisionError, showWhere, type Where } from '../model/errors.ts';
import { groupSchema, hostSchema, namePattern, siteSchema } from './formats.ts';
import { child, items, type MapNode, map, type Node, text, texts } from './node.ts';
import { errno, reason } from './read.ts';
import { complete, type Schemas } from './schema.ts';
import { type Keys, noSecrets, readSecrets, type Secrets } from './secrets.ts';
import { didYouMean, found, listed, shown } from './wording.ts';
import { readYaml } from './yaml.ts';

/** A name together with the place where it is asked for. */
export interface Named {
  readonly name: string;
  readonly where: Where;
}

export interface GroupFile {
  readonly name: string;
  readonly node: MapNode;
  readonly roles: readonly Named[];
}

export interface HostFile {
  readonly name: string;
  readonly node: MapNode;
  /** Its groups in the order of the site, `all` included. */
  readonly groups: readonly string[];
  /** Roles of its own, without those of its groups. */
  readonly roles: readonly Named[];
  readonly from: Where;
}

/** What the files under inventory/ say, checked one by one; the values in it are still as written. */
export interface Inventory {
  readonly name: string;
  readonly node: MapNode;
  readonly groups: readonly GroupFile[];
  readonly hosts: readonly HostFile[];
  readonly secrets: Secrets;
}

interface Reading {
  readonly directory: string;
  readonly schemas: Schemas;
  readonly mistakes: ProvisionError[];
}

const noSite =
  'call provision in the directory that holds inventory/, or name the inventory with --inventory DIR';

export async function loadInventory(
  directory: string,
  keys: Keys,
  schemas: Schemas,
  mistakes: ProvisionError[],
): Promise<Inventory> {
  const reading: Reading = { directory, schemas, mistakes };
  const file = join(directory, 'site.yaml');
  const node = await readMap(reading, file, 'the site', siteSchema, noSite);
  if (node === undefined) return { name: '', node: nothing, groups: [], hosts: [], secrets: noSecrets };
  const listedGroups = named(child(node, 'groups'));
  const order = [...new Set(['all', ...listedGroups.map((group) => group.name)])];
  const groups = await readGroups(reading, order);
  const hosts = await readHosts(reading, order);
  const secrets = await readSecrets(join(directory, 'secrets.yaml'), keys, mistakes);
  return { name: text(child(node, 'site')) ?? '', node, groups, hosts, secrets };
}

async function readGroups(reading: Reading, order: readonly string[]): Promise<GroupFile[]> {
  const files = await yamlFiles(reading, 'groups');
  for (const { name, where } of files) {
    if (order.includes(name)) continue;
    reading.mistakes.push(
      new ProvisionError(
        'input',
        `the group ${shown(name)} is not in the list of site.yaml: ${listed(order)}`,
        {
          where,
          hint:
            didYouMean(name, order) ?? 'add it to "groups:" there; its place in that list is its precedence',
        },
      ),
    );
  }
  const groups = await Promise.all(
    order.map(async (name): Promise<GroupFile> => {
      const file = files.find((candidate) => candidate.name === name)?.where.file;
      const read =
        file === undefined ? undefined : await readMap(reading, file, `group ${name}`, groupSchema);
      const node = read ?? nothing;
      sameName(reading, node, 'group', name);
      return { name, node, roles: named(child(node, 'roles')) };
    }),
  );
  return groups;
}

async function readHosts(reading: Reading, order: readonly string[]): Promise<HostFile[]> {
  const files = await yamlFiles(reading, 'hosts');
  const hosts = await Promise.all(files.map(({ name, where }) => readHost(reading, order, name, where.file)));
  return hosts.filter((host) => host !== undefined);
}

async function readHost(
  reading: Reading,
  order: readonly string[],
  name: string,
  file: string,
): Promise<HostFile | undefined> {
  const read = await readMap(reading, file, `host ${name}`, hostSchema);
  if (read === undefined) return undefined;
  const node = complete(read, { properties: hostData });
  sameName(reading, read, 'host', name);
  const own = named(child(read, 'groups'));
  for (const group of own) {
    if (order.includes(group.name)) continue;
    reading.mistakes.push(
      new ProvisionError('input', `unknown group ${shown(group.name)}; allowed: ${listed(order)}`, {
        where: group.where,
        host: name,
        hint: didYouMean(group.name, order) ?? 'add it to "groups:" in site.yaml',
      }),
    );
  }
  checkConnection(reading, read, name);
  for (const [list, key] of [
    ['guests', 'vmid'],
    ['disks', 'serial'],
  ] as const)
    once(reading, read, list, key, name);
  const groups = order.filter((group) => group === 'all' || own.some((one) => one.name === group));
  const from = child(read, 'host')?.where ?? read.where;
  return { name, node: node.kind === 'map' ? node : read, groups, roles: named(child(read, 'roles')), from };
}

const hostData = Object.fromEntries(
  Object.entries(hostSchema.properties).filter(([key]) => ['disks', 'guests', 'note'].includes(key)),
);

/** Two guests of one number, or two disks of one serial, are one of them copied and not finished. */
function once(reading: Reading, host: MapNode, list: string, key: string, name: string): void {
  const seen = new Map<unknown, Where>();
  for (const element of items(child(host, list))) {
    const node = element.kind === 'map' ? child(element, key) : undefined;
    if (node?.kind !== 'scalar') continue;
    const before = seen.get(node.value);
    if (before === undefined) seen.set(node.value, node.where);
    else
      reading.mistakes.push(
        new ProvisionError(
          'input',
          `${key} ${node.value} is there twice in ${list}; the other one: ${showWhere(before)}`,
          {
            where: node.where,
            host: name,
            hint: 'correct one of them',
          },
        ),
      );
  }
}

function checkConnection(reading: Reading, host: MapNode, name: string): void {
  const connection = child(host, 'connection');
  const session = text(child(connection, 'session')) ?? 'ssh';
  const where = connection?.where ?? host.where;
  const lacks = (key: string, what: string) =>
    reading.mistakes.push(
      new ProvisionError('input', `"${key}" is missing in the connection of host ${name}`, {
        where,
        host: name,
        hint: `add "${key}: ..." (${what})`,
      }),
    );
  if ((session === 'ssh' || session === 'openssh') && child(connection, 'address') === undefined)
    lacks('address', 'name or address of the host, for ssh');
  if (session === 'root' && child(connection, 'root') === undefined)
    lacks('root', 'the directory that holds the tree of the host');
}

/** Reads a file that holds a map, and judges it. undefined when there is nothing in it that could be judged. */
async function readMap(
  reading: Reading,
  file: string,
  name: string,
  schema: Readonly<Record<string, unknown>>,
  whenMissing?: string,
): Promise<MapNode | undefined> {
  try {
    const node = await readYaml(file, whenMissing);
    if (node.kind === 'map') {
      reading.mistakes.push(...reading.schemas.judge(schema)(node, { name }));
      return node;
    }
    reading.mistakes.push(
      new ProvisionError('input', `the file holds ${found(node)}; a map is wanted`, {
        where: node.where,
        hint: 'see docs/inventory.md for the keys',
      }),
    );
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    reading.mistakes.push(error);
  }
  return undefined;
}

/** `NAME.yaml` of a folder, sorted. Other names are mistakes: a forgotten `.yml` would be a host that is never looked at. */
async function yamlFiles(reading: Reading, folder: string): Promise<Named[]> {
  const directory = join(reading.directory, folder);
  const entries = await readdir(directory).catch((error: unknown) => {
    if (errno(error) === 'ENOENT') return [];
    throw new ProvisionError('input', `the folder ${directory} cannot be read: ${reason(error)}`);
  });
  const files: Named[] = [];
  for (const entry of entries.sort()) {
    if (entry.startsWith('.')) continue;
    const where: Where = { file: join(directory, entry), line: 1, column: 1 };
    const name = entry.endsWith('.yaml') ? entry.slice(0, -'.yaml'.length) : '';
    if (new RegExp(namePattern).test(name) && name.length <= 63) files.push({ name, where });
    else
      reading.mistakes.push(
        new ProvisionError('input', `the file name ${shown(entry)} is not allowed here`, {
          where,
          hint: 'call it NAME.yaml; NAME has lower-case letters, digits and hyphens, at most 63',
        }),
      );
  }
  return files;
}

/** The name inside a file must be the one outside: a copied file is otherwise a second host that looks like the first. */
function sameName(reading: Reading, node: MapNode, key: string, name: string): void {
  const inside = child(node, key);
  if (inside === undefined || text(inside) === name) return;
  reading.mistakes.push(
    new ProvisionError('input', `${key} is ${found(inside)} in a file called ${name}.yaml`, {
      where: inside.where,
      hint: `write "${key}: ${name}" or rename the file`,
    }),
  );
}

function named(node: Node | undefined): Named[] {
  return items(node).flatMap((item) =>
    texts({ kind: 'list', items: [item], where: item.where }).map((name) => ({ name, where: item.where })),
  );
}

const nothing = map([], { file: '', line: 1, column: 1 });
