import type { Answers, ComputedPlan, ComputedProcedure, Question, Reason } from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';
import { backupServers, meantStores } from './pbs-look.ts';
import { guestsQuestion, readGuests } from './pve-backup.ts';
import { no, span, unknown } from './reasons.ts';
import { fact, rows, saidBy } from './said.ts';
import { type DatastoreWish, hostNamed, type ProcedureSite } from './site.ts';

/** Days that the newest snapshot of a group must be old. */
const rest = 30;

export const retireGroups: ComputedProcedure<ProcedureSite> = {
  id: 'pbs/retire-groups',
  about: 'Removes backup groups of guests that are gone, each one named by a person.',
  notes: `What it removes cannot be brought back. Only groups that the inventory declares as decommissioned (variable \`decommissioned\` of the role pbs)
are looked at; each is listed with its snapshots, the newest of them and their size. A group is refused when its guest is in the inventory or on any node of
it, when a node could not be asked, when a snapshot of it is protected, or when the newest is younger than ${rest} days.
Removed is what was typed, group by group: \`--set confirm=vm/330,ct/105\` (a group of a namespace as NS:vm/330). To keep them as an archive, do nothing:
declared groups are not reported as old.`,
  parameters: {
    datastore: {
      type: 'string',
      default: null,
      description: 'Name of the datastore, where there are several.',
    },
    confirm: {
      type: 'array',
      items: { type: 'string', pattern: '^([A-Za-z0-9._/-]+:)?(vm|ct|host)/[A-Za-z0-9_][A-Za-z0-9._-]*$' },
      default: null,
      description: 'The groups to be removed, with a comma between them.',
    },
  },
  expands: true,
  hosts: backupServers,
  questions: (site, host, { datastore }) => [
    ...meantStores(hostNamed(site, host), datastore).map((store) =>
      groupsQuestion(host, store, declared(site, host)),
    ),
    ...nodes(site).map(guestsQuestion),
  ],
  plan,
};

interface Group {
  readonly type: string;
  readonly id: string;
  readonly ns: string;
  readonly reason: string;
}

interface GroupSeen extends Group {
  readonly snapshots: number;
  /** Epoch seconds. */
  readonly newest: number;
  readonly bytes: number;
  readonly guarded: boolean;
}

function nodes(site: ProcedureSite): string[] {
  return site.hosts.filter(({ platform }) => platform === 'pve').map(({ name }) => name);
}

function declared(site: ProcedureSite, host: string): Group[] {
  const list = hostNamed(site, host)?.values.get('pbs')?.decommissioned;
  if (!Array.isArray(list)) return [];
  return list.flatMap((one: Readonly<Record<string, unknown>>) => {
    const [type = '', id = ''] = String(one.group).split('/');
    return id === ''
      ? []
      : [{ type, id, ns: typeof one.ns === 'string' ? one.ns : '', reason: String(one.reason) }];
  });
}

/** `vm/330`, in a namespace `archive:vm/330`. */
function title({ type, id, ns }: Group): string {
  return `${ns === '' ? '' : `${ns}:`}${type}/${id}`;
}

function plan(
  site: ProcedureSite,
  host: string,
  { datastore, confirm }: Readonly<Record<string, unknown>>,
  answers: Answers,
): ComputedPlan {
  const refuse = (refused: Reason, found: readonly string[] = []): ComputedPlan => ({
    found,
    steps: [],
    refused,
  });
  const [store, ...more] = meantStores(hostNamed(site, host), datastore);
  if (store === undefined) return refuse(no(`the inventory has no such datastore on ${host}`));
  if (more.length > 0)
    return refuse(no(`${host} has several datastores`, `name one with --set datastore=${store.name}`));
  const groups = declared(site, host);
  if (groups.length === 0) return refuse(no(`the inventory declares no decommissioned group on ${host}`));
  const seen = groupsIn(answers, host, store, groups);
  if (!Array.isArray(seen)) return refuse(seen);
  const found =
    seen.length === 0 ? [`${store.name} has none of the groups that are declared as decommissioned`] : [];
  for (const group of seen) {
    const age = span(clockOf(answers, host) - group.newest);
    found.push(
      `${title(group)}: ${group.snapshots} snapshots, ${(group.bytes / 2 ** 30).toFixed(1)} GiB as the guest sees them, the newest ${age} old; ${group.reason}`,
    );
  }
  const why = (group: Group): Reason | null => keep(site, host, store, group, answers);
  found.push(...seen.flatMap((group) => why(group)?.why ?? []));
  const typed = Array.isArray(confirm) ? confirm.map(String) : [];
  const foreign = strangers(site, host, store, groups, answers);
  if (foreign.length > 0) found.push(`of no guest of the inventory, and not declared: ${foreign.join(', ')}`);
  if (typed.length === 0 && seen.length === 0) {
    if (foreign.length === 0) return { found, steps: [] };
    const how = `declare what is to be removed or kept with a reason (variable decommissioned of the role pbs of ${host}). Nothing was changed`;
    return refuse(no('only declared groups are removed', how), found);
  }
  if (typed.length === 0) {
    const free = seen.filter((group) => why(group) === null).map(title);
    if (free.length === 0) return refuse(no('none of them may be removed'), found);
    const how = `name each one to be removed, for good: --set confirm=${free.join(',')}. Nothing was changed`;
    return refuse(no('what is removed has to be named by a person', how), found);
  }
  const chosen = typed.map((name) => ({ name, group: seen.find((group) => title(group) === name) }));
  for (const { name, group } of chosen) {
    if (!groups.some((one) => title(one) === name))
      return refuse(no(`${name} is not a declared group of ${store.name}`, 'nothing was changed'), found);
    if (!group) continue;
    const kept = why(group);
    if (kept) return refuse({ ...kept, hint: 'nothing was changed' }, found);
  }
  return {
    found,
    steps: chosen.flatMap(({ group }) =>
      group === undefined
        ? []
        : [
            {
              host,
              about: `remove ${title(group)} with its ${group.snapshots} snapshots from ${store.name}, for good`,
              run: sh`proxmox-backup-debug api delete ${`/admin/datastore/${store.name}/groups`} --backup-type ${group.type} --backup-id ${group.id} ${ns(group)}`,
              limit: 600,
              guard: (now: Answers) => keep(site, host, store, group, now),
              verify: (now: Answers) => {
                const left = groupsIn(now, host, store, [group]);
                if (!Array.isArray(left)) return left;
                return left.length === 0 ? null : no(`it still has ${left[0]?.snapshots} snapshots`);
              },
              within: 60,
            },
          ],
    ),
  };
}

/** Groups in the same namespaces that no guest has and nobody has declared, as they are typed. */
function strangers(
  site: ProcedureSite,
  host: string,
  store: DatastoreWish,
  groups: readonly Group[],
  answers: Answers,
): string[] {
  const said = saidBy(answers, host);
  if (typeof said === 'string') return [];
  const guests = site.hosts.flatMap((one) => one.guests.map(({ type, vmid }) => `${type}/${vmid}`));
  const known = new Set(groups.map(title));
  const found = [...new Set(['', ...groups.map((group) => group.ns)])].flatMap((space) => {
    const list = rows(fact(said, `group:${store.name} ${space}`, 'list0')) ?? [];
    return list.flatMap((one) => {
      const [type, id] = [String(one['backup-type']), String(one['backup-id'])];
      return guests.includes(`${type}/${id}`) ? [] : [title({ type, id, ns: space, reason: '' })];
    });
  });
  return [...new Set(found)].filter((name) => !known.has(name)).sort();
}

/** Why a group must not be removed, as things are now. */
function keep(
  site: ProcedureSite,
  host: string,
  store: DatastoreWish,
  group: Group,
  answers: Answers,
): Reason | null {
  const meant = site.hosts.find(({ guests }) =>
    guests.some(({ type, vmid }) => type === group.type && String(vmid) === group.id),
  );
  if (meant) return no(`${title(group)} is kept: the inventory has that guest on ${meant.name}`);
  if (nodes(site).length === 0 && group.type !== 'host')
    return unknown(`whether the guest of ${title(group)} is gone is not known: the inventory has no node`);
  for (const node of nodes(site)) {
    const seen = readGuests(answers, node);
    if (typeof seen === 'string')
      return unknown(`whether the guest of ${title(group)} is gone is not known: ${seen}`);
    const guest = seen.guests.find(({ type, vmid }) => type === group.type && String(vmid) === group.id);
    if (guest) return no(`${title(group)} is kept: ${guest.type} ${guest.vmid} is on ${node}`);
  }
  const seen = groupsIn(answers, host, store, [group]);
  if (!Array.isArray(seen)) return seen;
  const [now] = seen;
  if (now === undefined) return null;
  const age = clockOf(answers, host) - now.newest;
  if (!(age >= rest * 86_400))
    return no(
      `${title(group)} is kept: its newest snapshot is ${span(age)} old, which is less than ${rest} days`,
    );
  return now.guarded ? no(`${title(group)} is kept: a snapshot of it is protected`) : null;
}

function ns(group: Group): string[] {
  return group.ns === '' ? [] : ['--ns', group.ns];
}

/** `clock now EPOCH`, `group:STORE NS list JSON` with the snapshots of each namespace that is concerned. */
function groupsQuestion(host: string, store: DatastoreWish, groups: readonly Group[]): Question {
  const spaces = [...new Set(groups.map((group) => group.ns))];
  const path = `/admin/datastore/${store.name}/snapshots`;
  const looks = spaces.map((space) => {
    const command = sh`proxmox-backup-debug api get ${path} ${space === '' ? [] : ['--ns', space]} --output-format json`;
    return sh`rc=0
said=$(ask pbs-api 20 ${command.text}) || rc=$?
printf '%s\t%s\t%s\n' ${`group:${store.name} ${space}`} "list$rc" "$(printf '%s' "$said" | tr '\n\t' '  ')"`;
  });
  return {
    host,
    limit: 30 * spaces.length + 10,
    look: looks.reduce((all, one) => sh`${all}\n${one}`, sh`printf 'clock\tnow\t%s\n' "$(date +%s)"`),
  };
}

function clockOf(answers: Answers, host: string): number {
  const said = saidBy(answers, host);
  return typeof said === 'string' ? Number.NaN : Number(fact(said, 'clock', 'now'));
}

/** The groups that are there; a reason when they are not known. */
function groupsIn(
  answers: Answers,
  host: string,
  store: DatastoreWish,
  groups: readonly Group[],
): GroupSeen[] | Reason {
  const said = saidBy(answers, host);
  if (typeof said === 'string') return unknown(said);
  const found: GroupSeen[] = [];
  for (const group of groups) {
    const key = `group:${store.name} ${group.ns}`;
    const list = rows(fact(said, key, 'list0'));
    if (list === null) return unknown(`${host} does not say what ${store.name} holds`);
    const own = list.filter(
      (one) => one['backup-type'] === group.type && String(one['backup-id']) === group.id,
    );
    if (own.length === 0) continue;
    found.push({
      ...group,
      snapshots: own.length,
      newest: Math.max(...own.map((one) => Number(one['backup-time']))),
      bytes: own.reduce((sum, one) => sum + (Number(one.size) || 0), 0),
      // A number in some versions of such answers.
      guarded: own.some((one) => Boolean(one.protected)),
    });
  }
  return found;
}
