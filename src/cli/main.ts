import { processTerminal } from './process-terminal.ts';
import { start } from './start.ts';

export { start };

/** The program as a process: arguments in, exit code out. Ends the process. */
export async function main(): Promise<void> {
  const code = await start(process.argv.slice(2), processTerminal());
  // Let the report reach its pipe before the process ends; ending is explicit, because a dead connection may keep a handle open.
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  await new Promise<void>((resolve) => process.stderr.write('', () => resolve()));
  process.exit(code);
}
