import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { sh } from '../shell/sh.ts';
import { readCfs } from './pve-cfs.ts';

export interface PveGuestsSpec {
  readonly pve_guests: string;
  readonly guests: readonly { readonly vmid: number; readonly type: 'vm' | 'ct' }[];
}

/** Whether a node of Proxmox VE has the guests that the inventory says, and no others. */
export const pveGuests = defineType<PveGuestsSpec>({
  name: 'pve_guests',
  about:
    'Whether a node of Proxmox VE has exactly these guests. One that is missing was moved or removed, and its backups stand still; one that is not listed is backed up by no job. Templates count.',
  example: `pve_guests: pve2
guests:
  - {vmid: 1031, type: ct}
  - {vmid: 200, type: vm}
`,
  checkOnly: true,
  needsLive: true,
  schema: {
    type: 'object',
    required: ['pve_guests', 'guests'],
    additionalProperties: false,
    properties: {
      pve_guests: {
        type: 'string',
        pattern: '^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$',
        maxLength: 63,
        description: 'Name of the node, as below /etc/pve/nodes.',
      },
      guests: {
        type: 'array',
        items: {
          type: 'object',
          required: ['vmid', 'type'],
          additionalProperties: true,
          properties: {
            vmid: { type: 'integer', minimum: 100, maximum: 999999999 },
            type: { enum: ['vm', 'ct'] },
          },
        },
        description:
          'All guests of the node, as in `guests` of a host: number and kind, `vm` or `ct`. Other keys are not looked at.',
      },
    },
  },
  limit: () => 7,
  identity: (spec) => spec.pve_guests,
  want: () => ({ missing: 'none', unknown: 'none' }),
  observe,
  read,
  symptoms,
  steps: () => [],
});

/**
 * The guests of all nodes of the cluster, so that it can be told where a missing one is: the number of a guest is its own in the whole
 * cluster. One awk reads all files, up to their snapshots.
 */
function observe(specs: readonly PveGuestsSpec[]): Sh {
  const nodes = specs.map((spec) => spec.pve_guests);
  const { text } = sh`set --
for conf in nodes/*/qemu-server/*.conf nodes/*/lxc/*.conf; do
  [ ! -f "$conf" ] || set -- "$@" "$conf"
done
for node in ${nodes}; do
  [ ! -d "nodes/$node" ] || printf '%s\tnode\tthere\n' "$node"
  for conf in "$@"; do printf '%s\tguest\t%s\n' "$node" "$conf"; done
  [ $# -eq 0 ] || awk -v node="$node" ${names} "$@" || exit 4
  printf '%s\tlooked\t1\n' "$node"
done`;
  return sh`${readCfs(nodes, text)}
[ -n "$lost" ] || printf '%s\n' "$seen"`;
}

const names = String.raw`FNR == 1 { current = 1 }
/^\[/ { current = 0 }
current && /^(name|hostname):/ {
  value = $0
  sub(/^[a-z]+:[ \t]*/, "", value)
  gsub(/[\t\r]/, " ", value)
  print node "\tname\t" FILENAME " " value
}`;

interface Guest {
  readonly node: string;
  /** `ct/1031` */
  readonly id: string;
  readonly name: string;
}

const file = /^nodes\/([^/ ]+)\/(qemu-server|lxc)\/([1-9][0-9]{2,8})\.conf(?: (.*))?$/;

function guestOf(text: string): Guest[] {
  const [, node, kind, vmid, name = ''] = file.exec(text) ?? [];
  if (node === undefined) return [];
  // What is no name of a host was not written by Proxmox VE; lists are taken apart at commas.
  return [{ node, id: `${kind === 'lxc' ? 'ct' : 'vm'}/${vmid}`, name: name.replace(/[^A-Za-z0-9.-]/g, '') }];
}

function read(facts: Facts, spec: PveGuestsSpec): Observed {
  const node = spec.pve_guests;
  const lost = facts.get('unknown');
  if (lost !== undefined) return { unknown: lost };
  if (facts.get('looked') === undefined) return { unknown: 'the guests of the node could not be read' };
  if (facts.get('node') === undefined)
    return { unknown: `Proxmox VE has no node ${node}: below /etc/pve/nodes there is none of this name` };
  const named = new Map(
    facts
      .all('name')
      .flatMap(guestOf)
      .map((one) => [`${one.node} ${one.id}`, one.name]),
  );
  const all = facts.all('guest').flatMap(guestOf);
  const told = spec.guests.map(({ type, vmid }) => `${type}/${vmid}`);
  const here = all.filter((one) => one.node === node);
  const missing = told
    .filter((id) => !here.some((one) => one.id === id))
    .map((id) => {
      const other = all.find((one) => one.id === id);
      return other === undefined ? id : `${id} (it is on ${other.node})`;
    });
  const unknown = here
    .filter(({ id }) => !told.includes(id))
    .map(({ id }) => `${id} ${named.get(`${node} ${id}`) ?? ''}`.trim());
  return { have: { missing: listed(missing), unknown: listed(unknown) } };
}

function listed(guests: readonly string[]): string {
  const number = (text: string): number => Number(/[0-9]+/.exec(text)?.[0]);
  return [...guests].sort((a, b) => number(a) - number(b)).join(', ') || 'none';
}

function symptoms(observed: Observed, spec: PveGuestsSpec): Symptom[] {
  const unknown = 'have' in observed ? observed.have?.unknown : undefined;
  if (typeof unknown !== 'string' || unknown === 'none') return [];
  return unknown.split(', ').map((guest) => ({
    code: 'guest-unknown',
    of: `guest:${/[0-9]+/.exec(guest)?.[0]}`,
    says: `${guest} is on ${spec.pve_guests}, and the inventory does not know it: no job of the inventory backs it up`,
  }));
}
