import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resourceTypes } from '../../../src/resources/index.ts';
import { type Expanded, type ExpandOptions, expandHost } from '../../../src/roles/expand.ts';
import { loadSite } from '../../../src/roles/site.ts';

const project = new URL('../../../', import.meta.url).pathname;
const made: string[] = [];

export function removeInventories(): void {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
}

/** The role on one Proxmox VE host with these variables, through the loader that a user's inventory goes through. */
export async function expand(vars: object, options: ExpandOptions = {}): Promise<Expanded> {
  const inventory = mkdtempSync(join(tmpdir(), 'vzdump-hook-role-'));
  made.push(inventory);
  for (const name of ['hosts', 'groups']) mkdirSync(join(inventory, name));
  writeFileSync(join(inventory, 'site.yaml'), 'site: example\ngroups: []\n');
  const host = {
    host: 'pve9',
    platform: 'pve',
    connection: { session: 'local' },
    roles: ['vzdump-hook'],
    vars: { 'vzdump-hook': vars },
  };
  writeFileSync(join(inventory, 'hosts/pve9.yaml'), JSON.stringify(host));
  const paths = { inventory, roles: join(project, 'roles'), templates: join(project, 'templates') };
  return expandHost(await loadSite(paths, { types: resourceTypes }), 'pve9', options);
}

/** The text of one file of the role, by the id of its resource. */
export function content({ resources }: Expanded, id: string): string {
  const spec = resources.find((resource) => resource.id === id)?.spec as
    | { readonly content?: string }
    | undefined;
  return spec?.content ?? '';
}
