import { ProvisionError } from '../model/errors.ts';
import type { HostRun, HostWork, ShownError } from '../model/run.ts';
import type { Session } from '../remote/session.ts';
import type { Engine } from './engine.ts';

/** A run with nothing to tell yet. */
export function emptyRun(host: string): HostRun {
  return {
    host,
    seconds: 0,
    total: 0,
    changes: [],
    unknown: [],
    checks: [],
    steps: [],
    orphans: [],
    notices: [],
  };
}

/** Calls `visit` for every item, at most `forks` at once; results in the order of the items. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  forks: number,
  visit: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await visit(items[index] as Item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(forks, items.length) }, worker));
  return results;
}

/** Connects to a host and hands the session over; whatever goes wrong becomes this host's result and no one else's. */
export async function onHost(
  work: HostWork,
  engine: Engine,
  visit: (session: Session) => Promise<HostRun>,
): Promise<HostRun> {
  const began = engine.now();
  const seconds = (): number => (engine.now() - began) / 1000;
  let session: Session | undefined;
  try {
    engine.progress(work.host.name, 'connecting');
    session = await engine.connect(work.host);
    return { ...(await visit(session)), seconds: seconds() };
  } catch (error) {
    return { ...emptyRun(work.host.name), seconds: seconds(), error: shownError(error) };
  } finally {
    engine.progress(work.host.name, '');
    await session?.close();
  }
}

/** An error as a result of one host. Errors that are not ours are faults of this program; they are shown whole. */
export function shownError(error: unknown): ShownError {
  if (error instanceof ProvisionError) {
    const { code, message, hint, where, begun } = error;
    return { code, message, hint, where, ...(begun ? { begun } : {}) };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: 'unknown',
    message: `a fault in provision itself: ${message}`,
    hint: 'please report it with this text',
  };
}
