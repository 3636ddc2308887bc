import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import type { RunResult } from '../remote/session.ts';
import { ended, type Frame, frame } from '../shell/frames.ts';
import { stateDirectory } from '../shell/observe.ts';
import type { Engine } from './engine.ts';

/** Name of a run on a host: sorts by time, unique. */
export function runName(engine: Engine): string {
  const stamp = new Date(engine.now()).toISOString().replace(/[-:.]/g, '').slice(0, 18);
  return `${stamp}-${engine.nonce().slice(0, 8)}`;
}

/** How steps ended that did not succeed, from the code of their shell. `limit`: seconds they had. */
export function howItEnded(code: string, limit?: number): string {
  if (code !== '124' && code !== '137') return `exit ${code}`;
  return `it took ${limit === undefined ? 'too long' : `longer than ${limit} s`} and was ended`;
}

/** Throws why nothing was changed, or why it is not known what was; returns when the detached run came to its end. */
export function stopped(host: Host, frames: readonly Frame[], result: RunResult, run: string): void {
  const said = (name: string): string | undefined => frame(frames, name)?.toString('utf8').trim();
  const fail = (
    code: 'refused' | 'locked' | 'failed' | 'unreachable' | 'changed',
    message: string,
    hint: string,
    begun = false,
  ): never => {
    throw new ProvisionError(code, message, { host: host.name, hint, begun });
  };
  const untouched = 'Nothing was changed';
  if (said('other-machine') !== undefined)
    fail('refused', 'another machine answers at this address than a moment ago', untouched);
  if (said('no-tool') !== undefined)
    fail('refused', `${said('no-tool')} is not installed on this host`, `install it. ${untouched}`);
  if (said('no-state') !== undefined)
    fail(
      'failed',
      `${said('no-state')} cannot be written`,
      `is the file system full or read-only? ${untouched}`,
    );
  if (said('no-space') !== undefined)
    fail(
      'failed',
      `the new contents could not be stored in ${said('no-space')}`,
      `is the file system full? ${untouched}`,
    );
  if (said('locked') !== undefined) {
    const [, , , holder = 'someone'] = (said('locked') ?? '').split('\t');
    fail(
      'locked',
      `another apply is running on this host, started by ${holder}`,
      `wait for it, or use --wait SECONDS. ${untouched} by this run`,
    );
  }
  if (said('other-run') !== undefined) {
    fail(
      'changed',
      `another apply (${said('other-run')}) has run on this host since it was looked at`,
      `look again with provision diff. ${untouched} by this run`,
    );
  }
  if (ended(frames) && frame(frames, 'ended')) return;
  if (result.end === 'lost' && said('started') === undefined) {
    fail(
      'unreachable',
      'the connection was lost while the new contents were sent',
      'the host begins only when it has all of it, so most likely nothing was changed: run provision diff to see',
    );
  }
  if (result.end === 'lost') {
    fail(
      'unreachable',
      'the connection was lost while changes were being made',
      `the run ${run} goes on by itself on the host: run provision diff to see what it has done`,
      true,
    );
  }
  fail(
    'failed',
    `the run ${run} ended before its end${result.stderr.length > 0 ? `: ${result.stderr.toString('utf8').trim().slice(0, 500)}` : ''}`,
    `its log is ${stateDirectory}/runs/${run}/log on the host; run provision diff to see what it has done`,
    true,
  );
}
