/** Reading specs and variables as data. Their schemas have judged them; what is not of the kind asked for is not there. */
export type Spec = Readonly<Record<string, unknown>>;

export function record(value: unknown): Spec {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Spec) : {};
}

export function word(spec: Spec, key: string): string | undefined {
  const value = spec[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Lists of texts and numbers alike: `vmid: [100, 101]`. */
export function words(spec: Spec, key: string): string[] {
  const value = spec[key];
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => (typeof item === 'string' || typeof item === 'number' ? [`${item}`] : []));
}

export function records(spec: Spec, key: string): Spec[] {
  const value = spec[key];
  return Array.isArray(value) ? value.map(record) : [];
}

/** `{keep-last: 3}` -> Map { keep-last -> 3 }; undefined where nothing is given: `{}` is how a key is taken away. */
export function counts(spec: Spec, key: string): ReadonlyMap<string, number> | undefined {
  if (spec[key] === undefined || spec[key] === null) return undefined;
  const entries = Object.entries(record(spec[key])).map(([name, value]) => [name, Number(value)] as const);
  return entries.length === 0 ? undefined : new Map(entries);
}
