import { child, follow, type MapNode, type Node, plain, secretsIn, text } from '../inventory/node.ts';
import { isRecord, type Schemas } from '../inventory/schema.ts';
import { didYouMean, found, listed, shown } from '../inventory/wording.ts';
import { ProvisionError, type Where } from '../model/errors.ts';
import type { Resource, ResourceType } from '../model/resource.ts';
import { holds } from './conditions.ts';
import { grouped, groupKeys } from './group.ts';
import { protect } from './protect.ts';
import type { Templates } from './templates.ts';
import { type Scope, substitute, withName } from './values.ts';

/** What turning one entry of a role into resources needs. */
export interface Setting {
  readonly role: string;
  readonly types: ReadonlyMap<string, ResourceType>;
  readonly schemas: Schemas;
  readonly templates: Templates;
}

/** Runs `make` once, or once for every element of `each:`, where `when:` holds. */
export function repeat(
  entry: MapNode,
  scope: Scope,
  make: (scope: Scope) => void,
  skip?: (scope: Scope) => void,
): void {
  const each = entry.entries.get('each');
  const when = child(entry, 'when');
  const once = (inner: Scope) => {
    const wanted = when === undefined ? true : holds(when, inner);
    if (wanted === true) make(inner);
    else if (wanted === false) skip?.(inner);
  };
  if (each === undefined) {
    once(scope);
    return;
  }
  const all = substitute(each.node, scope);
  if (all === undefined) return;
  if (all.kind === 'list') {
    const elements = all.items.map((item) => ({ ...item, via: item.via ?? item.where }));
    const groupBy = entry.entries.get('group_by');
    if (groupBy !== undefined) repeatGroups(groupBy.node, elements, when, scope, make);
    else for (const item of elements) once(withName(scope, 'item', item));
    return;
  }
  const hint = 'write "each: ${NAME}"; NAME is a list';
  scope.mistakes.push(
    new ProvisionError('input', `"each" is ${found(all)}; allowed: a list`, {
      where: each.key,
      host: scope.host,
      hint,
    }),
  );
}

/** Once for every group of the elements for which `when:` holds. */
function repeatGroups(
  groupBy: Node,
  elements: readonly Node[],
  when: Node | undefined,
  scope: Scope,
  make: (scope: Scope) => void,
): void {
  const keys = groupKeys(groupBy, scope);
  if (keys === undefined) return;
  const wanted = elements.filter(
    (item) => when === undefined || holds(when, withName(scope, 'item', item)) === true,
  );
  for (const group of grouped(wanted, keys, scope) ?? []) make(withName(scope, 'item', group));
}

const typesOf = new WeakMap<MapNode, ResourceType>();

/** The type an entry is of: the key that is a type's name and not a property of another type in the entry. */
export function typeOf(
  entry: MapNode,
  common: readonly string[],
  setting: Setting,
  scope: Scope,
): ResourceType | undefined {
  const before = typesOf.get(entry);
  if (before !== undefined) return before;
  const keys = [...entry.entries.keys()].filter((key) => !common.includes(key));
  const candidates = keys.flatMap((key) => setting.types.get(key) ?? []);
  const names = candidates.map((type) => type.name);
  const fits = candidates.filter((type) =>
    names.every((name) => name === type.name || propertiesOf(type).includes(name)),
  );
  // Two that could each be a property of the other, or neither: the one that is written first, and its schema judges the rest.
  const type = fits[0] ?? candidates[0];
  if (type !== undefined) {
    typesOf.set(entry, type);
    return type;
  }
  const known = [...setting.types.keys()];
  const where = [...entry.entries.values()][0]?.key ?? entry.where;
  const message = `none of the keys ${listed(keys)} is a resource type; allowed: ${listed(known)}`;
  const hint = keys.map((key) => didYouMean(key, known)).find((guess) => guess !== undefined);
  scope.mistakes.push(new ProvisionError('input', message, { where, host: scope.host, hint }));
  return undefined;
}

const specs = new WeakMap<MapNode, MapNode>();

/** An entry without the keys that are not the type's; the same for every host, so it is made once. */
function specOf(entry: MapNode, common: readonly string[]): MapNode {
  const known = specs.get(entry);
  if (known !== undefined) return known;
  const own = [...entry.entries].filter(([key]) => !common.includes(key));
  const spec: MapNode = own.length === entry.entries.size ? entry : { ...entry, entries: new Map(own) };
  specs.set(entry, spec);
  return spec;
}

/** One resource out of one entry, or undefined and a mistake in the scope. `polish` changes the spec before it is judged. */
export function makeResource(
  entry: MapNode,
  type: ResourceType,
  common: readonly string[],
  setting: Setting,
  scope: Scope,
  polish: (filled: MapNode) => MapNode = (filled) => filled,
): Resource | undefined {
  const before = scope.mistakes.length;
  const from = entry.entries.get(type.name)?.key ?? entry.where;
  const filled = substitute(specOf(entry, common), scope);
  if (filled?.kind !== 'map') return undefined;
  const template = entry.entries.get('template')?.node;
  const complete = template === undefined ? filled : withContent(filled, template, type, setting, scope);
  if (complete === undefined) return undefined;
  const present = dropNull(polish(complete));
  if (present.kind !== 'map') return undefined;
  const name = nameOf(present, type);
  scope.mistakes.push(...setting.schemas.judge(type.schema)(present, { name, host: scope.host }));
  if (scope.mistakes.length > before) return undefined;
  return finish(present, type, from, setting, scope);
}

function finish(
  node: MapNode,
  type: ResourceType,
  from: Where,
  setting: Setting,
  scope: Scope,
): Resource | undefined {
  const secrets = secretsIn(node);
  const guarded = secrets.length === 0 ? node : protect(node, type, secrets, from, scope);
  if (guarded === undefined) return undefined;
  const spec = plain(guarded);
  const identity = type.identity(spec);
  const say = (message: string, hint?: string) =>
    void scope.mistakes.push(new ProvisionError('input', message, { where: from, host: scope.host, hint }));
  if (/[\x00-\x1f\x7f]/.test(identity)) {
    say(
      `the name ${shown(identity)} of this ${type.name} holds a control character`,
      'remove tabs and line breaks from it',
    );
    return undefined;
  }
  const wrong = misread(guarded, type, spec, scope.host);
  scope.mistakes.push(...wrong);
  if (wrong.length > 0) return undefined;
  return {
    id: `${type.name}:${identity}`,
    type,
    spec,
    role: setting.role,
    from,
    asked: child(guarded, type.name)?.via,
    secret: [...node.entries].some(
      ([key, entry]) => type.conceals?.includes(key) !== true && secretsIn(entry.node).length > 0,
    ),
    after: [],
  };
}

/** What the type finds wrong with a spec that fits its schema, at the place where the value is written. */
function misread(node: Node, type: ResourceType, spec: unknown, host: string): ProvisionError[] {
  return (type.mistakes?.(spec) ?? []).map(({ at, says, hint }) => {
    const name = `${type.name}:${type.identity(spec)}`;
    const found = follow(node, at);
    const subject = at.length === 0 ? name : `${at.join('.')} of ${name}`;
    // What is missing stands nowhere; its name does.
    const where = found.via ?? (found === node ? child(node, type.name)?.via : undefined) ?? found.where;
    return new ProvisionError('input', `${subject} ${says}`, { where, host, hint });
  });
}

/** How messages call a resource that may not be a valid one. */
function nameOf(node: MapNode, type: ResourceType): string {
  const key = child(node, type.name);
  if (key !== undefined && secretsIn(key).length > 0) return type.name;
  return `${type.name}:${text(key) ?? '?'}`;
}

/** The rendered template as `content`. */
function withContent(
  node: MapNode,
  asked: Node,
  type: ResourceType,
  setting: Setting,
  scope: Scope,
): MapNode | undefined {
  const say = (message: string, hint?: string): undefined => {
    scope.mistakes.push(new ProvisionError('input', message, { where: asked.where, host: scope.host, hint }));
    return undefined;
  };
  if (!propertiesOf(type).includes('content'))
    return say(`"template" is not for ${type.name}: it has no content`);
  if (node.entries.has('content')) return say('"template" and "content" are both given', 'keep one of them');
  const template = setting.templates.get(text(asked) ?? '');
  if (template === undefined) return undefined;
  try {
    const { text: value, secrets } = template.render(scope.names, scope.host);
    const marks = secrets.length === 0 ? {} : { secrets };
    const content: Node = { kind: 'scalar', value, where: asked.where, ...marks };
    return { ...node, entries: new Map([...node.entries, ['content', { key: asked.where, node: content }]]) };
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    scope.mistakes.push(error);
    return undefined;
  }
}

/**
 * A key whose value is nothing is a key that is not there: `owner: ${item.owner}` of an element without owner. In a list it
 * stays and is refused by the schema: an argument that silently vanishes makes another command.
 */
function dropNull(node: Node): Node {
  if (!holdsNull(node)) return node;
  if (node.kind === 'scalar') return node;
  if (node.kind === 'list') return { ...node, items: node.items.map(dropNull) };
  const kept = [...node.entries].filter(([, entry]) => !isNull(entry.node));
  return {
    ...node,
    entries: new Map(kept.map(([key, entry]) => [key, { ...entry, node: dropNull(entry.node) }])),
  };
}

/** Nearly no value has one: most are handed on as they are, not copied. */
function holdsNull(node: Node): boolean {
  if (node.kind === 'scalar') return node.value === null;
  if (node.kind === 'list') return node.items.some(holdsNull);
  for (const entry of node.entries.values()) if (holdsNull(entry.node)) return true;
  return false;
}

function isNull(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null;
}

function propertiesOf(type: ResourceType): string[] {
  return isRecord(type.schema.properties) ? Object.keys(type.schema.properties) : [];
}
