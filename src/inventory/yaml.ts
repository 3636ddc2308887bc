import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
  type Scalar as YamlScalar,
} from 'yaml';
import { ProvisionError, type Where } from '../model/errors.ts';
import { type Entry, type MapNode, type Node, scalar } from './node.ts';
import { readText } from './read.ts';
import { syntaxWords } from './syntax.ts';
import { shown } from './wording.ts';

const deepest = 40;

/**
 * Reads a YAML file into values with positions. Throws an input error for a file that is not there (`whenMissing`: what to do
 * then), and for the first thing that cannot be read the way it looks: tags, aliases, repeated keys, numbers that would not be
 * printed as they are written.
 */
export async function readYaml(file: string, whenMissing?: string): Promise<Node> {
  const content = await readText(file);
  if (content !== undefined) return parseYaml(file, content);
  const where: Where = { file, line: 1, column: 1 };
  throw new ProvisionError('input', 'the file is missing', { where, hint: whenMissing });
}

export function parseYaml(file: string, content: string): Node {
  const lines = new LineCounter();
  const place = (offset: number): Where => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  try {
    const document = parseDocument(content, {
      lineCounter: lines,
      prettyErrors: false,
      schema: 'core',
      version: '1.2',
      merge: false,
      uniqueKeys: true,
      strict: true,
      stringKeys: false,
    });
    const error = document.errors[0];
    if (error !== undefined) {
      if (error.code === 'RESOURCE_EXHAUSTION') throw new RangeError(error.message);
      const where = place(error.pos[0]);
      if (error.code === 'DUPLICATE_KEY') throw repeated(content, error.pos, where);
      const [message, hint] = syntaxWords(error, content);
      throw new ProvisionError('input', message, { where, hint });
    }
    if (document.contents === null) {
      throw new ProvisionError('input', 'the file is empty', {
        where: place(0),
        hint: 'write its keys (docs/inventory.md), or remove it',
      });
    }
    return convert(document.contents, place, 0, undefined);
  } catch (error) {
    // The parser calls itself for every level: ten thousand brackets end its stack, not ours to survive.
    if (!(error instanceof RangeError)) throw error;
    throw new ProvisionError('input', 'lists and maps are nested too deeply', { where: place(0) });
  }
}

function convert(
  source: ParsedNode,
  place: (at: number) => Where,
  depth: number,
  key: string | undefined,
): Node {
  const where = place(source.range[0]);
  if (depth > deepest) {
    throw new ProvisionError('input', `lists and maps are nested more than ${deepest} deep`, { where });
  }
  if (isAlias(source)) {
    throw new ProvisionError('input', `the alias *${source.source} is not followed`, {
      where,
      hint: 'write the value out; text that starts with * goes in quotes',
    });
  }
  if (source.anchor !== undefined) {
    throw new ProvisionError('input', `the anchor &${source.anchor} is not read`, {
      where,
      hint: 'remove it; text that starts with & goes in quotes',
    });
  }
  if (source.tag !== undefined) {
    throw new ProvisionError(
      'input',
      `the tag ${source.tag.replace('tag:yaml.org,2002:', '!!')} is not read`,
      {
        where,
        hint: 'remove it; text that starts with ! goes in quotes',
      },
    );
  }
  if (isMap(source)) return convertMap(source.items, place, depth, where);
  if (isSeq(source)) {
    const items = source.items.map((item) => convert(item as ParsedNode, place, depth + 1, key));
    return { kind: 'list', items, where };
  }
  return convertScalar(source, where, key);
}

function convertMap(
  pairs: readonly { readonly key: unknown; readonly value: unknown }[],
  place: (at: number) => Where,
  depth: number,
  where: Where,
): MapNode {
  const entries = new Map<string, Entry>();
  for (const pair of pairs) {
    const keyNode = pair.key as ParsedNode;
    const at = place(keyNode.range[0]);
    if (!isScalar(keyNode) || keyNode.tag !== undefined || keyNode.anchor !== undefined) {
      throw new ProvisionError('input', 'a key must be plain text', { where: at });
    }
    // Keys are text whatever they look like: `0644:` and `on:` stay what was typed.
    const key = typeof keyNode.value === 'string' ? keyNode.value : (keyNode.source ?? '');
    if (key === '__proto__')
      throw new ProvisionError('input', 'the key __proto__ is not allowed', { where: at });
    refuseCharacters(key, at);
    if (entries.has(key)) throw repeatedKey(key, at);
    const value = pair.value as ParsedNode | null;
    entries.set(key, {
      key: at,
      node: value === null ? scalar(null, at) : convert(value, place, depth + 1, key),
    });
  }
  return { kind: 'map', entries, where };
}

function convertScalar(source: YamlScalar, where: Where, key: string | undefined): Node {
  const { value } = source;
  if (typeof value === 'string') {
    refuseCharacters(value, where);
    return scalar(value, where);
  }
  if (typeof value === 'number') {
    const written = source.source ?? '';
    if (String(value) !== written) throw misread(key, written, value, where);
    return scalar(value, where);
  }
  return scalar(typeof value === 'boolean' ? value : null, where);
}

/** 0644, 1.10, 5e10, 12345678901234567890: what a person meant is the text, so the text must be quoted. */
function misread(key: string | undefined, written: string, value: number, where: Where): ProvisionError {
  const name = key === undefined ? '' : `${key}: `;
  const octal = /^0o?([0-7]{3,4})$/.exec(written);
  const meant = octal?.[1] === undefined ? written : octal[1].padStart(4, '0');
  const read = Number.isFinite(value) ? `the number ${value}` : 'something that is no number';
  const number = octal === null && Number.isSafeInteger(value) ? `, or ${value} if a number is meant` : '';
  return new ProvisionError('input', `${name}${written} was read as ${read}`, {
    where,
    hint: `write "${meant}" in quotes${number}`,
  });
}

function refuseCharacters(value: string, where: Where): void {
  if (value.includes('\0')) {
    const message = `${shown(value)} holds a NUL, which no file name, argument or line can carry`;
    throw new ProvisionError('input', message, { where });
  }
  if (/\p{Surrogate}/u.test(value)) {
    throw new ProvisionError('input', `${shown(value)} holds half of a UTF-16 pair, which is no character`, {
      where,
    });
  }
}

function repeated(content: string, [from]: readonly [number, number], where: Where): ProvisionError {
  const key = /^[^\s:]+/.exec(content.slice(from, from + 80))?.[0] ?? 'this key';
  return repeatedKey(key.replace(/^(["'])(.*)\1$/, '$2'), where);
}

function repeatedKey(key: string, where: Where): ProvisionError {
  return new ProvisionError('input', `the key ${shown(key)} is there twice in this map`, {
    where,
    hint: 'keep one of them',
  });
}
