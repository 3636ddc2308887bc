import type { Terminal } from './terminal.ts';

/** 128 + SIGINT, as shells know it. */
const interrupted = 130;

/** What ^C means now. */
export interface Stage {
  /** Names of hosts on which a change may be running. Empty: nothing has been changed. */
  working: readonly string[];
}

/** Makes ^C say what goes on without us, then ends. Gives back how to stop that. */
export function watchInterrupt(
  command: string,
  stage: Stage,
  terminal: Terminal,
  clear: () => void,
): () => void {
  return terminal.onInterrupt(() => {
    clear();
    terminal.err(`\n${interruptText(command, stage.working)}\n`);
    terminal.end(interrupted);
  });
}

/** The changes run detached on the hosts: ending this program does not end them, and the reader must know that. */
export function interruptText(command: string, working: readonly string[]): string {
  if (working.length === 0) return 'Interrupted. Nothing was changed.';
  const hosts = working.join(', ');
  if (command === 'run') {
    return `Interrupted. A step that had begun goes on on ${hosts}; no further step is started. Look with \`provision check --host ${working.join(',')}\`.`;
  }
  return `Interrupted here, but the run goes on on ${hosts} until its end. \`provision diff --host ${working.join(',')}\` shows what became of it.`;
}
