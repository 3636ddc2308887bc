import type { ChildProcess } from 'node:child_process';
import { type Entry, feed } from './become.ts';
import { startRun } from './running.ts';
import type { RunOptions, RunResult } from './session.ts';

/** Milliseconds between asking a process group to end and ending it. */
const grace = 2000;

/** Feeds a script to a process of ours and collects what comes back. The process must lead its own group (`detached`). */
export function runChild(
  child: ChildProcess,
  entry: Entry,
  script: string | Buffer,
  options: RunOptions,
): Promise<RunResult> {
  const running = startRun(options, () => endChild(child));
  child.stdout?.on('data', running.stdout);
  child.on('error', running.fail);
  child.on('close', (code, signal) => {
    if (stopped.has(child)) running.settle('lost', null);
    else running.settle(signal === null ? 'exit' : 'signal', code);
  });
  // A script that ends before its last line breaks the pipe: that is its right, and its exit code tells the rest.
  child.stdin?.on('error', () => {});
  if (child.stdin === null) return running.result;
  const feeding = feed(entry, script, child.stdin);
  child.stderr?.on('data', (chunk: Buffer) => {
    running.stderr(chunk);
    feeding.onStderr(chunk);
  });
  return running.result.finally(feeding.stop);
}

/** Processes that we ended ourselves: how they ended says nothing about the script. */
const stopped = new WeakSet<ChildProcess>();

/** Ends a process and all of its group. Asks first; does not wait. */
export function endChild(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) {
    release(child);
    return;
  }
  stopped.add(child);
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => {
    signalGroup(child, 'SIGKILL');
    release(child);
  }, grace);
  timer.unref();
  child.once('close', () => clearTimeout(timer));
}

/** A grandchild may hold the pipes for ever; they must not hold this process. */
function release(child: ChildProcess): void {
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Gone already, or running as another user under sudo: closing its pipes has to do.
    release(child);
  }
}
