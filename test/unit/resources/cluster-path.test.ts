import { expect, test } from 'vitest';
import type { Platform } from '../../../src/model/host.ts';
import { resourceTypes } from '../../../src/resources/index.ts';

function refusal(name: string, path: string, platform: Platform): string | null | undefined {
  const type = resourceTypes.find((one) => one.name === name);
  const spec = { [name]: path, key: 'a', to: '/x', content: 'x' };
  const context = { host: 'pve2', platform, live: true };
  return type?.refuse?.({ spec: spec as never, have: null, want: {}, differs: [], context });
}

test.each(['file', 'directory', 'line', 'link'])(
  'a %s is not written into the cluster file system',
  (name) => {
    expect(refusal(name, '/etc/pve/x', 'pve')).toContain('use pve_file');
    expect(refusal(name, '/etc/pve-x', 'pve') ?? '').not.toContain('pve_file');
    expect(refusal(name, '/etc/pve/x', 'linux') ?? '').not.toContain('pve_file');
  },
);
