import { fromPlain } from '../../../src/inventory/schema.ts';
import type { Where } from '../../../src/model/errors.ts';
import type { Platform } from '../../../src/model/host.ts';
import { type HostInput, makePicture, type Picture } from '../../../src/site/picture.ts';

type Data = Readonly<Record<string, unknown>>;

/** A made-up host. `has`: `TYPE NAME` -> the rest of the spec. */
export interface Box {
  readonly platform: Platform;
  readonly address?: string;
  readonly guests?: readonly Data[];
  readonly disks?: readonly Data[];
  readonly vars?: Data;
  readonly has?: Readonly<Record<string, Data>>;
}

/** A small site: hosts by name, and what site.yaml says besides. */
export interface World {
  readonly hosts: Readonly<Record<string, Box>>;
  readonly site?: Data;
  /** Files of the repository by path. */
  readonly texts?: Readonly<Record<string, string>>;
}

export function pictureOf({ hosts, site = {}, texts = {} }: World): Picture {
  return makePicture(
    fromPlain(site, { file: 'site.yaml', line: 1, column: 1 }),
    Object.entries(hosts).map(([name, box]) => input(name, box)),
    Object.entries(texts).map(([file, text]) => ({ file, text })),
  );
}

function input(name: string, { platform, address, guests, disks, vars, has }: Box): HostInput {
  const from: Where = { file: `hosts/${name}.yaml`, line: 1, column: 1 };
  const complete = (guests ?? []).map((guest) => ({ class: 'static', ...guest }));
  return {
    name,
    platform,
    address,
    groups: ['all'],
    roles: Object.keys(vars ?? {}),
    from,
    node: mapNode({ guests: complete, disks: disks ?? [] }, from),
    variables: new Map(Object.entries(vars ?? {}).map(([role, value]) => [role, fromPlain(value, from)])),
    parts: Object.entries(has ?? {}).map(([key, spec], index) => {
      const [type = '', id = ''] = key.split(' ');
      return { type, spec: { [type]: id, ...spec }, where: { ...from, line: index + 2 } };
    }),
  };
}

function mapNode(value: Data, where: Where) {
  const node = fromPlain(value, where);
  if (node.kind !== 'map') throw new Error('no map');
  return node;
}

/** The same world with one value changed; undefined takes it away: `edit(world, {...}, 'hosts', 'pve2', 'address')`. */
export function edit<T>(whole: T, value: unknown, ...path: readonly (string | number)[]): T {
  const copy = structuredClone(whole);
  let at = copy as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  const last = path[path.length - 1] ?? '';
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}
