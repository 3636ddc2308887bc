import type { Where } from '../model/errors.ts';
import type { Resource } from '../model/resource.ts';
import type { HostWork } from '../model/run.ts';
import type {
  DatastoreWish,
  JobWish,
  ProcedureHost,
  ProcedureSite,
  StorageWish,
} from '../procedures/site.ts';
import type { Site, SiteHost } from '../roles/site.ts';

type Spec = Readonly<Record<string, unknown>>;

/** What procedures may know of a site, from the inventory alone. */
export function plainSite(site: Site): ProcedureSite {
  return { hosts: site.hosts.map(plainHost) };
}

/** The same with what roles make of the hosts. `work`: all of them, expanded; `values`: variables of a role on a host. */
export function expandedSite(
  site: Site,
  work: readonly HostWork[],
  values: (host: string, role: string) => unknown,
): ProcedureSite {
  return {
    hosts: site.hosts.map((host) => {
      const resources = work.find((one) => one.host.name === host.name)?.resources ?? [];
      const of = <Wish>(type: string, make: (spec: Spec, from: Where) => Wish): Wish[] =>
        resources
          .filter((resource) => resource.type.name === type && specOf(resource).state !== 'absent')
          .map((resource) => make(specOf(resource), resource.asked ?? resource.from));
      return {
        ...plainHost(host),
        values: new Map(
          host.roles.flatMap((role) => {
            const found = values(host.name, role);
            return isSpec(found) ? [[role, found] as const] : [];
          }),
        ),
        storages: of('pve_storage', storage),
        datastores: of('pbs_datastore', datastore),
        jobs: of('pve_backup_job', job),
      };
    }),
  };
}

function plainHost({ name, platform, address, from, roles, guests }: SiteHost): ProcedureHost {
  return {
    name,
    platform,
    address,
    from,
    roles,
    guests: guests.map((guest) => ({
      vmid: guest.vmid,
      type: guest.type,
      name: guest.name,
      class: guest.class,
    })),
    values: new Map(),
    storages: [],
    datastores: [],
    jobs: [],
  };
}

/** Picked by name: a spec may hold a password. */
function storage(spec: Spec, from: Where): StorageWish {
  return {
    id: String(spec.pve_storage),
    type: String(spec.type),
    server: word(spec.server),
    datastore: word(spec.datastore),
    namespace: word(spec.namespace),
    fingerprint: word(spec.fingerprint),
    export: word(spec.export),
    path: word(spec.path),
    disable: spec.disable === true,
    from,
  };
}

function datastore(spec: Spec, from: Where): DatastoreWish {
  const mount = isSpec(spec.mount) ? spec.mount : undefined;
  return {
    name: String(spec.pbs_datastore),
    path: String(spec.path),
    mount: mount
      ? { path: String(mount.path), source: String(mount.source), type: String(mount.type ?? 'nfs') }
      : null,
    from,
  };
}

function job(spec: Spec): JobWish {
  return {
    id: String(spec.pve_backup_job),
    vmid: numbers(spec.vmid),
    all: spec.all === true,
    exclude: numbers(spec.exclude),
    pool: word(spec.pool),
    storage: word(spec.storage),
    mode: word(spec.mode),
    enabled: spec.enabled !== false,
    node: word(spec.node),
    options: jobOptions(spec),
  };
}

/** As `vzdump` takes them. `remove` is left out: what is made by hand prunes nothing. */
function jobOptions(spec: Spec): string[] {
  const further = isSpec(spec.options) ? spec.options : {};
  const all: [string, unknown][] = [
    ['compress', spec.compress],
    ['bwlimit', spec.bwlimit],
    ['notes-template', spec.notes_template],
    ['protected', spec.protected],
    ['fleecing', spec.fleecing === undefined ? undefined : `enabled=1,storage=${String(spec.fleecing)}`],
    ...Object.entries(further).filter(([key]) => key !== 'remove'),
  ];
  return all.flatMap(([key, value]) =>
    (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]).flatMap((one) => [
      `--${key}`,
      one === true ? '1' : one === false ? '0' : String(one),
    ]),
  );
}

function specOf(resource: Resource): Spec {
  return isSpec(resource.spec) ? resource.spec : {};
}

function isSpec(value: unknown): value is Spec {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function word(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numbers(value: unknown): number[] | undefined {
  return Array.isArray(value) ? value.map(Number).filter(Number.isInteger) : undefined;
}
