import {
  child,
  items,
  type MapNode,
  map,
  type Node,
  plain,
  scalar,
  secretsIn,
  texts,
} from '../inventory/node.ts';
import { complete } from '../inventory/schema.ts';
import { didYouMean, found, listed, shown } from '../inventory/wording.ts';
import { ProvisionError, type Where } from '../model/errors.ts';
import type { Procedure, ProcedureStep } from '../model/procedure.ts';
import type { Resource } from '../model/resource.ts';
import { asWords, proofOf, wordOf } from './checks.ts';
import { repeat, type Setting } from './entry.ts';
import type { ExpandOptions } from './expand.ts';
import type { Role } from './load.ts';
import { type Scope, substitute, withName } from './values.ts';

/** Seconds that a step may take when it does not say. */
const defaultLimit = 60;

/** The procedures of a role on a host. Those with parameters that were not given are left out unless asked for by name. */
export function expandProcedures(
  role: Role,
  setting: Setting,
  scope: Scope,
  options: ExpandOptions,
): Procedure[] {
  const ids = new Set<string>();
  return role.procedures.flatMap((entry) => {
    const id = `${role.name}/${wordOf(entry, 'id', scope) ?? ''}`;
    const from = entry.entries.get('id')?.key ?? entry.where;
    const about = wordOf(entry, 'about', scope);
    if (ids.has(id))
      say(scope, `the procedure ${shown(id)} is there twice`, from, 'call one of them something else');
    ids.add(id);
    const parameters = parametersOf(entry, id, setting, scope, options);
    if (parameters === undefined || about === undefined) return [];
    const inner = withName(scope, 'parameter', parameters);
    const steps = items(child(entry, 'steps')).flatMap((step) =>
      step.kind === 'map' ? expandStep(step, setting, inner) : [],
    );
    return [{ id, about, role: role.name, steps, from }];
  });
}

/** The values of `--set`, typed as the procedure declares them; undefined when they are not all there. */
function parametersOf(
  entry: MapNode,
  id: string,
  setting: Setting,
  scope: Scope,
  options: ExpandOptions,
): Node | undefined {
  const declared = child(entry, 'parameters');
  const from = entry.entries.get('id')?.key ?? entry.where;
  const known = declared?.kind === 'map' ? [...declared.entries.keys()] : [];
  const wanted = options.procedure === id;
  const given = wanted ? Object.entries(options.parameters ?? {}) : [];
  const before = scope.mistakes.length;
  for (const [name] of given) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known) ?? 'leave it out';
    say(scope, `unknown parameter ${shown(name)} for ${id}; allowed: ${listed(known)}`, from, hint);
  }
  const properties = declared === undefined ? {} : plain(declared);
  const typed = given.map(([name, value]) => [name, typedValue(value, child(declared, name), from)] as const);
  const node = map(typed, from);
  const schemaNode = map([['properties', declared ?? map([], from)]], from);
  const filled = complete(node, { properties }, schemaNode);
  if (filled.kind !== 'map') return undefined;
  const missing = known.filter((name) => !filled.entries.has(name));
  if (missing.length > 0 && !wanted) return undefined;
  for (const name of missing) {
    say(scope, `the parameter ${shown(name)} of ${id} is missing`, from, `add --set ${name}=VALUE`);
  }
  if (scope.mistakes.length > before) return undefined;
  const judge = setting.schemas.judge({ type: 'object', properties });
  scope.mistakes.push(...judge(filled, { name: id, host: scope.host }));
  return scope.mistakes.length > before ? undefined : filled;
}

/** `111` for an integer parameter is the number; a text that is none stays text and is refused by the schema. */
function typedValue(value: string, schema: Node | undefined, where: Where): Node {
  const type = child(schema, 'type');
  const kinds = type?.kind === 'list' ? texts(type) : type?.kind === 'scalar' ? [String(type.value)] : [];
  const numeric = kinds.includes('integer') || kinds.includes('number');
  if (numeric && String(Number(value)) === value) return scalar(Number(value), where);
  if (kinds.includes('boolean') && (value === 'true' || value === 'false'))
    return scalar(value === 'true', where);
  return scalar(value, where);
}

function expandStep(entry: MapNode, setting: Setting, scope: Scope): ProcedureStep[] {
  const steps: ProcedureStep[] = [];
  repeat(entry, scope, (inner) => {
    const about = wordOf(entry, 'about', inner);
    const run = argvOf(child(entry, 'run'), inner);
    const guard = proofs(child(entry, 'guard'), setting, inner);
    const verify = proofs(child(entry, 'verify'), setting, inner);
    const limit = child(entry, 'limit');
    const from = entry.entries.get('about')?.key ?? entry.where;
    if (about === undefined || run === undefined) return;
    steps.push({
      about,
      guard,
      run,
      verify,
      limit: limit === undefined ? defaultLimit : Number(plain(limit)),
      from,
    });
  });
  return steps;
}

function argvOf(node: Node | undefined, scope: Scope): string[] | undefined {
  const value = node && substitute(node, scope);
  if (node === undefined || value === undefined) return undefined;
  if (secretsIn(value).length > 0) {
    const hint = 'every process of the host can see arguments; put the secret into a file and name that';
    return say(scope, 'a secret would be an argument of this command', node.where, hint);
  }
  const words = asWords(value);
  const argv = texts(words);
  if (words.kind === 'list' && argv.length === words.items.length && argv.length > 0) return argv;
  const wrong =
    words.kind === 'list'
      ? words.items.find((item) => texts({ ...words, items: [item] }).length === 0)
      : words;
  const message = `an argument of "run" is ${found(wrong ?? words)}; allowed: texts and numbers`;
  return say(scope, message, wrong?.where ?? node.where, undefined);
}

function proofs(node: Node | undefined, setting: Setting, scope: Scope): Resource[] {
  const made: Resource[] = [];
  for (const item of items(node)) {
    if (item.kind !== 'map') continue;
    repeat(item, scope, (inner) => {
      const resource = proofOf(item, setting, inner);
      if (resource !== undefined) made.push(resource);
    });
  }
  return made;
}

function say(scope: Scope, message: string, where: Where, hint: string | undefined): undefined {
  scope.mistakes.push(new ProvisionError('input', message, { where, host: scope.host, hint }));
  return undefined;
}
