import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { type Stage, watchInterrupt } from './interrupt.ts';
import { type Progress, startProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** What a command works with: the engine, and how to leave the screen to someone else. */
export interface Machinery {
  readonly engine: Engine;
  readonly progress: Progress;
  /** Ends the progress display and gives ^C its usual meaning back. */
  stop(): void;
}

interface MachineryOptions {
  readonly inventory: string;
  readonly forks: number;
}

/** Builds the engine out of clock, randomness, environment and the way to hosts. */
export async function machinery(
  command: string,
  options: MachineryOptions,
  terminal: Terminal,
): Promise<Machinery> {
  const { connect } = await import('../remote/connect.ts');
  const progress = await startProgress(terminal);
  const stage: Stage = { working: [] };
  const unwatch = watchInterrupt(command, stage, terminal, progress.clear);
  const contact = { knownHosts: join(options.inventory, 'known_hosts'), env: terminal.env };
  return {
    progress,
    engine: {
      connect: (host) => connect(host, contact),
      now: terminal.now,
      nonce: terminal.nonce,
      progress: (host, doing) => {
        progress.set(host, doing);
        note(stage, host, doing);
      },
      forks: options.forks,
      controller: terminal.controller,
    },
    stop: () => {
      progress.clear();
      unwatch();
    },
  };
}

/** Keeps track of the hosts on which something is being changed, as the engine tells it. */
export function note(stage: Stage, host: string, doing: string): void {
  const others = stage.working.filter((name) => name !== host);
  stage.working = /^(change|step) \d+ of |^writing /.test(doing) ? [...others, host] : others;
}
