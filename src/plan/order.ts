import { ProvisionError, showWhere } from '../model/errors.ts';
import type { Context } from '../model/host.ts';
import type { Place, Resource } from '../model/resource.ts';

export interface Ordered {
  readonly resources: readonly Resource[];
  /** id -> ids that must come before it. */
  readonly before: ReadonlyMap<string, readonly string[]>;
  /** id -> ids whose change alters what it has. */
  readonly follows: ReadonlyMap<string, readonly string[]>;
}

/**
 * Puts the resources of a host in an order that satisfies every place they need and every `after`; ties stay in file order.
 * Among things to be removed the order turns round: the file goes before its directory. Throws on a cycle, with the chain.
 */
export function order(resources: readonly Resource[], context: Context): Ordered {
  const providers = providersOf(resources);
  const parts = partsOf(resources);
  const absent = new Set(resources.filter((r) => r.type.want(r.spec, context) === null).map((r) => r.id));
  const before = new Map<string, string[]>(resources.map((r) => [r.id, []]));
  const follows = new Map<string, string[]>();
  const add = (id: string, first: string): void => {
    if (id === first) return;
    const [later, earlier] = absent.has(id) && absent.has(first) ? [first, id] : [id, first];
    const list = before.get(later);
    if (list && !list.includes(earlier)) list.push(earlier);
  };
  for (const resource of resources) {
    const followed = (resource.type.follows?.(resource.spec) ?? []).flatMap((place) =>
      writers(providers, parts, place, resource.id),
    );
    follows.set(
      resource.id,
      followed.filter((id) => id !== resource.id),
    );
    const needed = (resource.type.needs?.(resource.spec) ?? []).flatMap((place) =>
      provider(providers, place, resource.id),
    );
    for (const id of [...needed, ...followed]) add(resource.id, id);
    for (const id of resource.after) if (before.has(id)) add(resource.id, id);
  }
  return { resources: sort(resources, before), before, follows };
}

/** Whoever writes the content that this place names: the owner of the whole, and the owners of single lines of it. */
function writers(
  providers: ReadonlyMap<Place, string>,
  parts: ReadonlyMap<string, readonly string[]>,
  place: Place,
  self: string,
): string[] {
  const path = /^(?:content|path):(.*)/.exec(place)?.[1];
  const lines = (path === undefined ? undefined : parts.get(path)) ?? [];
  // One line of a file does not follow its sibling lines: they would all wait for each other.
  return [...provider(providers, place, self), ...(lines.includes(self) ? [] : lines)];
}

/** Path of a file -> ids of the resources that own one entry of it. */
function partsOf(resources: readonly Resource[]): Map<string, string[]> {
  const parts = new Map<string, string[]>();
  for (const { id, type, spec } of resources) {
    for (const place of type.provides?.(spec) ?? []) {
      const path = /^part:([^#]*)#/.exec(place)?.[1];
      if (path !== undefined) parts.set(path, [...(parts.get(path) ?? []), id]);
    }
  }
  return parts;
}

function providersOf(resources: readonly Resource[]): Map<Place, string> {
  const providers = new Map<Place, string>();
  for (const resource of resources) {
    for (const place of resource.type.provides?.(resource.spec) ?? []) providers.set(place, resource.id);
  }
  return providers;
}

/** `path:` places climb to the nearest provider above, so a file goes after its directory, dataset or mount without being told. */
function provider(providers: ReadonlyMap<Place, string>, place: Place, self?: string): string[] {
  const exact = providers.get(place);
  if (exact !== undefined && exact !== self) return [exact];
  if (!place.startsWith('path:')) return [];
  let path = place.slice('path:'.length);
  while (path.length > 1) {
    path = path.slice(0, path.lastIndexOf('/')) || '/';
    const above = providers.get(`path:${path}`);
    if (above !== undefined && above !== self) return [above];
  }
  return [];
}

function sort(resources: readonly Resource[], before: ReadonlyMap<string, readonly string[]>): Resource[] {
  const byId = new Map(resources.map((r) => [r.id, r]));
  const done = new Set<string>();
  const sorted: Resource[] = [];
  const visit = (resource: Resource, chain: readonly Resource[]): void => {
    if (done.has(resource.id)) return;
    if (chain.includes(resource)) throw cycle([...chain.slice(chain.indexOf(resource)), resource]);
    for (const id of before.get(resource.id) ?? []) {
      const first = byId.get(id);
      if (first) visit(first, [...chain, resource]);
    }
    done.add(resource.id);
    sorted.push(resource);
  };
  for (const resource of resources) visit(resource, []);
  return sorted;
}

function cycle(chain: readonly Resource[]): ProvisionError {
  const links = chain
    .map((resource) => `  ${resource.id} (${showWhere(resource.from)})`)
    .join('\n  waits for\n');
  return new ProvisionError('input', `these resources wait for each other:\n${links}`, {
    where: chain[0]?.from,
    hint: 'remove one `after`, or let one of them not need the other',
  });
}
