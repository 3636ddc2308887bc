import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Host } from '../../../src/model/host.ts';
import type { Resource, ResourceType } from '../../../src/model/resource.ts';
import type { HostWork } from '../../../src/model/run.ts';
import { rootSession } from '../../../src/remote/root.ts';

/** A host that is a directory tree on this machine. */
export function treeHost(): { host: Host; root: string } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'provision-tree-')));
  const connection = { session: 'root', address: '', port: 22, user: 'root', become: 'none', root } as const;
  const from = { file: 'inventory/hosts/tree.yaml', line: 1, column: 1 };
  return { root, host: { name: 'tree', platform: 'linux', connection, groups: [], roles: ['demo'], from } };
}

export function testEngine(extra: Partial<Engine> = {}): Engine {
  return {
    connect: (host) => rootSession(host, { knownHosts: '/nonexistent', env: process.env }),
    now: () => Date.now(),
    nonce: () => randomBytes(16).toString('hex'),
    progress: () => {},
    forks: 10,
    controller: 'tester@machine',
    ...extra,
  };
}

let line = 0;

export function resource(type: ResourceType, spec: unknown, extra: Partial<Resource> = {}): Resource {
  line += 1;
  return {
    id: `${type.name}:${type.identity(spec)}`,
    type,
    spec,
    role: 'demo',
    from: { file: 'roles/demo/role.yaml', line, column: 3 },
    secret: false,
    after: [],
    ...extra,
  };
}

export function workOf(host: Host, resources: readonly Resource[], extra: Partial<HostWork> = {}): HostWork {
  return { host, resources, checks: [], procedures: [], ...extra };
}
