import { child, items, type MapNode, type Node, text } from '../inventory/node.ts';
import { found, shown } from '../inventory/wording.ts';
import type { Check } from '../model/check.ts';
import { InputErrors, ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import type { Procedure } from '../model/procedure.ts';
import type { Resource } from '../model/resource.ts';
import { expandChecks } from './checks.ts';
import { makeResource, repeat, type Setting, typeOf } from './entry.ts';
import { hostOf } from './host.ts';
import type { Role } from './load.ts';
import { checkOwners } from './owners.ts';
import { expandProcedures } from './procedures.ts';
import type { Site } from './site.ts';
import { sortMistakes } from './sort.ts';
import { type Scope, substitute } from './values.ts';
import { baseScope, roleScope } from './variables.ts';

/** All that the repository asks of one host, validated. Resources stand in the order of the roles, not yet in one that works. */
export interface Expanded {
  readonly host: Host;
  readonly resources: readonly Resource[];
  readonly checks: readonly Check[];
  readonly procedures: readonly Procedure[];
}

export interface ExpandOptions {
  /** `role/procedure` that is to run: its parameters are judged. Others that need parameters are left out. */
  readonly procedure?: string | undefined;
  /** Values for its parameters, as typed: `{guest: '111'}`. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** Secrets stay closed: empty texts stand for them. For looking at a host that nothing will be done to. */
  readonly sealed?: true | undefined;
}

/** Keys of a resource entry that are not part of the type's spec. */
const common = ['each', 'group_by', 'when', 'after', 'template'];

/**
 * Expands the roles of a host. Throws InputErrors with all mistakes found. Secrets are decrypted only when something that is
 * really used names them; then everything is expanded a second time with their values.
 */
export async function expandHost(site: Site, name: string, options: ExpandOptions = {}): Promise<Expanded> {
  const mistakes: ProvisionError[] = [];
  await Promise.all(site.rolesOf(name).map((role) => prepareTemplates(site, role, mistakes)));
  for (;;) {
    const sealed = new Set<string>();
    const found: ProvisionError[] = [...mistakes];
    const expanded = expandOnce(site, name, options, sealed, found);
    if (sealed.size > 0 && options.sealed !== true) {
      await site.secrets.open([...sealed]);
      continue;
    }
    // What an empty text makes wrong is none of the user's mistakes.
    if (sealed.size > 0) return expanded;
    if (found.length > 0) throw new InputErrors(sortMistakes(found));
    return expanded;
  }
}

function expandOnce(
  site: Site,
  name: string,
  options: ExpandOptions,
  sealed: Set<string>,
  mistakes: ProvisionError[],
): Expanded {
  const base = baseScope(site, name, sealed, mistakes);
  const resources: Resource[] = [];
  const skipped = new Set<string>();
  const checks: Check[] = [];
  const procedures: Procedure[] = [];
  for (const role of site.rolesOf(name)) {
    const scope = roleScope(site, name, role, base);
    if (scope === undefined) continue;
    const { types, schemas, templates } = site;
    const setting: Setting = { role: role.name, types, schemas, templates };
    for (const entry of role.resources) resources.push(...expandEntry(entry, setting, scope, skipped));
    checks.push(...expandChecks(role, setting, scope));
    procedures.push(...expandProcedures(role, setting, scope, options));
  }
  checkOwners(resources, skipped, base);
  return { host: hostOf(site, name, base), resources, checks, procedures };
}

function expandEntry(entry: MapNode, setting: Setting, scope: Scope, skipped: Set<string>): Resource[] {
  const type = typeOf(entry, common, setting, scope);
  if (type === undefined) return [];
  if (type.checkOnly === true) {
    const where = entry.entries.get(type.name)?.key ?? entry.where;
    const message = `${type.name} can only be checked, not kept in a state`;
    scope.mistakes.push(
      new ProvisionError('input', message, {
        where,
        host: scope.host,
        hint: 'move it to "checks:" of the role',
      }),
    );
    return [];
  }
  const made: Resource[] = [];
  repeat(
    entry,
    scope,
    (inner) => {
      const after = afterOf(entry, inner);
      const resource = makeResource(entry, type, common, setting, inner);
      if (resource !== undefined && after !== undefined) made.push({ ...resource, after });
    },
    (inner) => {
      const key = child(entry, type.name);
      const value = key === undefined ? undefined : text(substitute(key, { ...inner, mistakes: [] }));
      if (value !== undefined) skipped.add(`${type.name}:${value}`);
    },
  );
  return made;
}

function afterOf(entry: MapNode, scope: Scope): string[] | undefined {
  const given = entry.entries.get('after');
  if (given === undefined) return [];
  const node: Node | undefined = substitute(given.node, scope);
  if (node === undefined) return undefined;
  const ids = items(node).map((item) => text(item));
  const whole = ids.filter((id) => id !== undefined);
  if (node.kind === 'list' && whole.length === ids.length) return whole;
  scope.mistakes.push(
    new ProvisionError('input', `"after" is ${found(node)}; allowed: a list of ids`, {
      where: node.where,
      host: scope.host,
      hint: 'ids are TYPE:NAME, for instance ["directory:/etc/x"]',
    }),
  );
  return undefined;
}

/** Reads the templates a role names, so that expanding itself waits for nothing. */
async function prepareTemplates(site: Site, role: Role, mistakes: ProvisionError[]): Promise<void> {
  const reading: Promise<void>[] = [];
  for (const entry of role.resources) {
    const node = child(entry, 'template');
    if (node === undefined) continue;
    const name = text(node);
    if (name === undefined || name.includes('${')) {
      const shownName = name === undefined ? found(node) : shown(name);
      const message = `"template" is ${shownName}; allowed: the name of a file, without \${...}`;
      mistakes.push(new ProvisionError('input', message, { where: node.where }));
    } else reading.push(site.templates.prepare(name, node.where, mistakes));
  }
  await Promise.all(reading);
}
