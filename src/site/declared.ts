import { child, items, type Node, plain } from '../inventory/node.ts';
import type { Where } from '../model/errors.ts';
import { record, records, type Spec, word, words } from './spec.ts';

/** One place that a data set lies in; the one it is used from counts too. */
export interface Copy {
  /** A host of the site, or the name of a place elsewhere. */
  readonly on: string;
  readonly medium: string;
  readonly offsite: boolean;
  /** Serial of the disk, to tell two copies on one host apart. */
  readonly disk?: string | undefined;
  readonly path?: string | undefined;
  readonly where: Where;
}

/** Data that is worth its three copies. */
export interface DataSet {
  readonly name: string;
  readonly copies: readonly Copy[];
  /** Storages whose guests are this data set. */
  readonly storages: readonly string[];
  /** Hosts that it is of; none: all. */
  readonly hosts: readonly string[];
  /** Why it needs no copies. */
  readonly excluded?: string | undefined;
  readonly where: Where;
}

/** A finding that somebody has looked at, and why it stays. */
export interface Silence {
  readonly rule: string;
  readonly host?: string | undefined;
  /** `guest:1031`, as the finding says what it is about. */
  readonly about?: string | undefined;
  readonly reason: string;
  readonly where: Where;
}

/** One element of `data_sets:` in site.yaml. */
export function dataSetOf(node: Node): DataSet {
  const spec = record(plain(node));
  return {
    name: word(spec, 'name') ?? '',
    copies: records(spec, 'copies').map((copy, index) =>
      copyOf(copy, items(child(node, 'copies'))[index]?.where ?? node.where),
    ),
    storages: words(spec, 'storages'),
    hosts: words(spec, 'hosts'),
    excluded: word(spec, 'excluded'),
    where: node.where,
  };
}

function copyOf(spec: Spec, where: Where): Copy {
  return {
    on: word(spec, 'on') ?? '',
    medium: word(spec, 'medium') ?? '',
    offsite: spec.offsite === true,
    disk: word(spec, 'disk'),
    path: word(spec, 'path'),
    where,
  };
}

/** One element of `silence:` in site.yaml. */
export function silenceOf(node: Node): Silence {
  const spec = record(plain(node));
  return {
    rule: word(spec, 'rule') ?? '',
    host: word(spec, 'host'),
    about: word(spec, 'about'),
    reason: word(spec, 'reason') ?? '',
    where: node.where,
  };
}
