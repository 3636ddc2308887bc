import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One run of a whole process, as a user would wait for it. */
export interface Run {
  readonly seconds: number;
  /** Largest resident size of the process itself, MiB (sampled every 5 ms from /proc). */
  readonly peak: number;
  readonly code: number | null;
  readonly output: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export function run({ argv: [program = '', ...args], cwd, env }: Command): Promise<Run> {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: '/root', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    let peak = 0;
    const sample = setInterval(() => {
      peak = Math.max(peak, highWater(child.pid ?? 0));
    }, 5);
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(sample);
      resolve({
        seconds: (performance.now() - from) / 1000,
        peak,
        code,
        output: Buffer.concat(chunks).toString('utf8'),
      });
    });
  });
}

function highWater(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Lowest, middle and highest of some figures. */
export function spread(figures: readonly number[]): { min: number; median: number; max: number } {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { min: at(0), median, max: at(sorted.length - 1) };
}
