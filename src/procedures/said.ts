import type { Answers, Said } from '../model/procedure.ts';

/** What a host said; a text: why it said nothing. */
export function saidBy(answers: Answers, host: string): Said | string {
  const said = answers.get(host);
  if (said === undefined) return `${host} was not asked`;
  if ('unknown' in said) return `${host} could not be asked: ${String(said.unknown)}`;
  return said;
}

/** The first value of a fact; '' when it is not there. */
export function fact(said: Said, identity: string, name: string): string {
  return said.get(identity)?.get(name) ?? '';
}

/** All values of a fact. */
export function allFacts(said: Said, identity: string, name: string): readonly string[] {
  return said.get(identity)?.all(name) ?? [];
}

/** `mount:/mnt/x`, `mount:/y` -> [/mnt/x, /y] */
export function namesOf(said: Said, kind: string): string[] {
  return [...said.keys()]
    .filter((key) => key.startsWith(`${kind}:`))
    .map((key) => key.slice(kind.length + 1));
}

/** A list of objects out of JSON text; null for anything else. */
export function rows(json: string): readonly Readonly<Record<string, unknown>>[] | null {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : null;
  } catch {
    return null;
  }
}
