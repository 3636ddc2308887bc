import type { Where } from '../model/errors.ts';
import type { Part } from './picture.ts';
import { counts, record, records, type Spec, word, words } from './spec.ts';

/** A file system of another machine, mounted by a unit of ours or by the storage daemon of Proxmox VE. */
export interface NetworkMount {
  readonly path: string;
  readonly server: string;
  /** Path on the server; of CIFS the name of the share. */
  readonly export: string;
  readonly type: string;
  readonly options: readonly string[];
  /** The storage that mounts it; undefined for a mount unit. */
  readonly storage?: string | undefined;
  readonly where: Where;
}

/** Any mount unit, local ones too, or a mount that a check watches. */
export interface Mounted {
  readonly path: string;
  readonly source?: string | undefined;
  readonly type?: string | undefined;
  readonly where: Where;
}

export interface Storage {
  readonly id: string;
  readonly type: string;
  readonly content: readonly string[];
  readonly server?: string | undefined;
  readonly export?: string | undefined;
  readonly path?: string | undefined;
  readonly datastore?: string | undefined;
  readonly namespace: string;
  readonly username?: string | undefined;
  readonly fingerprint?: string | undefined;
  /** Nodes that have it; none: all. */
  readonly nodes: readonly string[];
  readonly disabled: boolean;
  /** It is offline unless something is mounted there. */
  readonly mountChecked: boolean;
  readonly prune?: ReadonlyMap<string, number> | undefined;
  readonly where: Where;
}

export interface Job {
  readonly id: string;
  readonly enabled: boolean;
  readonly vmids: readonly number[];
  readonly all: boolean;
  readonly exclude: readonly number[];
  readonly pool?: string | undefined;
  readonly schedule?: string | undefined;
  readonly storage?: string | undefined;
  readonly mode?: string | undefined;
  readonly node?: string | undefined;
  readonly prune?: ReadonlyMap<string, number> | undefined;
  readonly where: Where;
}

export interface Datastore {
  readonly name: string;
  readonly path: string;
  /** What must be mounted below it; undefined: it is on a disk of the host. */
  readonly mount?: { readonly path: string; readonly source: string; readonly type: string } | undefined;
  readonly where: Where;
}

/** A job of a backup server: prune, verify, sync or gc, with its further keys as they are written. */
export interface PbsJob {
  readonly id: string;
  readonly kind: string;
  readonly store: string;
  readonly spec: Spec;
  readonly where: Where;
}

export interface PbsUser {
  /** `backup@pbs` */
  readonly name: string;
  readonly tokens: readonly string[];
  readonly acl: readonly {
    readonly path: string;
    readonly role: string;
    readonly token?: string | undefined;
    /** It holds for what lies below, too. */
    readonly propagate: boolean;
  }[];
  readonly where: Where;
}

export interface Pool {
  readonly name: string;
  /** Names below /dev/disk/by-id, with or without the partition. */
  readonly members: readonly string[];
  readonly where: Where;
}

export interface Certificate {
  /** Name of the backup server in the inventory. */
  readonly server: string;
  readonly value: string;
  readonly where: Where;
}

/** What the resources and checks of a host say that other hosts, or other parts of it, must agree with. */
export interface ResourceParts {
  readonly networkMounts: readonly NetworkMount[];
  /** Mount units of ours. */
  readonly units: readonly Mounted[];
  /** Mounts that checks look at. */
  readonly watched: readonly Mounted[];
  readonly storages: readonly Storage[];
  readonly jobs: readonly Job[];
  readonly datastores: readonly Datastore[];
  readonly pbsJobs: readonly PbsJob[];
  readonly users: readonly PbsUser[];
  readonly pools: readonly Pool[];
  /** Certificates that checks expect of backup servers. */
  readonly certificates: readonly Certificate[];
  /** What checks of backups look at already: `pbs_backups:pbs-datastore`. */
  readonly looked: ReadonlySet<string>;
}

/** Reads resources as parts; those that are to be absent are not there. */
export function partsOf(parts: readonly Part[]): ResourceParts {
  const of = (type: string) =>
    parts
      .filter((part) => part.type === type)
      .map(({ spec, where }) => ({ spec: record(spec), where }))
      .filter(({ spec }) => spec.state !== 'absent');
  const units = of('mount').map(({ spec, where }) => mounted('mount', 'what', spec, where));
  const storages = of('pve_storage').map(({ spec, where }) => storage(spec, where));
  return {
    networkMounts: [
      ...of('mount').flatMap(({ spec, where }) => mountOf(spec, where) ?? []),
      ...storages.flatMap((one) => storageMount(one) ?? []),
    ],
    units,
    watched: of('mount_health').map(({ spec, where }) => mounted('mount_health', 'source', spec, where)),
    storages,
    jobs: of('pve_backup_job').map(({ spec, where }) => job(spec, where)),
    datastores: of('pbs_datastore').map(({ spec, where }) => datastore(spec, where)),
    pbsJobs: of('pbs_job').map(({ spec, where }) => ({
      id: word(spec, 'pbs_job') ?? '',
      kind: word(spec, 'kind') ?? '',
      store: word(spec, 'store') ?? '',
      spec,
      where,
    })),
    users: of('pbs_user').map(({ spec, where }) => user(spec, where)),
    pools: of('zpool_health').map(({ spec, where }) => ({
      name: word(spec, 'zpool_health') ?? '',
      members: words(spec, 'members'),
      where,
    })),
    looked: new Set(
      ['backup_log', 'dump_backups', 'pbs_backups'].flatMap((type) =>
        of(type).map(({ spec }) => `${type}:${String(spec[type])}`),
      ),
    ),
    certificates: of('pbs_certificate').map(({ spec, where }) => ({
      server: word(spec, 'pbs_certificate') ?? '',
      value: word(spec, 'fingerprint') ?? '',
      where,
    })),
  };
}

function mounted(key: string, source: string, spec: Spec, where: Where): Mounted {
  return { path: word(spec, key) ?? '', source: word(spec, source), type: word(spec, 'type'), where };
}

/** `10.10.0.103:/mnt/Taupo/pbs`, `[fd00::3]:/mnt/pbs`, `//server/share`; undefined for what is local. */
export function remote(source: string): { readonly server: string; readonly path: string } | undefined {
  const [, host, path] = /^(\[[^\]]+\]|[^:/\s]+):(\/.*)$/.exec(source) ?? [];
  if (host !== undefined && path !== undefined) return { server: host, path: trimmed(path) };
  const [, server, share] = /^\/\/([^/]+)\/(.+)$/.exec(source) ?? [];
  return server === undefined || share === undefined ? undefined : { server, path: share };
}

function mountOf(spec: Spec, where: Where): NetworkMount | undefined {
  const type = word(spec, 'type') ?? '';
  const from = remote(word(spec, 'what') ?? '');
  if (from === undefined || !/^(nfs|nfs4|cifs|smb3)$/.test(type)) return undefined;
  const path = word(spec, 'mount') ?? '';
  return { path, server: from.server, export: from.path, type, options: words(spec, 'options'), where };
}

function storageMount({ id, type, server, path, where, ...one }: Storage): NetworkMount | undefined {
  if (server === undefined || path === undefined || (type !== 'nfs' && type !== 'cifs')) return undefined;
  return { path, server, export: one.export ?? '', type, options: [], storage: id, where };
}

/** A storage that is mounted has its path below /mnt/pve when none is given. */
function storage(spec: Spec, where: Where): Storage {
  const id = word(spec, 'pve_storage') ?? '';
  const type = word(spec, 'type') ?? '';
  const own = type === 'nfs' || type === 'cifs' ? `/mnt/pve/${id}` : undefined;
  const exported = word(spec, 'export');
  return {
    id,
    type,
    content: words(spec, 'content'),
    server: word(spec, 'server'),
    export: exported === undefined ? word(spec, 'share') : trimmed(exported),
    path: word(spec, 'path') ?? own,
    datastore: word(spec, 'datastore'),
    namespace: word(spec, 'namespace') ?? '',
    username: word(spec, 'username'),
    fingerprint: word(spec, 'fingerprint'),
    nodes: words(spec, 'nodes'),
    disabled: spec.disable === true,
    mountChecked: spec.is_mountpoint === true || word(spec, 'is_mountpoint') !== undefined,
    prune: counts(spec, 'prune_backups'),
    where,
  };
}

function job(spec: Spec, where: Where): Job {
  return {
    id: word(spec, 'pve_backup_job') ?? '',
    enabled: spec.enabled !== false,
    vmids: words(spec, 'vmid').map(Number),
    // `exclude` alone means all others.
    all: spec.all === true || (spec.exclude !== undefined && spec.vmid === undefined),
    exclude: words(spec, 'exclude').map(Number),
    pool: word(spec, 'pool'),
    schedule: word(spec, 'schedule'),
    storage: word(spec, 'storage'),
    mode: word(spec, 'mode'),
    node: word(spec, 'node'),
    prune: counts(spec, 'prune_backups'),
    where,
  };
}

function datastore(spec: Spec, where: Where): Datastore {
  const mount = spec.mount === undefined ? undefined : record(spec.mount);
  return {
    name: word(spec, 'pbs_datastore') ?? '',
    path: word(spec, 'path') ?? '',
    mount: mount && {
      path: word(mount, 'path') ?? '',
      source: word(mount, 'source') ?? '',
      type: word(mount, 'type') ?? '',
    },
    where,
  };
}

function user(spec: Spec, where: Where): PbsUser {
  return {
    name: word(spec, 'pbs_user') ?? '',
    tokens: records(spec, 'tokens').flatMap((token) => word(token, 'name') ?? []),
    acl: records(spec, 'acl').map((entry) => ({
      path: word(entry, 'path') ?? '/',
      role: word(entry, 'role') ?? '',
      token: word(entry, 'token'),
      propagate: entry.propagate !== false,
    })),
    where,
  };
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}
