import type { Command } from 'commander';
import { CommanderError } from 'commander';
import { failure } from './failure.ts';
import type { CommonOptions } from './options.ts';
import { packageVersion } from './package.ts';
import { program } from './program.ts';
import type { Terminal } from './terminal.ts';

/** Runs one command line (without node and script name) and gives its exit code. Never throws. */
export async function start(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0;
  const root = program(packageVersion(), (name, load) => {
    return async function action(this: Command) {
      const options = this.optsWithGlobals() as CommonOptions;
      try {
        const invoke = await load();
        code = await invoke(terminal, options as never, this.args);
      } catch (error) {
        code = failure(name, error, options, terminal);
      }
    };
  });
  wire(root, terminal);
  try {
    await root.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    throw error;
  }
}

/** Help and usage errors go the same way as everything else. */
function wire(command: Command, terminal: Terminal): void {
  command.configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
  command.exitOverride();
  for (const child of command.commands) wire(child, terminal);
}
