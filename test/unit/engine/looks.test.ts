import { expect, test } from 'vitest';
import { looks } from '../../../src/engine/look.ts';
import type { Resource } from '../../../src/model/resource.ts';
import { resourceTypes } from '../../../src/resources/index.ts';

function resource(name: string, spec: unknown): Resource {
  const type = resourceTypes.find((one) => one.name === name);
  if (type === undefined) throw new Error(name);
  const from = { file: 'role.yaml', line: 1, column: 1 };
  return { id: `${name}:x`, type, spec, role: 'x', from, secret: false, after: [] };
}

test('a mount is looked at before all that may lie on it: it has a limit of its own, the others take its word', () => {
  const asked = [
    resource('command', { command: ['ls', '/mnt/a'], behind: ['/mnt/a'] }),
    resource('file', { file: '/mnt/a/x', content: '' }),
    resource('mount_health', { mount_health: '/mnt/a', limit: 20 }),
    resource('command', { command: ['true'] }),
  ];
  expect(looks(asked).map(({ type, specs }) => [type.name, specs.length])).toEqual([
    ['mount_health', 1],
    ['command', 2],
    ['file', 1],
  ]);
});
