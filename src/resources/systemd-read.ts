import type { Facts } from '../model/resource.ts';
import type { State } from '../model/state.ts';
import { fileKind } from './properties.ts';

/** A file of a unit as `lookUnits` printed it; null: not there. `sha256` holds a word of ours where the file is no regular file. */
export interface SeenFile {
  readonly sha256: string;
  readonly mode: string;
  readonly owner: string;
}

export function seenFile(facts: Facts, kind: string): SeenFile | null {
  const stat = facts.get(`${kind} stat`);
  if (stat === undefined) return null;
  const [type = '', mode = '', owner = '', group = '', uid = '', gid = ''] = stat.split('|');
  const names = `${owner === 'UNKNOWN' ? uid : owner}:${group === 'UNKNOWN' ? gid : group}`;
  const link = facts.get(`${kind} link`);
  const what =
    link === '/dev/null' ? 'masked' : link !== undefined ? `link to ${link}` : `a ${fileKind(type)}`;
  const regular = link === undefined && fileKind(type) === 'file';
  const hash = regular ? (facts.get(`${kind} sha256`) ?? 'unreadable') : what;
  return { sha256: hash, mode: mode.padStart(4, '0'), owner: names };
}

/** Links that enable the unit, as `installTargets` writes them. */
export function seenTargets(facts: Facts): string {
  return facts
    .all('link')
    .flatMap((directory) => {
      if (directory.endsWith('.wants')) return [directory.slice(0, -'.wants'.length)];
      if (directory.endsWith('.requires')) return [`requires ${directory.slice(0, -'.requires'.length)}`];
      return [];
    })
    .sort()
    .join(', ');
}

/**
 * 'enabled', 'disabled', 'masked', 'static', ...; '' when there is no such unit. Where there is no systemctl to ask (a tree on
 * a machine without systemd) the links say it.
 */
export function seenEnablement(facts: Facts, text: SeenFile | null): string {
  if (text?.sha256 === 'masked') return 'masked';
  const said = facts.get('enabled') ?? '';
  if (said === 'by links') return seenTargets(facts) === '' ? 'disabled' : 'enabled';
  return said === 'not-found' ? '' : said;
}

/** Whether the host knows the unit at all. */
export function unitExists(facts: Facts, text: SeenFile | null): boolean {
  if (text !== null) return true;
  if (facts.get('tree') !== undefined) return seenEnablement(facts, text) !== '';
  return facts.get('load') !== 'not-found' && facts.get('load') !== 'template';
}

/** What a unit that should be gone has left behind; null: nothing. */
export function residue(facts: Facts, text: SeenFile | null): State | null {
  const left: Record<string, string> = {};
  if (text !== null) left.text = text.sha256;
  const active = facts.get('active');
  const ours = (facts.get('fragment') ?? '').startsWith('/etc/systemd/system/');
  if (active !== undefined && active !== 'inactive' && (ours || facts.get('load') === 'not-found'))
    left.active = active;
  const links = facts.all('link');
  if (links.length > 0) left.links = links.join(', ');
  const files = facts.all('left');
  if (files.length > 0) left.files = files.join(', ');
  if (Object.keys(left).length === 0) return null;
  const fragment = facts.get('fragment') ?? '';
  if (fragment !== '' && !ours) left.from = fragment;
  return left;
}
