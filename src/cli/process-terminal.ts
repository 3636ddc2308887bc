import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Terminal } from './terminal.ts';

/** The process this program runs in. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  // A reader that went away (`provision diff | head`) is no error of ours.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  return {
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    ask,
    input: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
    env: process.env,
    now: () => Date.now(),
    nonce: () => randomBytes(16).toString('hex'),
    controller: `${userName()}@${hostname()}`,
    // Some terminals say 0.
    size: () => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 }),
    onInterrupt: (handler) => {
      process.on('SIGINT', handler);
      return () => process.off('SIGINT', handler);
    },
    end: (code) => process.exit(code),
  };
}

async function ask(question: string, options: { readonly hidden?: boolean } = {}): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = options.hidden ? silent : process.stderr;
  if (options.hidden) process.stderr.write(question);
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  // readline takes ^C for itself while it reads: pass it on, as if there were no question.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await new Promise<string>((resolve) => {
      lines.on('close', () => resolve(''));
      lines.question(options.hidden ? '' : question).then(resolve, () => resolve(''));
    });
  } finally {
    lines.close();
    if (options.hidden) process.stderr.write('\n');
  }
}

/** A user id without a name (some containers) makes userInfo throw. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
