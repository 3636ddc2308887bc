import type { Disk, Guest } from '../inventory/data.ts';
import { child, items, type MapNode, type Node, plain } from '../inventory/node.ts';
import type { FileText } from '../inventory/texts.ts';
import type { Where } from '../model/errors.ts';
import type { Platform } from '../model/host.ts';
import { isHost, type Reached } from './address.ts';
import { type DataSet, dataSetOf, type Silence, silenceOf } from './declared.ts';
import { type Exported, exportsOf } from './exports.ts';
import { partsOf, type ResourceParts } from './parts.ts';
import { record, word } from './spec.ts';
import { type RoleParts, rolePartsOf } from './variables.ts';

/** A part of the inventory with the line it was written on. */
export type Placed<T> = T & { readonly where: Where };

/** What the rules know of one host. */
export interface PictureHost extends Reached, ResourceParts, RoleParts {
  readonly name: string;
  readonly platform: Platform;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly from: Where;
  readonly disks: readonly Placed<Disk>[];
  readonly guests: readonly Placed<Guest>[];
  readonly exports: readonly Exported[];
}

/** What ties the hosts of a site together, from what the repository says. */
export interface Picture {
  readonly hosts: readonly PictureHost[];
  readonly dataSets: readonly DataSet[];
  readonly silences: readonly Silence[];
  /** Files of the repository; null where they were not read for it. */
  readonly texts: readonly FileText[] | null;
}

/** A resource or the resource of a check, and the line of the inventory that asked for it. */
export interface Part {
  readonly type: string;
  readonly spec: unknown;
  readonly where: Where;
}

/** One host as it comes in. */
export interface HostInput {
  readonly name: string;
  readonly platform: Platform;
  readonly address?: string | undefined;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly from: Where;
  /** Its file, with defaults filled in. */
  readonly node: MapNode;
  readonly parts: readonly Part[];
  /** Variables of its roles by the name of the role. */
  readonly variables: ReadonlyMap<string, Node>;
}

/** Pure: the same input gives the same picture. `site` is the content of site.yaml. */
export function makePicture(
  site: Node,
  hosts: readonly HostInput[],
  texts: readonly FileText[] | null = null,
): Picture {
  const domains = [...new Set(hosts.flatMap(domainOf))];
  return {
    hosts: hosts.map((host) => pictureOf(host, domains)),
    dataSets: items(child(site, 'data_sets')).map(dataSetOf),
    silences: items(child(site, 'silence')).map(silenceOf),
    texts,
  };
}

/** The role base of one host names all hosts of the site under its domain: appliances too, which have no such role themselves. */
function domainOf({ variables }: HostInput): string[] {
  const base = variables.get('base');
  const domain = base === undefined ? undefined : word(record(plain(base)), 'domain');
  return domain === undefined ? [] : [domain];
}

function pictureOf({ node, parts, variables, ...host }: HostInput, domains: readonly string[]): PictureHost {
  return {
    ...host,
    names: [host.name, ...domains.map((domain) => `${host.name}.${domain}`)],
    disks: placed<Disk>(child(node, 'disks')),
    guests: placed<Guest>(child(node, 'guests')),
    exports: exportsOf(parts),
    ...partsOf(parts),
    ...rolePartsOf(variables),
  };
}

/** The schema of the host file has judged these: their properties are the fields of T. */
function placed<T>(node: Node | undefined): Placed<T>[] {
  return items(node).map((item) => ({ ...(plain(item) as T), where: item.where }));
}

/** The host of the site that a name or address means, if it is one of them. */
export function hostAt(picture: Picture, server: string): PictureHost | undefined {
  return picture.hosts.find((host) => isHost(server, host));
}
