import { pathSchema, stateWord } from './properties.ts';
import { contentWords, storageTypes } from './pve-storage-spec.ts';

const count = { type: 'integer', minimum: 0 } as const;
const word = { type: 'string', pattern: '^([A-Za-z0-9_./][A-Za-z0-9_./-]*)?$', maxLength: 255 } as const;
const server = '^[A-Za-z0-9:][A-Za-z0-9.:%_-]*$';
const secretWord = '^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+$';

/** An empty text, list or map says that the key must not be set; a key that is left out is nobody's business. */
export const storageSchema = {
  type: 'object',
  required: ['pve_storage'],
  additionalProperties: false,
  if: { not: { properties: { state: { const: 'absent' } }, required: ['state'] } },
  // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
  then: {
    required: ['type', 'content'],
    $comment:
      'Without content Proxmox takes images only for nfs and cifs, and no backup job can use the storage.',
  },
  properties: {
    pve_storage: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]$',
      maxLength: 100,
      description:
        'Id of the storage: at least two characters, a letter first, a letter or digit last, inside also `.`, `_` and `-`.',
      $comment: 'Proxmox skips a section with another id, and removes it at the next change of storage.cfg.',
    },
    type: { enum: storageTypes, description: 'Kind of storage. It cannot be changed later.' },
    content: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: {
        enum: contentWords,
        $comment:
          'Proxmox drops a list with a word that it does not know, and takes its default: images only for nfs and cifs, no backups.',
      },
      description:
        'What it may hold: `backup`, `images`, `rootdir`, `vztmpl`, `iso`, `snippets`, `import`; `none` alone for nothing. Without it Proxmox takes `images` for nfs and cifs, so no backups.',
    },
    server: {
      type: 'string',
      pattern: server,
      maxLength: 255,
      description: 'Name or address of the server (nfs, cifs, pbs). Fixed.',
    },
    export: {
      ...pathSchema,
      pattern: '^(/(?!\\.{1,2}(/|$))[^/\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+)+$',
      description: 'Exported directory of the server (nfs). Fixed.',
    },
    path: {
      ...pathSchema,
      description: 'Directory (dir), or where it is mounted (nfs, cifs; `/mnt/pve/ID` when left out). Fixed.',
    },
    options: {
      type: 'string',
      pattern: '^([^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029-][^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*)?$',
      maxLength: 255,
      description:
        'Mount options in one word: `vers=4.2,soft` (nfs, cifs). A server that speaks NFS 4 only needs `vers=4` in it.',
      $comment:
        'Proxmox takes one word without blanks; with a blank the line is dropped, and the storage is mounted without options.',
    },
    datastore: {
      ...word,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{2,31}$',
      description: 'Datastore of the backup server (pbs). Fixed.',
    },
    namespace: {
      type: 'string',
      pattern: '^([A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,6})?$',
      maxLength: 255,
      description: 'Namespace in the datastore; empty: the root namespace (pbs).',
    },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65535,
      description: 'Port of the backup server, 8007 when left out (pbs).',
    },
    username: {
      type: 'string',
      pattern: '^([A-Za-z0-9_][^\\s:/\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*)?$',
      maxLength: 128,
      description: 'User: `user@pbs` or `user@pbs!token` (pbs), or of the share (cifs).',
    },
    fingerprint: {
      type: 'string',
      pattern: '^(([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2})?$',
      description:
        'SHA-256 fingerprint of the certificate, 32 pairs with colons (pbs). Take it from the backup server itself, never from the connection.',
      $comment:
        'Proxmox drops a fingerprint of another form, and keeps the storage without one: then only certificates of known authorities are accepted.',
    },
    password: {
      type: 'string',
      pattern: secretWord,
      maxLength: 1024,
      writeOnly: true,
      description:
        'Password of the user or secret of the token (pbs, cifs): `${secrets.NAME}`. It is kept in /etc/pve/priv/storage/ID.pw, never in storage.cfg.',
    },
    share: {
      ...word,
      pattern:
        '^[^\\s/\\\\\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029-][^/\\\\\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$',
      description: 'Name of the share (cifs). Fixed.',
    },
    domain: { ...word, description: 'Domain of the user (cifs).' },
    smbversion: {
      enum: ['', 'default', '2.0', '2.1', '3', '3.0', '3.11'],
      description: 'Version of the protocol (cifs).',
    },
    subdir: {
      type: 'string',
      pattern: '^(/(?!\\.{1,2}(/|$))[^/\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+)*$',
      description: 'Directory of the share to mount (cifs).',
    },
    pool: {
      ...word,
      pattern: '^[A-Za-z][A-Za-z0-9_.:/-]*$',
      description: 'Pool or dataset (zfspool). Fixed.',
    },
    blocksize: {
      type: 'string',
      pattern: '^([1-9][0-9]*[kKmM]?)?$',
      description: 'Block size of new disks: `16k` (zfspool).',
    },
    sparse: {
      type: 'boolean',
      description: 'New disks take space only as they are filled (zfspool; default false).',
    },
    mountpoint: {
      type: 'string',
      pattern: '^((/(?!\\.{1,2}(/|$))[^/\\s\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+)+)?$',
      description: 'Where the dataset is mounted, when not at /POOL (zfspool).',
    },
    thinpool: {
      ...word,
      pattern: '^[A-Za-z0-9_.+][A-Za-z0-9_.+-]*$',
      description: 'Thin pool (lvmthin). Fixed.',
    },
    vgname: {
      ...word,
      pattern: '^[A-Za-z0-9_.+][A-Za-z0-9_.+-]*$',
      description: 'Volume group (lvmthin). Fixed.',
    },
    is_mountpoint: {
      anyOf: [{ type: 'boolean' }, pathSchema],
      description:
        'The storage is offline unless something is mounted at its path, or at the path given here (dir). It keeps backups from filling the disk underneath.',
    },
    create_subdirs: {
      type: 'boolean',
      description: 'Make `dump`, `images`, ... below it when it is activated (default true).',
    },
    nodes: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', pattern: '^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$', maxLength: 63 },
      description: 'Nodes that have it; an empty list: all.',
    },
    disable: {
      type: 'boolean',
      description: 'Switched off (default false).',
      $comment: 'In storage.cfg only 0 and 1 are understood: with "disable yes" the storage stays enabled.',
    },
    shared: {
      type: 'boolean',
      description:
        'The same directory on all nodes (dir; default false). The others are always or never shared.',
    },
    prune_backups: {
      type: 'object',
      additionalProperties: false,
      properties: {
        'keep-all': { enum: [true, 1], description: 'Keep everything.' },
        ...Object.fromEntries(
          ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'].map((name) => [`keep-${name}`, count]),
        ),
      },
      description:
        'Which backups stay: {keep-last: 3, keep-weekly: 4}; {} not set, so that the job or vzdump.conf decides.',
      $comment: 'Proxmox drops the whole line when one part of it is wrong, and keeps everything.',
    },
    max_protected_backups: {
      type: 'integer',
      minimum: -1,
      description: 'How many protected backups a guest may have; -1: any number.',
    },
    bwlimit: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        ['default', 'clone', 'migration', 'move', 'restore'].map((name) => [name, count]),
      ),
      description: 'Limits in KiB/s: {restore: 102400}; {} not set.',
    },
    preallocation: {
      enum: ['', 'off', 'metadata', 'falloc', 'full'],
      description: 'How room for new images is taken.',
    },
    state: {
      ...stateWord,
      description: '`absent` removes it from storage.cfg; what is stored there stays (default present).',
    },
  },
} as const;
