import type { Host } from '../model/host.ts';
import type { Sh } from '../model/sh.ts';
import type { Session } from '../remote/session.ts';
import { applyScript } from '../shell/apply.ts';
import { parseFrames } from '../shell/frames.ts';
import { howItEnded, runName, stopped } from './detached.ts';
import type { Engine } from './engine.ts';
import type { HostBase } from './look.ts';

/** What a step said, and whether its shell ended well. */
export interface Executed {
  readonly failed: boolean;
  readonly text: string;
}

/**
 * Runs a step of a procedure as a detached run of its own, under the lock of the host; `limit` in seconds. `seen`: the host as it was
 * looked at right before. Throws when nothing was run, or when it is not known what was.
 */
export async function execute(
  session: Session,
  host: Host,
  step: { readonly run: Sh; readonly limit: number },
  seen: HostBase,
  engine: Engine,
): Promise<Executed> {
  const nonce = engine.nonce();
  const run = runName(engine);
  const action = {
    guard: null,
    needs: [],
    steps: [step.run],
    limit: step.limit,
    record: null,
    below: [],
    makes: [],
  };
  const script = applyScript([action], {
    nonce,
    root: session.root,
    run,
    holder: `${engine.controller} since ${new Date(engine.now()).toISOString()}`,
    wait: 0,
    recordBase: seen.recordText.split('\n').filter((line) => line !== ''),
    machineId: seen.machineId,
    newestRun: seen.newestRun,
    verify: [],
  });
  const result = await session.run(script, { limit: (step.limit + 60) * 1000 });
  const frames = parseFrames(result.stdout, nonce);
  stopped(host, frames, result, run);
  const text =
    frames
      .find(({ name }) => name === 'change 0 start')
      ?.bytes.toString('utf8')
      .trim()
      .slice(-4000) ?? '';
  const done = frames.some(({ name }) => name === 'change 0 done');
  const code = frames.find(({ name }) => name.startsWith('change 0 failed '))?.name.split(' ')[3] ?? '?';
  if (done) return { failed: false, text };
  const how = howItEnded(code, step.limit);
  return { failed: true, text: text ? `${how}: ${text}` : how };
}
