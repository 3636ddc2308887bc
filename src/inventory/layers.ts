import type { HostFile, Inventory } from './load.ts';
import { child, type Entry, type MapNode, type Node } from './node.ts';

/** One of the places a variable may come from, weakest first. */
export interface Layer {
  /** `group pve`, `host pve2` */
  readonly name: string;
  /** Variables by role name, then variable. */
  readonly vars: Node | undefined;
}

/** The layers of a host: its groups in the order of site.yaml, then the host. Defaults of roles come before all of them. */
export function layersOf(inventory: Inventory, host: HostFile): Layer[] {
  const groups = inventory.groups
    .filter((group) => host.groups.includes(group.name))
    .map((group) => ({ name: `group ${group.name}`, vars: child(group.node, 'vars') }));
  return [...groups, { name: `host ${host.name}`, vars: child(host.node, 'vars') }];
}

/** Maps merge key by key, everything else is replaced. Every value keeps the position it was written at. */
export function merge(below: Node | undefined, above: Node): Node {
  if (below?.kind !== 'map' || above.kind !== 'map') return above;
  const entries = new Map<string, Entry>(below.entries);
  for (const [key, entry] of above.entries) {
    entries.set(key, { key: entry.key, node: merge(entries.get(key)?.node, entry.node) });
  }
  const merged: MapNode = { ...above, entries };
  return merged;
}
