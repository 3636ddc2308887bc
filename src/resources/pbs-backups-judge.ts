import { hoursSince, instant, stillToCome } from './ages.ts';
import { groupName, type Snapshot } from './pbs-backups-json.ts';

interface Expected {
  readonly groups: readonly {
    readonly group: string;
    readonly ns?: string;
    readonly max_age_hours?: number;
  }[];
  readonly decommissioned?: readonly {
    readonly group: string;
    readonly ns?: string;
    readonly since?: string;
  }[];
  readonly max_age_hours?: number;
}

/** Hours, for a schedule of once a day: one backup may be missed, not two. */
const defaultAge = 48;
/** Hours after which an upload that has no end was broken off. */
const uploadHours = 24;

/**
 * What is wrong with the groups of a datastore: per kind of trouble `none` or the groups, each beginning with its name, joined by "; ".
 *
 * @param now epoch seconds, by the clock of the server
 */
export function judgeGroups(snapshots: readonly Snapshot[], expected: Expected, now: number) {
  const byGroup = new Map<string, Snapshot[]>();
  for (const one of snapshots) byGroup.set(one.group, [...(byGroup.get(one.group) ?? []), one]);
  const wanted = expected.groups.map((one) => ({ ...one, name: groupName(one.group, one.ns) }));
  const retired = (expected.decommissioned ?? []).map((one) => ({
    ...one,
    name: groupName(one.group, one.ns),
  }));
  const known = new Set([...wanted, ...retired].map(({ name }) => name));
  const newest = (name: string): number =>
    Math.max(0, ...(byGroup.get(name) ?? []).filter(({ finished }) => finished).map(({ time }) => time));
  const usual = expected.max_age_hours ?? defaultAge;
  return {
    old: list(
      wanted.flatMap(({ name, max_age_hours = usual }) => {
        const ahead = stillToCome(newest(name), now);
        if (ahead !== null) return [`${name} ${ahead}`];
        const age = hoursSince(newest(name), now);
        return newest(name) > 0 && age > max_age_hours
          ? [`${name} is ${age} h old, at most ${max_age_hours} h are allowed`]
          : [];
      }),
    ),
    missing: list(wanted.filter(({ name }) => newest(name) === 0).map(({ name }) => name)),
    damaged: list(
      [...byGroup].flatMap(([name, all]) => {
        const bad = all.filter(({ verification }) => verification === 'failed');
        const last = Math.max(...bad.map(({ time }) => time));
        return bad.length === 0
          ? []
          : [`${name}: verification failed for ${bad.length}, the newest of ${instant(last)}`];
      }),
    ),
    unfinished: list(
      [...byGroup].flatMap(([name, all]) =>
        all.some(({ finished, time }) => !finished && hoursSince(time, now) >= uploadHours)
          ? [`${name} has an upload that never ended`]
          : [],
      ),
    ),
    undeclared: list([...byGroup.keys()].filter((name) => !known.has(name))),
    revived: list(
      retired.flatMap(({ name, since }) => {
        // The day itself counts to the time before.
        const from = since === undefined ? now - usual * 3600 : Date.parse(since) / 1000 + 86400;
        return newest(name) >= from ? [`${name} has a new backup of ${instant(newest(name))}`] : [];
      }),
    ),
    unverified: list(
      wanted
        .filter(({ name }) => !(byGroup.get(name) ?? []).some(({ verification }) => verification === 'ok'))
        .map(({ name }) => name),
    ),
  };
}

function list(entries: readonly string[]): string {
  return entries.length === 0 ? 'none' : [...entries].sort().join('; ');
}
