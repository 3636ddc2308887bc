import { didYouMean, listed } from '../inventory/wording.ts';
import { InputErrors, ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import type { Resource } from '../model/resource.ts';
import type { HostWork } from '../model/run.ts';
import type { SelectionOptions } from './options.ts';

type NamedHost = Pick<Host, 'name' | 'groups' | 'roles'>;

/** Hosts that are meant, in the order of the inventory. Hosts and groups add up, roles narrow; every unknown name is an error. */
export function selectHosts<H extends NamedHost>(
  hosts: readonly H[],
  wanted: Pick<SelectionOptions, 'host' | 'group' | 'role'>,
  groupNames: readonly string[] = [],
): H[] {
  const groups = new Set([...groupNames, ...hosts.flatMap((host) => host.groups)]);
  const roles = new Set(hosts.flatMap((host) => host.roles));
  const hostNames = hosts.map((host) => host.name);
  const mistakes = [
    ...wanted.host
      .filter((name) => !hostNames.includes(name))
      .map((name) => unknownName('host', name, hostNames)),
    ...wanted.group
      .filter((name) => !groups.has(name))
      .map((name) => unknownName('group', name, [...groups])),
    ...wanted.role.filter((name) => !roles.has(name)).map((name) => unknownName('role', name, [...roles])),
  ];
  if (mistakes.length > 0) throw thrown(mistakes);
  const everyHost = wanted.host.length === 0 && wanted.group.length === 0;
  const selected = hosts
    .filter(
      (host) =>
        everyHost || wanted.host.includes(host.name) || host.groups.some((g) => wanted.group.includes(g)),
    )
    .filter((host) => wanted.role.length === 0 || host.roles.some((role) => wanted.role.includes(role)));
  if (selected.length === 0)
    throw new ProvisionError('input', 'no host is selected', { hint: nobody(hosts, wanted.role) });
  return selected;
}

/** Why a selection of known names leaves no host. */
function nobody(hosts: readonly NamedHost[], roles: readonly string[]): string {
  if (hosts.length === 0) return 'the inventory has no hosts: each is a file hosts/NAME.yaml in it';
  if (roles.length === 0) return 'the groups that were named have no hosts';
  const having = hosts.filter((host) => host.roles.some((role) => roles.includes(role)));
  return `none of them has the role ${roles.join(' or ')}; these have: ${listed(having.map(({ name }) => name))}`;
}

/** Whether a resource is meant by --role and --only. Also says so of checks, by their id. */
export interface Meant {
  resource(resource: Pick<Resource, 'id' | 'role'>): boolean;
  check(check: { readonly id: string; readonly role: string }): boolean;
  /** Nothing narrows: everything is meant. */
  readonly all: boolean;
}

/** Reads --role and --only against what the selected hosts have; an id that is nowhere is an error. */
export function meant(work: readonly HostWork[], wanted: Pick<SelectionOptions, 'role' | 'only'>): Meant {
  const ids = new Set(
    work.flatMap((one) => [
      ...one.resources.map(({ id }) => id),
      ...one.checks.map((check) => checkId(check)),
    ]),
  );
  const unknown = wanted.only.filter((only) => ![...ids].some((id) => covers(only, id)));
  if (unknown.length > 0) throw thrown(unknown.map((only) => unknownId('id', only, [...ids])));
  const is = ({ id, role }: { readonly id: string; readonly role: string }) =>
    (wanted.role.length === 0 || wanted.role.includes(role)) &&
    (wanted.only.length === 0 || wanted.only.some((only) => covers(only, id)));
  return {
    resource: is,
    check: (check) => is({ id: checkId(check), role: check.role }),
    all: wanted.role.length === 0 && wanted.only.length === 0,
  };
}

/** As reports show it: `vzdump-hook/hook-runs`. */
export function checkId({ id, role }: { readonly id: string; readonly role: string }): string {
  return id.startsWith(`${role}/`) ? id : `${role}/${id}`;
}

/** `file:/etc` covers file:/etc and file:/etc/hosts, never file:/etcetera; `file` covers all files, `vzdump-hook` its checks. */
export function covers(only: string, id: string): boolean {
  if (id === only) return true;
  if (!id.startsWith(only)) return false;
  return /[/:#]/.test(only.slice(-1)) || /[/:#]/.test(id.charAt(only.length));
}

/** "there is no host pve22", with the nearest name or the whole list. */
export function unknownName(kind: string, name: string, known: readonly string[]): ProvisionError {
  return unknown(
    kind,
    name,
    known,
    known.length > 0 ? `there are: ${listed(known)}` : `there is no ${kind} at all`,
  );
}

/** The same for an id, of which a list of all would fill a screen. */
export function unknownId(kind: string, id: string, known: readonly string[]): ProvisionError {
  return unknown(kind, id, known, 'see `provision list resources` and `provision list checks`');
}

/** The nearest name is one that differs by a few letters, or one whose first half was left out: `/etc/hosts`, `recover-wal`. */
function unknown(kind: string, name: string, known: readonly string[], otherwise: string): ProvisionError {
  const whole = known.find((one) => one.endsWith(`:${name}`) || one.endsWith(`/${name}`));
  const near = whole === undefined ? didYouMean(name, known) : `did you mean "${whole}"?`;
  return new ProvisionError('input', `there is no ${kind} "${name}"`, { hint: near ?? otherwise });
}

function thrown(mistakes: readonly ProvisionError[]): Error {
  const [first] = mistakes;
  return mistakes.length === 1 && first ? first : new InputErrors(mistakes);
}
