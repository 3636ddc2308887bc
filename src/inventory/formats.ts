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

/** Blanks alone are no reason. One pattern for everything, so that a bad one is told once. */
const because = {
  type: 'string',
  maxLength: 1024,
  pattern: '^[^\\x00-\\x1f\\x7f]*[^\\s\\x00-\\x1f\\x7f][^\\x00-\\x1f\\x7f]*$',
} as const;

const silence = strict(['rule', 'reason'], {
  rule: { ...name, description: 'As `provision rules` names it.' },
  host: { ...name, description: 'Only what concerns this host.' },
  about: {
    type: 'string',
    pattern: '^[a-z][a-z-]*:[^\\x00-\\x1f\\x7f]+$',
    maxLength: 512,
    description: 'Only what is about this, such as "guest:1031", as `provision rules` shows it.',
  },
  reason: { ...because, description: 'Why the finding stays.' },
});

const copy = strict(['on', 'medium'], {
  on: { ...line, description: 'A host of the site, or the name of a place elsewhere.' },
  medium: { enum: ['hdd', 'ssd', 'tape', 'optical', 'cloud'] },
  offsite: { type: 'boolean' },
  disk: { type: 'string', pattern: '^[A-Za-z0-9_.-]+$', description: 'Serial of the disk.' },
  path: line,
  note: line,
});

const dataSet = {
  ...strict(['name'], {
    name,
    copies: { type: 'array', items: copy, minItems: 1, description: 'The one in use counts.' },
    storages: {
      type: 'array',
      uniqueItems: true,
      items: line,
      description: 'It is the guests that are backed up to these storages.',
    },
    hosts: { ...names, description: 'Only those of these hosts.' },
    excluded: { ...because, description: 'Why it needs no copies.' },
    note: line,
  }),
  if: { not: { required: ['excluded'] } },
  // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
  then: { required: ['copies'] },
} as const;

export const siteSchema: Schema = strict(['site', 'groups'], {
  site: { ...name, description: 'Name of the site.' },
  note: line,
  groups: {
    ...names,
    description: 'All groups, in the order of precedence: later wins. Every host is in "all".',
  },
  silence: { type: 'array', items: silence, description: 'Findings of rules that stay, each with a reason.' },
  data_sets: { type: 'array', items: dataSet, description: 'Data and the copies it has.' },
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
  use: {
    type: 'string',
    pattern: '^(mirror [A-Za-z][A-Za-z0-9_.:-]*|log|cache|spare|special)$',
    maxLength: 255,
    description:
      '"mirror NAME" for each disk of one mirror; log, cache, spare or special for others of a pool.',
  },
  slot: line,
  note: line,
});

/** A disk of a VM has no path. */
const mountPoint = {
  ...strict(['id'], {
    id: {
      type: 'string',
      pattern: '^(rootfs|mp[0-9]+|(scsi|virtio|sata|ide)[0-9]+|efidisk0)$',
      description: 'mp0, ... of a container; a disk such as scsi1 of a VM.',
    },
    path: hostPath,
    source: line,
    bind: { type: 'boolean' },
    backup: { type: 'boolean' },
    note: line,
  }),
  if: { properties: { id: { pattern: '^(rootfs|mp)' } }, required: ['id'] },
  // biome-ignore lint/suspicious/noThenProperty: it is a word of JSON Schema.
  then: { required: ['path'] },
} as const;

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
  excluded: { ...because, description: 'Why no job backs it up.' },
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
