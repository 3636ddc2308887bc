import { spawn } from 'node:child_process';
import { scratch } from './machine.ts';

export interface Finished {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

export interface ProvisionOptions {
  /** Directory that holds `inventory/`: the answer of `inventoryFor`. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Milliseconds; then the program is killed and the test fails. Default: 60 s. */
  readonly limit?: number;
}

export interface Running {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** What it has said so far. */
  heard(): { readonly stdout: string; readonly stderr: string };
  readonly finished: Promise<Finished>;
}

const program = new URL('../../dist/provision.js', import.meta.url).pathname;

/** Starts the real program as a user would, with nothing of this machine's ssh set-up in reach. */
export function startProvision(args: readonly string[], options: ProvisionOptions): Running {
  const from = performance.now();
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, HOME: scratch('home'), USER: 'tester', LANG: 'C.UTF-8', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const limit = options.limit ?? 60_000;
  const finished = new Promise<Finished>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`provision ${args.join(' ')} did not end in ${limit} ms\n${text(out)}${text(err)}`));
    }, limit);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const milliseconds = performance.now() - from;
      resolve({ code, signal, stdout: text(out), stderr: text(err), milliseconds });
    });
  });
  return {
    pid: child.pid ?? -1,
    kill: (signal) => {
      child.kill(signal);
    },
    heard: () => ({ stdout: text(out), stderr: text(err) }),
    finished,
  };
}

/** Runs the real program to its end. Any exit code is an answer. */
export function runProvision(args: readonly string[], options: ProvisionOptions): Promise<Finished> {
  return startProvision(args, options).finished;
}
