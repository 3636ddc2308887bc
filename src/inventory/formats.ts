import { platforms, sessionKinds } from '../model/host.ts';
import type { Schema } from '../model/resource.ts';

/** Names of hosts, groups and roles become file names and arguments: nothing else is allowed in them. */
export const namePattern = '^[a-z0-9][a-z0-9-]*$';
const name = { type: 'string', pattern: namePattern, maxLength: 63 } as const;
const line = { type: 'string', minLength: 1, maxLength: 1024, pattern: '^[^\\x00-\\x1f\\x7f]+$' } as const;
const hostPath = {
  type: 'string',
  pattern: '^/$|^(/(?!\\.{1,2}(/|$))[^/\\x00-\\x1f\\x7f]+)+$',
  maxLength: 1024,
} as const;
const vars = { type: 'object', additionalProperties: { type: 'object' } } as const;
const names = { type: 'array', items: name, uniqueItems: true } as const;

function strict(required: readonly string[], properties: Readonly<Record<string, unknown>>) {
  return { type: 'object', additionalProperties: false, required, properties } as const;
}

export const siteSchema: Schema = strict(['site', 'groups'], {
  site: { ...name, description: 'Name of the site.' },
  note: line,
  groups: {
    ...names,
    description: 'All groups, in the order of precedence: later wins. Every host is in "all".',
  },
});

export const groupSchema: Schema = strict(['group'], {
  group: { ...name, description: 'Name of the group, as the file is called.' },
  note: line,
  roles: names,
  vars,
});

const connection = strict([], {
  session: { enum: sessionKinds },
  // No leading hyphen: ssh would read it as an option.
  address: { type: 'string', pattern: '^[A-Za-z0-9:][A-Za-z0-9.:%_-]*$', maxLength: 253 },
  port: { type: 'integer', minimum: 1, maximum: 65535 },
  user: { type: 'string', pattern: '^[a-z_][A-Za-z0-9_.-]*$', maxLength: 32 },
  become: { enum: ['none', 'sudo'] },
  password: {
    type: 'string',
    pattern: '^\\$\\{secrets\\.[a-z][a-z0-9_]*\\}$',
    writeOnly: true,
    description: 'Keep it with: provision secret set NAME',
  },
  identity_file: { type: 'string', pattern: '^(/|~/)[^\\x00-\\x1f\\x7f]+$' },
  root: line,
  machine_id: { type: 'string', pattern: '^[0-9a-f]{32}$' },
});

const diskSize = { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)? ?[KMGTP]i?B$' } as const;

const disk = strict(['serial'], {
  serial: { type: 'string', pattern: '^[A-Za-z0-9_.-]+$', description: 'As smartctl -i prints it.' },
  model: line,
  size: { ...diskSize, description: 'Such as "2 TB".' },
  by_id: { type: 'string', pattern: '^[A-Za-z0-9_.:+=@-]+$', description: 'Its name in /dev/disk/by-id.' },
  use: line,
  slot: line,
  note: line,
});

const mountPoint = strict(['id', 'path'], {
  id: { type: 'string', pattern: '^(rootfs|mp[0-9]+)$' },
  path: hostPath,
  source: line,
  bind: { type: 'boolean' },
  backup: { type: 'boolean' },
  note: line,
});

const guest = strict(['vmid', 'type'], {
  vmid: { type: 'integer', minimum: 100, maximum: 999999999 },
  type: { enum: ['vm', 'ct'] },
  name: { type: 'string', pattern: '^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$', maxLength: 63 },
  class: {
    ...name,
    default: 'static',
    description: 'What kind of load it is: the policy of its backups goes by it.',
  },
  storage: {
    type: 'string',
    pattern: '^[A-Za-z][A-Za-z0-9._/-]*$',
    description: 'Storage its backups go to.',
  },
  excluded: { ...line, description: 'Why no job backs it up.' },
  size: { ...diskSize, description: 'Of all its volumes together, such as "64 GB".' },
  services: { type: 'array', uniqueItems: true, items: { type: 'string', pattern: '^[A-Za-z0-9@_.:-]+$' } },
  dump: line,
  mount_points: { type: 'array', items: mountPoint },
  note: line,
});

export const hostSchema: Schema & { readonly properties: Readonly<Record<string, unknown>> } = strict(
  ['host', 'platform'],
  {
    host: { ...name, description: 'Name of the host, as the file is called.' },
    platform: { enum: platforms },
    note: line,
    connection,
    groups: names,
    roles: names,
    vars,
    disks: { type: 'array', items: disk, default: [] },
    guests: { type: 'array', items: guest, default: [] },
  },
);
