import { type Change, defineType, type SpecMistake, type Step } from '../model/resource.ts';
import { lines, sh } from '../shell/sh.ts';
import { letProxyRead, option, sharedFacts } from './pbs-cfg.ts';
import { type DatastoreSpec, tuningText } from './pbs-datastore-spec.ts';
import { afterMounting, look, read, refuse, stopUnlessFit, wanted } from './pbs-datastore-state.ts';
import { pathSchema } from './properties.ts';

const comment = {
  type: 'string',
  pattern: '^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$',
  maxLength: 128,
} as const;

/** A datastore of a backup server. Never made where nothing is mounted, never over one that exists, never removed. */
export const pbsDatastore = defineType<DatastoreSpec>({
  name: 'pbs_datastore',
  about:
    'A datastore of Proxmox Backup Server. It is made only where the right file system is mounted and no datastore lies; one that lies there is attached, when `reuse` says so. A path is never changed, a datastore never removed. A job of kind gc sets its garbage collection.',
  example: `pbs_datastore: pbs-datastore
path: /mnt/pbs-datastore
mount: {path: /mnt/pbs-datastore, source: "10.10.0.103:/mnt/Taupo/pbs", type: nfs}
comment: on truenas-hdd
`,
  schema: {
    type: 'object',
    required: ['pbs_datastore', 'path'],
    additionalProperties: false,
    properties: {
      pbs_datastore: {
        type: 'string',
        pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{2,31}$',
        description: 'Name of the datastore, 3 to 32 characters.',
        $comment: 'PBS takes names of 3 to 32 letters, digits, "_", "." and "-".',
      },
      path: {
        allOf: [pathSchema, { not: { const: '/' } }],
        description: 'Absolute path. That of an existing datastore is never changed.',
      },
      mount: {
        type: 'object',
        required: ['path', 'source', 'type'],
        additionalProperties: false,
        properties: {
          path: { ...pathSchema, description: 'Mount point; the datastore is there or below.' },
          source: { type: 'string', minLength: 1, description: 'Source as the table of mounts names it.' },
          type: { type: 'string', minLength: 1, description: 'File system type; `nfs` stands for nfs4 too.' },
        },
        description: 'What must be mounted before anything is done. PBS itself does not look.',
      },
      local: {
        const: true,
        description: 'The datastore is meant to lie where no mount is asked for, in place of `mount`.',
      },
      reuse: {
        type: 'boolean',
        description:
          'A datastore already lies at the path and is attached as it is (PBS 3.3 or newer). Without one nothing is made (default false).',
      },
      comment: { ...comment, description: 'Shown in the user interface.' },
      verify_new: { type: 'boolean', description: 'Verify every backup right after it was made.' },
      notification_mode: {
        enum: ['legacy-sendmail', 'notification-system'],
        description: 'How it tells of its jobs.',
      },
      notify_user: {
        type: 'string',
        pattern: '^[^\\s:/!]+@[A-Za-z0-9_][A-Za-z0-9._-]*$',
        description: 'User whose mail address is told, with legacy-sendmail.',
      },
      tuning: {
        type: 'object',
        additionalProperties: false,
        properties: {
          'chunk-order': { enum: ['none', 'inode'] },
          'sync-level': { enum: ['none', 'file', 'filesystem'] },
          // Without it a garbage collection on an export that ignores access times deletes chunks in use.
          'gc-atime-safety-check': { const: true },
          'gc-atime-cutoff': { type: 'integer', minimum: 1, maximum: 2880 },
          'gc-cache-capacity': { type: 'integer', minimum: 0 },
          'default-verification-workers': { type: 'integer', minimum: 1 },
          'default-verification-readers': { type: 'integer', minimum: 1 },
        },
        description:
          'All tuning options; what is not named gets its default. The check of access times cannot be switched off here: where a server loses them, garbage collection deletes chunks in use.',
      },
      maintenance_mode: {
        enum: ['none', 'read-only', 'offline'],
        description: '`none` ends a maintenance; left out, whoever maintains it decides.',
      },
    },
  },
  needsLive: true,
  tools: ['proxmox-backup-manager'],
  limit: () => 30,
  // On NFS 65536 directories take minutes.
  stepLimit: 3600,
  shared: sharedFacts,
  mistakes,
  identity: (spec) => spec.pbs_datastore,
  provides: (spec) => [`datastore:${spec.pbs_datastore}`, `path:${spec.path}/.chunks`],
  needs: (spec) => [
    `path:${spec.path}`,
    'unit:proxmox-backup.service',
    'unit:proxmox-backup-proxy.service',
    'package:proxmox-backup-server',
  ],
  follows: (spec) => (spec.mount === undefined ? [] : [`mount:${spec.mount.path}`]),
  want: wanted,
  observe: look,
  read,
  after: afterMounting,
  refuse,
  steps,
});

function mistakes({ path, mount, local }: DatastoreSpec): SpecMistake[] {
  if ((mount === undefined) === (local === undefined))
    return [
      {
        at: [],
        says: 'needs one of mount and local',
        hint: 'say in `mount` what must be mounted, or `local: true` for a directory of a local disk',
      },
    ];
  if (mount === undefined || `${path}/`.startsWith(`${mount.path === '/' ? '' : mount.path}/`)) return [];
  return [{ at: ['path'], says: `does not lie below ${mount.path}`, hint: 'correct mount.path' }];
}

function steps({ spec, have, want, differs }: Change<DatastoreSpec>): Step[] {
  const name = spec.pbs_datastore;
  if (want === null) return [];
  if (have === null || have.registered !== true) {
    const settings = Object.entries(keysOf(spec)).flatMap(([key, value]) =>
      value === '' ? [] : [option(key, value)],
    );
    const reuse = spec.reuse ? [option('reuse-datastore', true)] : [];
    return [
      {
        about: `${spec.reuse ? 'attach' : 'make'} the datastore ${name} at ${spec.path}`,
        run: sh`${stopUnlessFit(spec)}
proxmox-backup-manager datastore create ${name} ${spec.path} ${[...reuse, ...settings]}`,
      },
    ];
  }
  const changed = Object.entries(keysOf(spec)).filter(([key]) => differs.includes(key.replaceAll('-', '_')));
  const words = changed.map(([key, value]) => (value === '' ? option('delete', key) : option(key, value)));
  return [
    ...(words.length === 0
      ? []
      : [
          {
            about: `set ${changed.map(([key]) => key).join(', ')} of the datastore ${name}`,
            run: sh`proxmox-backup-manager datastore update ${name} ${words}`,
          },
        ]),
    ...(differs.includes('proxy_reads')
      ? [{ about: 'let the proxy read datastore.cfg', run: lines([letProxyRead('datastore')]) }]
      : []),
  ];
}

/** Keys of PBS that the spec names; '' for one that must not be set. */
function keysOf(spec: DatastoreSpec): Record<string, string | boolean> {
  const { comment: about, verify_new, notification_mode, notify_user, tuning, maintenance_mode } = spec;
  const all: Record<string, string | boolean | undefined> = {
    comment: about,
    'verify-new': verify_new,
    'notification-mode': notification_mode,
    'notify-user': notify_user,
    tuning: tuning === undefined ? undefined : tuningText(tuning),
    'maintenance-mode': maintenance_mode === 'none' ? '' : maintenance_mode,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
