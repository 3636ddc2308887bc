import type { ErrorObject } from 'ajv';
import type { Where } from '../model/errors.ts';
import type { Node } from './node.ts';
import { didYouMean, found, listed, shown } from './wording.ts';

export interface Mistake {
  readonly message: string;
  readonly hint?: string | undefined;
  /** The offending key, where the key is at fault; else the value is. */
  readonly where?: Where | undefined;
}

/** Patterns that many schemas share, in words: nobody reads a regular expression at 3 in the morning. */
const patterns: Readonly<Record<string, string>> = {
  '^/$|^(/(?!\\.{1,2}(/|$))[^/\\x00-\\x1f\\x7f]+)+$':
    'an absolute path without "..", "//", control characters or a slash at the end',
  '^[A-Za-z0-9:][A-Za-z0-9.:%_-]*$': 'a host name or an IP address',
  '^\\$\\{secrets\\.[a-z][a-z0-9_]*\\}$': '"${secrets.NAME}", the name of a secret',
  '^[0-7]{4}$': 'four octal digits in quotes, such as "0644"',
  '^[a-z0-9][a-z0-9-]*$': 'lower-case letters, digits and hyphens, not starting with a hyphen',
  '^[a-z_][a-z0-9_.-]{0,31}$|^[0-9]{1,10}$': 'a user or group name, or a number in quotes',
};

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  null: 'nothing (null)',
};

/**
 * One complaint of the validator as: what was found, what is allowed, what to do. `pointer` leads to the value. A `$comment` in the
 * schema says what the host would make of a wrong value.
 */
export function explainMistake(
  error: ErrorObject,
  node: Node,
  pointer: readonly string[],
  name: string,
): Mistake {
  const mistake = explain(error, node, pointer, name);
  const meaning: unknown = error.parentSchema?.$comment;
  if (typeof meaning !== 'string') return mistake;
  return { ...mistake, hint: mistake.hint === undefined ? meaning : `${mistake.hint} ${meaning}` };
}

function explain(error: ErrorObject, node: Node, pointer: readonly string[], name: string): Mistake {
  const subject = pointer.length === 0 ? name : `${pointer.join('.')} of ${name}`;
  const key = pointer.at(-1);
  const { params } = error;
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return unknownKey(error, node, subject, String(params.additionalProperty));
    case 'required':
    case 'dependentRequired':
    case 'dependencies':
      return missingKey(error, subject, String(params.missingProperty));
    case 'propertyNames':
      return {
        message: `the key ${shown(String(params.propertyName))} of ${subject} is not allowed${rule(propertyNameSchema(error))}`,
        where: keyPlace(node, String(params.propertyName)),
      };
    case 'type':
      return wrongKind(node, subject, key, [params.type].flat().map(String));
    case 'enum':
    case 'const':
      return wrongChoice(
        node,
        subject,
        error.keyword === 'enum' ? params.allowedValues : [params.allowedValue],
      );
    case 'not':
      return { message: `${subject} is not allowed with ${found(node)}`, hint: description(error) };
    default: {
      // A value that should have been a secret: it must not be repeated on the terminal.
      const is = error.parentSchema?.writeOnly === true ? 'given in clear' : found(node);
      return { message: `${subject} is ${is}; ${wanted(error)}`, hint: description(error) };
    }
  }
}

function unknownKey(error: ErrorObject, node: Node, subject: string, key: string): Mistake {
  const allowed = Object.keys(error.parentSchema?.properties ?? {});
  return {
    message: `unknown key ${shown(key)} in ${subject}; allowed: ${listed(allowed)}`,
    hint: didYouMean(key, allowed) ?? 'correct the name or remove it',
    where: keyPlace(node, key),
  };
}

function missingKey(error: ErrorObject, subject: string, key: string): Mistake {
  const about = error.parentSchema?.properties?.[key]?.description;
  return {
    message: `${shown(key)} is missing in ${subject}`,
    hint: `add "${key}: ..."${typeof about === 'string' ? ` (${about.trim()})` : ''}`,
  };
}

function wrongKind(node: Node, subject: string, key: string | undefined, types: readonly string[]): Mistake {
  const message = `${subject} is ${found(node)}; allowed: ${types.map((type) => kinds[type] ?? type).join(' or ')}`;
  if (node.kind !== 'scalar' || node.secrets !== undefined) return { message };
  const { value } = node;
  if (types.includes('string') && (typeof value === 'number' || typeof value === 'boolean')) {
    const written = key === 'mode' ? String(value).padStart(4, '0') : String(value);
    return { message, hint: `write it in quotes: "${written}"` };
  }
  if (
    typeof value === 'string' &&
    String(Number(value)) === value &&
    types.some((type) => /integer|number/.test(type))
  ) {
    return { message, hint: `remove the quotes: ${value}` };
  }
  if (types.includes('array')) return { message, hint: 'write a list: one "- ..." line for each, or [a, b]' };
  return { message };
}

function wrongChoice(node: Node, subject: string, allowed: readonly unknown[]): Mistake {
  const words = allowed.map((value) => (value === null ? 'null' : String(value)));
  const message = `${subject} is ${found(node)}; allowed: ${listed(words)}`;
  if (node.kind !== 'scalar' || node.secrets !== undefined) return { message };
  if (typeof node.value === 'string') return { message, hint: didYouMean(node.value, words) };
  const quoted = allowed.find((value) => typeof value === 'string' && value === String(node.value));
  return { message, hint: quoted === undefined ? undefined : `write it in quotes: "${quoted}"` };
}

/** The limits of numbers, texts and lists in words. */
function wanted(error: ErrorObject): string {
  const { limit } = error.params;
  switch (error.keyword) {
    case 'pattern':
      return `allowed: ${patterns[String(error.params.pattern)] ?? `what matches ${error.params.pattern}`}`;
    case 'minimum':
      return `allowed: ${limit} or more`;
    case 'maximum':
      return `allowed: ${limit} or less`;
    case 'minLength':
      return limit === 1 ? 'it must not be empty' : `allowed: at least ${limit} characters`;
    case 'maxLength':
      return `allowed: at most ${limit} characters`;
    case 'minItems':
      return `allowed: at least ${limit} in the list`;
    case 'maxItems':
      return `allowed: at most ${limit} in the list`;
    case 'minProperties':
      return `allowed: at least ${limit} keys`;
    case 'uniqueItems':
      return `entries ${error.params.j + 1} and ${error.params.i + 1} are the same`;
    case 'anyOf':
    case 'oneOf':
      return 'it has none of the forms that are allowed here';
    default:
      return `it breaks the rule "${error.keyword}"`;
  }
}

function description(error: ErrorObject): string | undefined {
  const about = error.parentSchema?.description;
  return typeof about === 'string' ? about.trim() : undefined;
}

function propertyNameSchema(error: ErrorObject): unknown {
  return error.parentSchema?.propertyNames?.pattern;
}

function rule(pattern: unknown): string {
  if (typeof pattern !== 'string') return '';
  return `; allowed: ${patterns[pattern] ?? `what matches ${pattern}`}`;
}

function keyPlace(node: Node, key: string): Where | undefined {
  return node.kind === 'map' ? node.entries.get(key)?.key : undefined;
}
