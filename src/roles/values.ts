import {
  type Entry,
  type ListNode,
  type MapNode,
  type Node,
  type ScalarNode,
  scalar,
} from '../inventory/node.ts';
import { secret } from '../inventory/secret.ts';
import { type Secrets, unknownSecret } from '../inventory/secrets.ts';
import { didYouMean, found, listed } from '../inventory/wording.ts';
import { ProvisionError, type Where } from '../model/errors.ts';
import type { Secret } from '../model/host.ts';
import { allOf } from './group.ts';
import { type Part, type PathStep, parseText, shownPath } from './parts.ts';

/** What `${...}` can name in one place, and where its mistakes and its need for secrets are collected. */
export interface Scope {
  readonly host: string;
  /** Variables of the role, `host`, `site`, and `item` or `parameter` where there is one. */
  readonly names: ReadonlyMap<string, Node>;
  readonly secrets: Secrets;
  /** Names of secrets that were asked for and are not decrypted yet. */
  readonly sealed: Set<string>;
  readonly mistakes: ProvisionError[];
}

const parsed = new WeakMap<ScalarNode, readonly Part[] | string>();

/** The same scope with one more name. */
export function withName(scope: Scope, name: string, node: Node): Scope {
  return { ...scope, names: new Map([...scope.names, [name, node]]) };
}

/**
 * The value with every `${path}` replaced. A `${path}` that is the whole value keeps its type; inside a text, texts, numbers and
 * booleans are inserted. What is inserted is never looked at again. undefined when a name is unknown: the mistake is in the scope.
 */
export function substitute(node: Node, scope: Scope): Node | undefined {
  if (node.kind === 'scalar') return substituteScalar(node, scope);
  if (node.kind === 'list') return substituteList(node, scope);
  return substituteMap(node, scope);
}

function substituteList(node: ListNode, scope: Scope): Node | undefined {
  let same = true;
  let whole = true;
  const items: Node[] = [];
  for (const item of node.items) {
    const value = substitute(item, scope);
    if (value === undefined) whole = false;
    else items.push(value);
    same &&= value === item;
  }
  if (!whole) return undefined;
  return same ? node : { ...node, items };
}

function substituteMap(node: MapNode, scope: Scope): Node | undefined {
  let same = true;
  let whole = true;
  const entries = new Map<string, Entry>();
  for (const [key, entry] of node.entries) {
    const value = substitute(entry.node, scope);
    if (value === undefined) whole = false;
    else entries.set(key, value === entry.node ? entry : { key: entry.key, node: value });
    same &&= value === entry.node;
  }
  if (!whole) return undefined;
  return same ? node : { ...node, entries };
}

function substituteScalar(node: ScalarNode, scope: Scope): Node | undefined {
  if (typeof node.value !== 'string' || !node.value.includes('${')) return node;
  let parts = parsed.get(node);
  if (parts === undefined) {
    parts = parseText(node.value);
    parsed.set(node, parts);
  }
  if (typeof parts === 'string') return complain(scope, parts, node.where, 'write $${ for a plain ${');
  const only = parts.length === 1 ? parts[0] : undefined;
  if (only !== undefined && 'path' in only) return wholeValue(only.path, node, scope);
  return insertText(parts, node, scope);
}

function wholeValue(path: readonly PathStep[], node: ScalarNode, scope: Scope): Node | undefined {
  const value = lookup(path, node.where, scope);
  if (value === undefined) return undefined;
  return { ...value, where: node.where, via: value.via ?? value.where };
}

function insertText(parts: readonly Part[], node: ScalarNode, scope: Scope): Node | undefined {
  let text = '';
  let via: Where | undefined;
  let sealed = false;
  const secrets: Secret[] = [];
  for (const part of parts) {
    if ('text' in part) {
      text += part.text;
      continue;
    }
    const value = lookup(part.path, node.where, scope);
    if (value === undefined) return undefined;
    if (value.kind !== 'scalar' || value.value === null) {
      const name = `\${${shownPath(part.path)}}`;
      return complain(
        scope,
        `${name} is ${found(value)} and cannot be put into a text`,
        node.where,
        undefined,
      );
    }
    text += String(value.value);
    via ??= value.via ?? value.where;
    sealed ||= value.sealed === true;
    secrets.push(...(value.secrets ?? []));
  }
  const marks = secrets.length === 0 ? {} : { secrets };
  return { ...scalar(text, node.where), ...marks, ...(via ? { via } : {}), ...(sealed ? { sealed } : {}) };
}

/** The value a path leads to. undefined when it leads nowhere: then the scope has a mistake more. */
function lookup(written: readonly PathStep[], where: Where, scope: Scope): Node | undefined {
  const path: string[] = [];
  const chosen = new Map<number, Where>();
  for (const [index, step] of written.entries()) {
    const name = typeof step === 'string' ? { text: step } : nameAt(step, where, scope);
    if (name === undefined) return undefined;
    path.push(name.text);
    if ('at' in name) chosen.set(index, name.at);
  }
  const [root = '', ...steps] = path;
  if (root === 'secrets') return lookupSecret(steps, where, scope);
  let node = scope.names.get(root);
  const names = [...scope.names.keys(), 'secrets'];
  if (node === undefined) return unknownName(path, root, names, 'names', where, scope);
  for (const [index, step] of steps.entries()) {
    // An empty list has no elements to say what they might have.
    if (node.kind === 'list' && node.items.length === 0 && step === 'all') return node;
    const next: Node | undefined = stepInto(node, step);
    if (next === undefined) {
      const reached = path.slice(0, index + 1).join('.');
      const at = chosen.get(index + 1);
      if (at !== undefined) return unknownChoice(step, reached, keysOf(node), at, scope);
      return unknownName(path, step, keysOf(node), `\${${reached}} has`, where, scope);
    }
    node = next;
  }
  return node;
}

/** The text that a path in brackets leads to, and where it is written. */
function nameAt(
  path: readonly string[],
  where: Where,
  scope: Scope,
): { readonly text: string; readonly at: Where } | undefined {
  const value = lookup(path, where, scope);
  if (value === undefined) return undefined;
  if (value.kind === 'scalar' && value.secrets === undefined && value.value !== null)
    return { text: String(value.value), at: value.via ?? value.where };
  const what = value.kind === 'scalar' && value.secrets !== undefined ? 'a secret' : found(value);
  return complain(scope, `\${${path.join('.')}} is ${what} and cannot be a name`, where, undefined);
}

function stepInto(node: Node, step: string): Node | undefined {
  if (node.kind === 'list' && step === 'all') return allOf(node);
  if (node.kind === 'list') return /^(0|[1-9][0-9]{0,5})$/.test(step) ? node.items[Number(step)] : undefined;
  if (node.kind === 'scalar') return undefined;
  const entry = node.entries.get(step);
  if (entry !== undefined) return entry.node;
  return node.absent?.includes(step) ? scalar(null, node.where) : undefined;
}

function keysOf(node: Node): string[] {
  if (node.kind === 'list') return [...node.items.map((_, index) => String(index)), 'all'];
  return node.kind === 'map' ? [...node.entries.keys(), ...(node.absent ?? [])] : [];
}

function lookupSecret(steps: readonly string[], where: Where, scope: Scope): Node | undefined {
  const name = steps.join('.');
  if (scope.secrets.where(name) === undefined) {
    scope.mistakes.push(unknownSecret(scope.secrets, name, where));
    return undefined;
  }
  const opened = scope.secrets.get(name);
  if (opened === undefined) {
    scope.sealed.add(name);
    return { ...scalar('', where), secrets: [unopened(name)], sealed: true };
  }
  return { ...scalar(opened.reveal(), where), secrets: [opened] };
}

/** Stands for a secret until it is decrypted. Whoever would use it as it is must fail, not go on with an empty password. */
function unopened(name: string): Secret {
  return secret(name, () => {
    throw new ProvisionError('input', `the secret ${name} was not decrypted for this`);
  });
}

function unknownName(
  path: readonly string[],
  word: string,
  known: readonly string[],
  what: string,
  where: Where,
  scope: Scope,
): undefined {
  const message = `unknown name "${word}" in \${${path.join('.')}}; ${what}: ${listed(known)}`;
  const plainText = path[0] === word ? 'write $${ for a plain ${' : undefined;
  return complain(scope, message, where, didYouMean(word, known) ?? plainText);
}

/** The mistake is the word in the inventory, not the role that looks it up: told there, and once, however often the role does. */
function unknownChoice(
  word: string,
  reached: string,
  known: readonly string[],
  at: Where,
  scope: Scope,
): undefined {
  const message = `there is no "${word}" in ${reached}; it has: ${listed(known)}`;
  const told = scope.mistakes.some(
    (one) => one.message === message && one.where?.line === at.line && one.where.file === at.file,
  );
  if (told) return undefined;
  return complain(
    scope,
    message,
    at,
    didYouMean(word, known) ?? `choose one of them, or add it to ${reached}`,
  );
}

function complain(scope: Scope, message: string, where: Where, hint: string | undefined): undefined {
  scope.mistakes.push(new ProvisionError('input', message, { where, host: scope.host, hint }));
  return undefined;
}
