import type { Resource, ResourceType } from '../../../src/model/resource.ts';
import type { State } from '../../../src/model/state.ts';

export interface FakeSpec {
  readonly name: string;
  readonly provides?: string[];
  readonly needs?: string[];
  readonly follows?: string[];
  readonly want?: State | null;
  readonly after?: State;
  readonly refuse?: string;
}

/** A resource type that is only its spec: for the rules of planning, which never look inside a type. */
export const fake: ResourceType<FakeSpec> = {
  name: 'fake',
  about: '',
  example: '',
  schema: {},
  identity: ({ name }) => name,
  provides: ({ provides = [] }) => provides,
  needs: ({ needs = [] }) => needs,
  follows: ({ follows = [] }) => follows,
  want: ({ want }) => (want === undefined ? { there: true } : want),
  observe: () => ({ text: ':', blobs: [] }),
  read: () => ({ have: null }),
  after: (have, { after }) => after ?? have,
  refuse: ({ spec }) => spec.refuse ?? null,
  steps: () => [],
};

export function resource(spec: FakeSpec, extra: Partial<Resource> = {}): Resource {
  const type = fake as ResourceType<never> as ResourceType;
  const from = { file: 'roles/demo/role.yaml', line: 1, column: 1 };
  return { id: `fake:${spec.name}`, type, spec, role: 'demo', from, secret: false, after: [], ...extra };
}

export const context = { host: 'pve2', platform: 'pve', live: true } as const;
