import type { Where } from './errors.ts';
import type { Symptom } from './finding.ts';
import type { Context } from './host.ts';
import type { Sh } from './sh.ts';
import type { Observed, State } from './state.ts';

/**
 * Something on a host that resources provide, need or follow, as `kind:name`. Kinds:
 * `path:/etc/exports` a path exists · `content:/etc/exports` its whole content is owned ·
 * `part:/etc/hosts#pve2` one entry of a file · `unit:nfs-server.service` · `package:nfs-common` · `user:backup` · `group:backup`.
 */
export type Place = string;

/** JSON Schema (draft 2020-12 subset that ajv's default build reads), always an object with additionalProperties false. */
export type Schema = Readonly<Record<string, unknown>>;

/** What a host said of one resource: `observe` prints lines `identity TAB name TAB value`, these are the last two columns. */
export interface Facts {
  /** The only or first value under this name. */
  get(name: string): string | undefined;
  /** All values under this name, in the order printed. */
  all(name: string): readonly string[];
}

/** What is wrong with a spec although it fits its schema. */
export interface SpecMistake {
  /** Where in the spec: `['schedule']`, `['mount_points', '0', 'id']`; empty: the resource as a whole. */
  readonly at: readonly string[];
  /** Continues "schedule of pve_backup_job:nightly": `is "22", which Proxmox reads as minute 22 of every hour`. */
  readonly says: string;
  readonly hint?: string;
}

/** One resource's part of a plan. */
export interface Change<Spec = unknown> {
  readonly spec: Spec;
  /** The state observed, or, where a change before this one will alter it, the state as it will be by then. */
  readonly have: State | null;
  readonly want: State | null;
  /** Names of the properties that differ. */
  readonly differs: readonly string[];
  readonly context: Context;
}

/** One thing done on a host. Runs in a subshell with `set -eu`, no stdin, at most `limit` seconds; cwd is the root of the host or tree. */
export interface Step {
  /** What it does, for the plan and the journal: "write /etc/vzdump.conf". */
  readonly about: string;
  readonly run: Sh;
  /**
   * `ahead STAGED PATH MODE OWNER:GROUP`, for a step that is one `put` of exactly this: the new file may be written beside its place
   * before its turn, so that many files need to be flushed to disk only once. It is put in place by `run`, or removed.
   */
  readonly ahead?: Sh;
}

/**
 * A kind of thing that can be kept in a state. One file in src/resources each; everything but `schema` is a pure function.
 * Paths in shell text are written with `at(path)`: relative to the working directory, which is / or the tree of a `root` session.
 */
export interface ResourceType<Spec = unknown> {
  /** The YAML key: `file`. */
  readonly name: string;
  /** What it is for, in a sentence or two; becomes the head of its documentation page. */
  readonly about: string;
  readonly schema: Schema;
  /** An example for the documentation page, as YAML. It is validated by a test. */
  readonly example: string;
  /** Can be observed and compared, never changed (`command`, `port`). */
  readonly checkOnly?: true;
  /** Looked at before all other types: what it finds to hang, they do not ask again. */
  readonly first?: true;
  /** Asks the running system (a port, a command): in a directory tree the answer would come from this machine, so it is unknown. */
  readonly needsLive?: true;
  /** Programs the host must have to observe or change this type beyond POSIX utilities; without them the answer is unknown. */
  readonly tools?: readonly string[];
  /** Seconds after which observing ONE resource is given up by the type's own shell. Set it for anything that may hang. */
  readonly limit?: (spec: Spec) => number;
  /** Seconds its steps may take on a host; set it for every type that runs other programs. Without it: plain file work. */
  readonly stepLimit?: number;

  /**
   * Keys of the spec that may hold a secret although others are told openly: the password of a storage. The type promises that such a
   * value reaches the host in a staged file only (`blob`), and that its states and texts say no more of it than whether it is as wanted.
   */
  readonly conceals?: readonly string[];
  /**
   * Names of facts that a change of another resource of this type alters too (what a server exports is read anew as a whole). The
   * guard before a change leaves them out: otherwise our own change would look like that of somebody else.
   */
  readonly shared?: readonly string[];

  /** What no schema can say: texts that mean something else to the host than they look like. Input errors, with their line. */
  mistakes?(spec: Spec): readonly SpecMistake[];
  /** "/etc/vzdump.conf". No tab, no line break: the loader refuses them. */
  identity(spec: Spec): string;
  /** Places this makes when its state is wanted. Two resources that provide one place are an input error. */
  provides?(spec: Spec): Place[];
  /** Places that must be there first. `path:` climbs to the nearest provider above. */
  needs?(spec: Spec): Place[];
  /** Places whose change alters what this resource has (a unit follows its configuration files). Implies needs. */
  follows?(spec: Spec): Place[];
  /** The state asked for; null: must not exist. */
  want(spec: Spec, context: Context): State | null;
  /**
   * Shell that prints, for every spec, one or more lines `identity TAB name TAB value`, using nothing that changes the host.
   * Observing [a, b] prints for `a` exactly what observing [a] prints: the guard before a change relies on it. So nothing
   * volatile (times, pids, counters). A line `identity TAB unknown TAB reason` says that it could not be seen.
   */
  observe(specs: readonly Spec[]): Sh;
  read(facts: Facts, spec: Spec, context: Context): Observed;
  /** The state as it will be once a followed place has changed. Default: unchanged. */
  after?(have: State | null, spec: Spec): State | null;
  /** Why this change must not be made (a directory where a file should be, data that would be lost), or null. */
  refuse?(change: Change<Spec>): string | null;
  /** What makes want true. Never called for check-only types. */
  steps(change: Change<Spec>): Step[];
  /** Neighbours in a plan with the same key may be made by these steps at once, all or none of them: the lines of one file. */
  readonly together?: {
    key(spec: Spec): string;
    steps(changes: readonly Change<Spec>[]): Step[];
  };
  /** What the state seen tells of troubles whose cause may lie elsewhere. For check-only types and resources alike. */
  symptoms?(observed: Observed, spec: Spec): Symptom[];
  /** For text diffs: the path whose bytes on the host compare with `content`. */
  text?(spec: Spec): { path: string; content: string } | null;
  /** A command that must succeed on the new bytes before they are put in place; `{file}` stands for their path. */
  validator?(spec: Spec): { argv: readonly string[]; content: string } | null;
}

/** One resource of one host, ready to be observed. */
export interface Resource {
  /** `file:/etc/vzdump.conf` */
  readonly id: string;
  readonly type: ResourceType;
  readonly spec: unknown;
  /** The role it comes from. */
  readonly role: string;
  readonly from: Where;
  /** Where its name was written in the inventory, when it did not come from the role alone. */
  readonly asked?: Where | undefined;
  /** A secret flowed into it: values are never shown or recorded, only hashes. */
  readonly secret: boolean;
  /** Ids that must come before, as the role says. */
  readonly after: readonly string[];
}

/** Fixes the Spec type of a resource type and forgets it again, so that all types fit one list. */
export function defineType<Spec>(type: ResourceType<Spec>): ResourceType {
  return type as ResourceType<never> as ResourceType;
}
