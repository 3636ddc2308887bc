import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import type { Resource } from '../model/resource.ts';
import type { Observed } from '../model/state.ts';
import type { View } from '../plan/compare.ts';
import { parseMounts } from '../plan/mounts.ts';
import { readRecord } from '../plan/record.ts';
import type { Session } from '../remote/session.ts';
import { parseFacts, type Seen } from '../shell/facts.ts';
import { ended, type Frame, frame, parseFrames } from '../shell/frames.ts';
import { type Look, observeScript } from '../shell/observe.ts';
import { type Engine, lookLimit } from './engine.ts';

/** One host as it was seen in one round trip. */
export interface HostView extends View {
  readonly tools: ReadonlySet<string>;
  readonly machineId: string;
  /** Free KiB where runs are staged; null when the host did not say. */
  readonly free: number | null;
  readonly recordText: string;
  readonly recordNewer: boolean;
  /** Name of the newest run on the host, '' for none; null when one was going on while the host was looked at. */
  readonly newestRun: string | null;
  /** The newest run ended before its end, or nobody heard its end: the next apply tidies up after it and is the newest then. */
  readonly runLeft: boolean;
  readonly notices: readonly string[];
}

/** Resources of one host by type, in a stable order: each type looks at all of its resources at once. */
export function looks(resources: readonly Resource[]): Look[] {
  const byType = new Map<Resource['type'], unknown[]>();
  for (const resource of resources) {
    const specs = byType.get(resource.type);
    if (specs) specs.push(resource.spec);
    else byType.set(resource.type, [resource.spec]);
  }
  const all = [...byType].map(([type, specs]) => ({ type, specs }));
  return [...all.filter(({ type }) => type.first), ...all.filter(({ type }) => !type.first)];
}

/** Two proofs may look at the same thing and expect different answers of it: each gets an id that is its own. */
export function apart(proofs: readonly Resource[]): Resource[] {
  return proofs.map((proof, index) => ({ ...proof, id: `${index} ${proof.id}` }));
}

/** Reads everything a host is asked about: one execution on one connection. Refuses the wrong machine. */
export async function look(
  session: Session,
  host: Host,
  resources: readonly Resource[],
  engine: Engine,
): Promise<HostView> {
  const askable = resources.filter(({ type }) => session.live || !type.needsLive);
  const { frames, base } = await hear(session, host, looks(askable), secondsFor(askable), engine);
  const context = { host: host.name, platform: host.platform, live: session.live };
  return { ...base, ...readLooks(frames, resources, base.tools, context) };
}

/** What every look tells of the host itself. */
export type HostBase = Omit<HostView, 'observed' | 'seen'>;

/** Asks in one round trip, proves the machine, and hands over the frames. `seconds`: what the whole may take. */
export async function hear(
  session: Session,
  host: Host,
  asked: readonly Look[],
  seconds: number,
  engine: Engine,
): Promise<{ frames: Frame[]; base: HostBase }> {
  const nonce = engine.nonce();
  const script = observeScript(asked, { nonce, root: session.root });
  const result = await session.run(script, { limit: seconds * 1000 });
  const frames = parseFrames(result.stdout, nonce);
  if (!ended(frames)) throw unfinished(host, result.end, result.code, result.stderr, frames);
  const facts = hostFacts(frame(frames, 'facts'));
  prove(host, session, facts);
  const record = readRecord(text(frames, 'record'));
  const base = {
    mounts: session.root === '/' ? parseMounts(text(frames, 'mounts')) : [],
    record: record.record,
    recordText: text(frames, 'record'),
    recordNewer: record.newer,
    newestRun: newestRun(text(frames, 'runs')),
    runLeft: /^(unseen|interrupted)\t/m.test(text(frames, 'runs')),
    tools: facts.tools,
    machineId: facts.values.get('machine-id') ?? '',
    free: freeKiB(text(frames, 'space')),
    notices: [
      ...(record.trouble ? [record.trouble] : []),
      ...runNotices(text(frames, 'runs')),
      ...clockNotice(facts, engine),
    ],
  };
  return { frames, base };
}

/** Every question that may hang has a limit of its own; together they, and a minute for all the others, bound the whole look. */
function secondsFor(resources: readonly Resource[]): number {
  return resources.reduce((sum, { type, spec }) => sum + (type.limit?.(spec as never) ?? 0), lookLimit);
}

/** What `look TYPE` frames say of these resources; a missing tool or a missing answer is unknown, never "absent". */
export function readLooks(
  frames: readonly Frame[],
  resources: readonly Resource[],
  tools: ReadonlySet<string>,
  context: { host: string; platform: Host['platform']; live: boolean },
): { observed: Map<string, Observed>; seen: Map<string, string> } {
  const byType = new Map<string, Map<string, Seen>>();
  for (const { name, bytes } of frames) {
    if (!name.startsWith('look ')) continue;
    const type = name.slice('look '.length);
    byType.set(type, new Map([...(byType.get(type) ?? []), ...parseFacts(bytes)]));
  }
  const observed = new Map<string, Observed>();
  const seen = new Map<string, string>();
  for (const { id, type, spec } of resources) {
    const answer = byType.get(type.name)?.get(type.identity(spec));
    seen.set(id, answer?.text ?? '');
    const missing = type.tools?.find((tool) => !tools.has(tool));
    const reason = answer?.facts.get('unknown');
    if (type.needsLive && !context.live)
      observed.set(id, { unknown: 'it needs a running system, and this is a directory tree' });
    else if (missing !== undefined) observed.set(id, { unknown: `${missing} is not installed on this host` });
    else if (answer === undefined) observed.set(id, { unknown: 'the host said nothing about it' });
    else if (reason !== undefined) observed.set(id, { unknown: reason });
    else observed.set(id, type.read(answer.facts, spec, context));
  }
  return { observed, seen };
}

interface HostFacts {
  readonly values: ReadonlyMap<string, string>;
  readonly platforms: readonly string[];
  readonly tools: ReadonlySet<string>;
}

function hostFacts(bytes: Buffer | undefined): HostFacts {
  const values = new Map<string, string>();
  const platforms: string[] = [];
  const tools = new Set<string>();
  for (const line of bytes?.toString('utf8').split('\n') ?? []) {
    const tab = line.indexOf('\t');
    const [name, value] = [line.slice(0, tab), line.slice(tab + 1)];
    if (name === 'tool') tools.add(value);
    else if (name === 'platform') platforms.push(value);
    else values.set(name, value);
  }
  return { values, platforms, tools };
}

/** The right machine, the right platform, enough rights: before anything it says is believed. */
function prove(host: Host, session: Session, facts: HostFacts): void {
  const pinned = host.connection.machineId;
  const found = facts.values.get('machine-id') ?? '';
  if (pinned !== undefined && pinned !== found) {
    throw new ProvisionError(
      'refused',
      `this is another machine: its machine-id is ${found || 'empty'}, ${host.name} is pinned to ${pinned}`,
      {
        host: host.name,
        where: host.from,
        hint: 'a cloned disk or a moved address? Nothing was changed. If the machine was reinstalled on purpose, put its new machine-id into the inventory',
      },
    );
  }
  if (session.live && facts.values.get('uid') !== '0') {
    throw new ProvisionError(
      'refused',
      `commands run as uid ${facts.values.get('uid') ?? '?'}, but this needs root`,
      {
        host: host.name,
        where: host.from,
        hint: 'set `connection.become: sudo`, or log in as root with a key. Nothing was changed',
      },
    );
  }
  if (host.platform !== 'linux' && !facts.platforms.includes(host.platform)) {
    const looksLike = facts.platforms[0] ?? 'plain Linux';
    throw new ProvisionError(
      'refused',
      `the inventory says ${host.platform}, but this machine looks like ${looksLike}`,
      {
        host: host.name,
        where: host.from,
        hint: 'correct `platform:` or `connection.address:`. Nothing was changed',
      },
    );
  }
}

function unfinished(
  host: Host,
  end: string,
  code: number | null,
  stderr: Buffer,
  frames: readonly Frame[],
): ProvisionError {
  if (frame(frames, 'no-root')) {
    return new ProvisionError('input', 'the directory tree of this host cannot be entered', {
      host: host.name,
      where: host.from,
      hint: 'check `connection.root:`',
    });
  }
  const said = stderr.toString('utf8').trim().slice(0, 500);
  if (end === 'lost') {
    return new ProvisionError(
      'unreachable',
      'the connection was lost, or the host gave no answer in time, while it was looked at',
      {
        host: host.name,
        hint: 'nothing was changed; try again',
      },
    );
  }
  return new ProvisionError(
    'unknown',
    `the host could not be looked at: the script ended early (${end} ${code ?? ''})${said ? `: ${said}` : ''}`,
    {
      host: host.name,
      hint: 'nothing was changed',
    },
  );
}

function text(frames: readonly Frame[], name: string): string {
  return frame(frames, name)?.toString('utf8') ?? '';
}

/** df -P -k: the lines after the head; the smallest figure counts. */
function freeKiB(df: string): number | null {
  const figures = df
    .split('\n')
    .slice(1)
    .map((line) => Number(line.trim().split(/\s+/)[3]))
    .filter(Number.isFinite);
  return figures.length > 0 ? Math.min(...figures) : null;
}

function newestRun(found: string): string | null {
  return /^running\t/m.test(found) ? null : (/^newest\t(.*)$/m.exec(found)?.[1] ?? '');
}

/** Lines `newest RUN`, `running RUN HOLDER`, `unseen RUN`, `interrupted RUN` from the host. */
function runNotices(found: string): string[] {
  return found.split('\n').flatMap((line) => {
    const [kind, run = '', holder = ''] = line.split('\t');
    if (kind === 'running') return [`an apply is running on this host now (${run}, started by ${holder})`];
    if (kind === 'unseen') return [`run ${run} finished without its controller`];
    if (kind === 'interrupted')
      return [`run ${run} was interrupted before its end; what follows is what the host has now`];
    return [];
  });
}

function clockNotice(facts: HostFacts, engine: Engine): string[] {
  const clock = Number(facts.values.get('clock'));
  const off = Math.round(clock - engine.now() / 1000);
  if (!Number.isFinite(clock) || Math.abs(off) < 300) return [];
  const span =
    Math.abs(off) < 7200
      ? `${Math.round(Math.abs(off) / 60)} minutes`
      : `${Math.round(Math.abs(off) / 3600)} hours`;
  return [`the host's clock is ${span} ${off > 0 ? 'ahead of' : 'behind'} this machine's`];
}
