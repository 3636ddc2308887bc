import type { Facts } from '../model/resource.ts';

/** What one type's `observe` printed, per identity. */
export interface Seen {
  readonly facts: Facts;
  /** The lines as printed, without the last line break: what observing this resource alone prints. */
  readonly text: string;
}

/** Sorts lines `identity TAB name TAB value` by identity. Lines of another form are dropped: their resource then counts as not seen. */
export function parseFacts(bytes: Buffer): Map<string, Seen> {
  const byIdentity = new Map<string, string[]>();
  for (const line of bytes.toString('utf8').split('\n')) {
    const tab = line.indexOf('\t');
    if (tab < 1 || line.indexOf('\t', tab + 1) < 0) continue;
    const identity = line.slice(0, tab);
    const known = byIdentity.get(identity);
    if (known) known.push(line);
    else byIdentity.set(identity, [line]);
  }
  return new Map(
    [...byIdentity].map(([identity, found]) => [identity, { facts: facts(found), text: found.join('\n') }]),
  );
}

/** Facts from lines of one identity. */
export function facts(found: readonly string[]): Facts {
  const values = new Map<string, string[]>();
  for (const line of found) {
    const [, name = '', ...rest] = line.split('\t');
    values.set(name, [...(values.get(name) ?? []), rest.join('\t')]);
  }
  return { get: (name) => values.get(name)?.[0], all: (name) => values.get(name) ?? [] };
}
