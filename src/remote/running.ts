import type { RunOptions, RunResult } from './session.ts';

/** A run that has begun. Whatever arrives first settles it; everything after that is ignored. */
export interface Running {
  readonly result: Promise<RunResult>;
  stdout(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
  settle(end: RunResult['end'], code: number | null): void;
  fail(error: Error): void;
}

/** Starts the clock of a run. `onLimit` frees what the run holds; the result does not wait for it. */
export function startRun(options: RunOptions, onLimit: () => void): Running {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const { promise, resolve, reject } = deferred();
  let settled = false;
  const timer = setTimeout(() => {
    settle('lost', null);
    onLimit();
  }, options.limit);

  function once(act: () => void): void {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    act();
  }
  function settle(end: RunResult['end'], code: number | null): void {
    once(() => resolve({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), end, code }));
  }
  function fail(error: Error): void {
    once(() => reject(error));
  }
  return {
    result: promise,
    stdout(chunk) {
      if (settled) return;
      stdout.push(chunk);
      try {
        options.onOutput?.(chunk);
      } catch (error) {
        // Thrown inside a stream's event it would end the whole process, with all other hosts half done.
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    },
    stderr(chunk) {
      if (!settled) stderr.push(chunk);
    },
    settle,
    fail,
  };
}

function deferred() {
  let resolve: (result: RunResult) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<RunResult>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
