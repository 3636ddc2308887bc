import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Expanded, expandHost } from '../../../src/roles/expand.ts';
import { example } from './fleet.ts';
import { parseVzdumpConf } from './vzdump-conf.ts';

/** What is written to the example host, as it will be there: `npx vitest run -u` after a change that is meant. */
const golden = new URL('../../golden/rendered/', import.meta.url).pathname;

test.each(['pve2', 'pve', 'pbs', 'ruapehu'])('%s: files as they will be written', async (name) => {
  const files = textsOf(await expandHost(await example(), name));
  for (const [path, content] of files) await expect(content).toMatchFileSnapshot(join(golden, name, path));
  expect(listed(join(golden, name))).toEqual(files.map(([path]) => path.slice(1)).sort());
});

test('vzdump has nothing to complain about in any of them', async () => {
  const site = await example();
  for (const host of site.hosts.filter((one) => one.platform === 'pve')) {
    const files = new Map(textsOf(await expandHost(site, host.name)));
    const conf = parseVzdumpConf(files.get('/etc/vzdump.conf') ?? 'missing');
    expect(conf.complaints).toEqual([]);
    expect(conf.values.get('tmpdir')).toBe('/var/lib/vz/vzdump-tmp');
  }
});

function textsOf(expanded: Expanded): (readonly [path: string, content: string])[] {
  return expanded.resources.flatMap(({ type, spec }) => {
    const text = type.text?.(spec) ?? null;
    return text === null ? [] : [[text.path, head(text.content)] as const];
  });
}

/** Of a program only what comes from the inventory; the rest is the same on every host and has tests of its own. */
function head(content: string): string {
  const [first = ''] = content.split(/^# end of configuration$/m);
  return first;
}

function listed(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
