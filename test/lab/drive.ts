import type { Context } from '../../src/model/host.ts';
import type { ResourceType } from '../../src/model/resource.ts';
import { differences, type Observed, type State } from '../../src/model/state.ts';
import { applyScript } from '../../src/shell/apply.ts';
import { parseFacts, type Seen } from '../../src/shell/facts.ts';
import { ended, frame, parseFrames } from '../../src/shell/frames.ts';
import { type Look, lookShell, observeScript } from '../../src/shell/observe.ts';
import type { Action } from '../../src/shell/program.ts';
import type { LabHost } from './lab.ts';

/** One resource type on one lab host, without the engine: look at it, change it, see what became of it. */
export interface Driven {
  /** Exactly what was printed for it. */
  readonly text: string;
  readonly observed: Observed;
  readonly want: State | null;
  readonly differs: readonly string[];
  readonly refused: string | null;
}

const nonce = 'n0nce0f0the0lab';
const context: Context = { host: 'lab', platform: 'linux', live: true };

/** Looks at several specs of one type together, changing nothing. */
export async function lookAt(
  host: LabHost,
  type: ResourceType,
  specs: readonly unknown[],
): Promise<Driven[]> {
  const script = observeScript([{ type, specs }], { nonce, root: '/' });
  const { stdout, stderr } = await host.exec(['/bin/sh', '-s'], { input: script });
  const frames = parseFrames(Buffer.from(stdout), nonce);
  if (!ended(frames)) throw new Error(`the look did not end: ${stdout}${stderr}`);
  const seen = parseFacts(frame(frames, `look ${type.name}`) ?? Buffer.of());
  return specs.map((spec) => judge(type, spec, seen.get(type.identity(spec))));
}

function judge(type: ResourceType, spec: unknown, seen: Seen | undefined): Driven {
  const want = type.want(spec, context);
  const reason = seen === undefined ? 'nothing was printed' : seen.facts.get('unknown');
  const observed: Observed =
    reason !== undefined || seen === undefined
      ? { unknown: reason ?? '' }
      : type.read(seen.facts, spec, context);
  const have = 'have' in observed ? observed.have : null;
  const differs = 'have' in observed ? differences(want, have) : ['unknown'];
  const change = { spec, have, want, differs, context };
  const refused = differs.length > 0 ? (type.refuse?.(change) ?? null) : null;
  return { text: seen?.text ?? '', observed, want, differs, refused };
}

/** State that was seen; an unknown is an error of the test. */
export function have(driven: Driven | undefined): State | null {
  if (driven === undefined || 'unknown' in driven.observed)
    throw new Error(`unknown: ${JSON.stringify(driven?.observed)}`);
  return driven.observed.have;
}

export interface Applied {
  /** 'done', 'failed 1', 'moved', ... */
  readonly outcome: string;
  /** What the steps printed. */
  readonly said: string;
  /** What they were to do. */
  readonly about: readonly string[];
  /** Looked at again afterwards. */
  readonly after: Driven;
}

/** Looks, then makes one spec true with its own steps, guard included. `only`: this many steps, as if killed then. */
export async function make(
  host: LabHost,
  type: ResourceType,
  spec: unknown,
  only?: number,
): Promise<Applied> {
  const [before] = await lookAt(host, type, [spec]);
  if (before === undefined || before.refused !== null) throw new Error(`refused: ${before?.refused}`);
  const { want, differs } = before;
  const steps = type.steps({ spec, have: have(before), want, differs, context }).slice(0, only);
  const look: Look = { type, specs: [spec] };
  const action: Action = {
    guard: { shell: lookShell(look), expect: before.text },
    needs: [],
    below: [],
    makes: [],
    steps: steps.map((step) => step.run),
    limit: 120,
    record: 'x',
  };
  const run = `run-${process.hrtime.bigint()}`;
  const script = applyScript([action], {
    nonce,
    root: '/',
    run,
    holder: 'lab',
    wait: 0,
    recordBase: [],
    machineId: host.machineId,
    verify: [],
  });
  const { stdout } = await host.exec(['/bin/sh', '-s'], { input: script });
  const frames = parseFrames(Buffer.from(stdout), nonce);
  const outcome = frames.findLast(({ name }) => name.startsWith('change 0 '))?.name.slice('change 0 '.length);
  const [after] = await lookAt(host, type, [spec]);
  if (after === undefined || outcome === undefined) throw new Error(`no outcome: ${stdout}`);
  return {
    outcome,
    said: frame(frames, 'change 0 start')?.toString('utf8') ?? '',
    about: steps.map((step) => step.about),
    after,
  };
}
