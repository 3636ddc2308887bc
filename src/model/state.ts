/** Flat on purpose: one diff, one hash, one display and one JSON form serve every resource type. */
export type Value = string | number | boolean | null;

/** Properties of one resource. `want` and `have` are both of this shape; null in place of a State means "not there". */
export type State = Readonly<Record<string, Value>>;

/**
 * What looking at a host gave: the state it has (null: not there), or why it could not be seen. Never "fine" by default.
 * `blocked`: why it cannot be made as things are (no directory to put it in), unless a change before it sees to that.
 */
export type Observed =
  | { readonly have: State | null; readonly blocked?: string }
  | { readonly unknown: string };

/** JSON with sorted keys: equal states give equal text whatever order they were built in. */
export function canonical(state: State | null): string {
  if (state === null) return 'null';
  const sorted = Object.keys(state)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(state[key])}`);
  return `{${sorted.join(',')}}`;
}

/** The properties of `want` that `have` does not have; a property that want does not name is nobody's business. */
export function differences(want: State | null, have: State | null): string[] {
  if (want === null) return have === null ? [] : Object.keys(have);
  if (have === null) return Object.keys(want);
  return Object.keys(want).filter((key) => want[key] !== (have[key] ?? null));
}
