import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resourceTypes } from '../../../src/resources/index.ts';
import { expandHost } from '../../../src/roles/expand.ts';
import { loadSite } from '../../../src/roles/site.ts';
import { content } from '../vzdump-hook/expand.ts';

const project = new URL('../../../', import.meta.url).pathname;
const rulesFile = '/etc/prometheus/pbs-health.rules.yml';
const store = (name: string) => ({ name, path: `/mnt/${name}`, source: `nas.lan:/mnt/pool/${name}` });

/** The rules of a host with the stores `main` and `other.2`, as the role writes them; vm/330 and offsite:ct/103 are decommissioned. */
export async function rules(more: object = {}): Promise<string> {
  const inventory = mkdtempSync(join(tmpdir(), 'pbs-health-rules-'));
  try {
    mkdirSync(join(inventory, 'hosts'));
    writeFileSync(join(inventory, 'site.yaml'), 'site: example\ngroups: []\n');
    const vars = {
      stores: [store('main'), store('other.2')],
      rules_file: rulesFile,
      decommissioned_groups: [{ group: 'vm/330' }, { group: 'ct/103', ns: 'offsite' }],
      ...more,
    };
    const host = {
      host: 'pbs',
      platform: 'pbs',
      connection: { session: 'local' },
      roles: ['pbs-health'],
      vars: { 'pbs-health': vars },
    };
    writeFileSync(join(inventory, 'hosts/pbs.yaml'), JSON.stringify(host));
    const paths = { inventory, roles: join(project, 'roles'), templates: join(project, 'templates') };
    const site = await loadSite(paths, { types: resourceTypes });
    return content(await expandHost(site, 'pbs'), `file:${rulesFile}`);
  } finally {
    rmSync(inventory, { recursive: true });
  }
}
