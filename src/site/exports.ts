import type { Where } from '../model/errors.ts';
import { canonicalOptions } from '../resources/export-options.ts';
import type { Part } from './picture.ts';
import { record, records, type Spec, word, words } from './spec.ts';

/** Who is mapped to another user: nobody, root, or everybody. */
export type Squash = 'none' | 'root' | 'all';

export interface Admitted {
  readonly client: string;
  readonly rw: boolean;
  readonly squash: Squash;
  /** Whom squashed users become: a number, or a name of the server. */
  readonly anonuid: string;
  /** Their group; where it is not said, the nobody of the server. */
  readonly anongid: string;
}

/** One export, however its platform writes it. */
export interface Exported {
  readonly path: string;
  readonly clients: readonly Admitted[];
  /** Paths of NFSv4 clients start here (`fsid=0`). */
  readonly pseudoRoot: boolean;
  /** Which kind of ACLs the file system below keeps, and what chmod does to them; lower case. */
  readonly acl?: { readonly type: string; readonly mode: string; readonly where: Where } | undefined;
  readonly where: Where;
}

const nobody = '65534';

/** All exports among the resources of a host. */
export function exportsOf(parts: readonly Part[]): Exported[] {
  const present = parts
    .map(({ type, spec, where }) => ({ type, spec: record(spec), where }))
    .filter(({ spec }) => spec.state !== 'absent');
  const of = (type: string) => present.filter((part) => part.type === type);
  const datasets = of('truenas_dataset').map(aclOf);
  const volumes = new Map(
    of('synology_share').map(({ spec }) => [word(spec, 'synology_share'), word(spec, 'volume')]),
  );
  const all = [
    ...of('export').map(linuxExport),
    ...of('truenas_share')
      .filter(({ spec }) => spec.enabled !== false)
      .map(truenasShare),
    ...of('synology_nfs_rule').map((part) => synologyRules(part, volumes)),
  ];
  return all.map((one) => ({ ...one, acl: nearest(datasets, one.path)?.acl }));
}

interface Read {
  readonly spec: Spec;
  readonly where: Where;
}

function linuxExport({ spec, where }: Read): Exported {
  const clients = records(spec, 'clients').map((one) => ({
    client: word(one, 'client') ?? '',
    options: canonicalOptions(words(one, 'options')).split(','),
  }));
  return {
    path: word(spec, 'export') ?? '',
    pseudoRoot: clients.some(({ options }) => options.includes('fsid=0')),
    clients: clients.map(({ client, options }) => ({
      client,
      rw: options.includes('rw'),
      squash: squashOf(options),
      anonuid: numberIn(options, 'anonuid'),
      anongid: numberIn(options, 'anongid'),
    })),
    where,
  };
}

function squashOf(options: readonly string[]): Squash {
  if (options.includes('all_squash')) return 'all';
  return options.includes('no_root_squash') ? 'none' : 'root';
}

function numberIn(options: readonly string[], name: string): string {
  return options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1) ?? nobody;
}

/** Without hosts and networks everybody is admitted. Root stays root only with both a user and a group that are number 0. */
function truenasShare({ spec, where }: Read): Exported {
  const clients = [...words(spec, 'hosts'), ...words(spec, 'networks')];
  const all = word(spec, 'mapall_user');
  const root = word(spec, 'maproot_user');
  const user = number(all ?? root);
  const group = number(word(spec, all === undefined ? 'maproot_group' : 'mapall_group'));
  const squash: Squash = all !== undefined ? 'all' : user === '0' && group === '0' ? 'none' : 'root';
  return {
    path: word(spec, 'truenas_share') ?? '',
    pseudoRoot: false,
    clients: (clients.length > 0 ? clients : ['*']).map((client) => ({
      client,
      rw: spec.ro !== true,
      squash,
      anonuid: user,
      anongid: group,
    })),
    where,
  };
}

/** `wheel` is the group 0 of older releases. */
function number(name: string | undefined): string {
  if (name === 'root' || name === 'wheel') return '0';
  return name ?? nobody;
}

/** What DSM calls them -> what they do. The word `root` means that root is not squashed. */
const synologySquash: Readonly<Record<string, readonly [Squash, string]>> = {
  root: ['none', '1025'],
  admin: ['root', '1024'],
  guest: ['root', '1025'],
  all_admin: ['all', '1024'],
  all_guest: ['all', '1025'],
};

function synologyRules(
  { spec, where }: Read,
  volumes: ReadonlyMap<string | undefined, string | undefined>,
): Exported {
  const share = word(spec, 'synology_nfs_rule') ?? '';
  return {
    path: `${volumes.get(share) ?? '/volume1'}/${share}`,
    pseudoRoot: false,
    clients: records(spec, 'rules').map((rule) => {
      const [squash, anonuid] = synologySquash[word(rule, 'root_squash') ?? ''] ?? ['root', nobody];
      return {
        client: word(rule, 'client') ?? '',
        rw: rule.privilege === 'rw',
        squash,
        anonuid,
        anongid: '100',
      };
    }),
    where,
  };
}

function aclOf({ spec, where }: Read) {
  const type = word(spec, 'acltype')?.toLowerCase() ?? '';
  const mode = word(spec, 'aclmode')?.toLowerCase() ?? '';
  return { path: `/mnt/${word(spec, 'truenas_dataset') ?? ''}`, acl: { type, mode, where } };
}

/** The deepest of these that is the path or lies above it. */
export function nearest<T extends { readonly path: string }>(all: readonly T[], path: string): T | undefined {
  return [...all]
    .filter((one) => covers(one.path, path))
    .sort((one, other) => other.path.length - one.path.length)[0];
}

/** Whether a path is another one or lies below it. */
export function covers(above: string, path: string): boolean {
  return path === above || above === '/' || path.startsWith(`${above}/`);
}
