import type { Facts } from '../model/resource.ts';
import type { Observed } from '../model/state.ts';
import { errorText, unanswered } from './synowebapi.ts';

export interface ShareSpec {
  readonly synology_share: string;
  readonly volume: string;
  readonly description?: string;
  readonly browseable?: boolean;
  readonly rw?: readonly string[];
  readonly ro?: readonly string[];
  readonly deny?: readonly string[];
}

/** Our words for who may do what, and DSM's. */
export const tiers = [
  ['rw', 'RW'],
  ['ro', 'RO'],
  ['deny', 'NA'],
] as const;

export function sharePath({ volume, synology_share: name }: ShareSpec): string {
  return `${volume}/${name}`;
}

export function named(spec: ShareSpec): boolean {
  return tiers.some(([key]) => spec[key] !== undefined);
}

export function read(facts: Facts, spec: ShareSpec): Observed {
  const unknown = unanswered(facts);
  if (unknown !== null) return { unknown };
  const code = facts.get('error');
  if (code !== undefined) return { unknown: errorText(facts, code) };
  if (facts.get('listed') === 'no') return absent(facts, spec);
  const is = new Map(facts.all('is').map((text) => splitOnce(text)));
  const name = jsonText(is.get('name'));
  const volume = jsonText(is.get('vol_path'));
  if (name === null || volume === null) return { unknown: 'DSM listed the share without its name or volume' };
  const lists = new Map(facts.all('acl').map((text) => splitOnce(text)));
  if (named(spec) && tiers.some(([, tier]) => !lists.has(tier)))
    return { unknown: `synoshare --list_acl did not say who may do what with ${name}` };
  const hidden = is.get('hidden');
  const locked = (is.get('encryption') ?? '0') !== '0' && facts.get('path') === 'none';
  return {
    have: {
      name,
      volume,
      description: jsonText(is.get('desc')) ?? '',
      browseable: hidden === undefined ? null : hidden === 'false',
      ...(named(spec) ? Object.fromEntries(tiers.map(([key]) => [key, listed(key, spec, lists)])) : {}),
      ...(locked ? { locked: true } : {}),
    },
  };
}

/** DSM has no share of this name. What lies in its place decides whether it can be made. */
function absent(facts: Facts, spec: ShareSpec): Observed {
  const path = sharePath(spec);
  const kind = facts.get('path');
  if (kind === undefined) return { unknown: `it was not said what is at ${path}` };
  if (facts.get('volume') !== 'mounted')
    return {
      have: null,
      blocked: `nothing is mounted at ${spec.volume}: the volume is missing, locked or crashed. A share made there would lie on the small system partition`,
    };
  if (kind === 'directory')
    return {
      have: null,
      blocked: `${path} is a plain directory, and DSM makes a share only where nothing or an earlier share lies (it would answer 0xE700). Nothing was touched; move it out of the way, apply, and move its content into the share`,
    };
  if (kind === 'other')
    return { have: null, blocked: `${path} is a file or a link; it is never removed to make room` };
  return { have: null };
}

/** Who is in a tier, sorted. One who should be in it and is in another one as well does not have what was asked for. */
function listed(key: (typeof tiers)[number][0], spec: ShareSpec, lists: ReadonlyMap<string, string>): string {
  const own = tiers.find(([one]) => one === key)?.[1] ?? '';
  return members(lists, own)
    .sort()
    .map((name) => {
      const others = (spec[key] ?? []).includes(name) ? alsoIn(lists, own, name) : [];
      return others.length > 0 ? `${name} (also in ${others.join(', ')})` : name;
    })
    .join(', ');
}

function alsoIn(lists: ReadonlyMap<string, string>, own: string, name: string): string[] {
  return tiers.flatMap(([key, tier]) => (tier !== own && members(lists, tier).includes(name) ? [key] : []));
}

function members(lists: ReadonlyMap<string, string>, tier: string): string[] {
  return (lists.get(tier) ?? '').split(',').filter((name) => name !== '');
}

function splitOnce(text: string): [string, string] {
  const tab = text.indexOf('\t');
  return tab < 0 ? [text, ''] : [text.slice(0, tab), text.slice(tab + 1)];
}

/** A JSON string; null: it is none. */
function jsonText(raw: string | undefined): string | null {
  try {
    const value: unknown = JSON.parse(raw ?? 'null');
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
