import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the lab is built from: image name (`debian`, `nas`, `nas-flock`) to Docker tag. */
export type Images = Readonly<Record<string, string>>;
export type Availability =
  | { readonly ok: true; readonly images: Images }
  | { readonly ok: false; readonly reason: string };

const setup = new URL('setup.sh', import.meta.url).pathname;

let known: Availability | undefined;

/**
 * Whether the lab can run on this machine, after having set up what is missing (packages, Docker, images).
 * About 60 s the first time on a machine, 0.1 s afterwards.
 */
export function labAvailable(): Availability {
  known ??= prepare();
  return known;
}

function prepare(): Availability {
  const run = spawnSync('bash', [setup], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = (run.stdout ?? '').split('\n').filter((line) => line.includes('='));
  const said = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  if (run.status === 0) return { ok: true, images: said };
  return { ok: false, reason: said.cannot ?? `setup.sh ended with ${run.status ?? run.error}` };
}

/** A new directory. `prepare.ts` removes it after the run: a test process is ended without being asked. */
export function scratch(purpose: string): string {
  return mkdtempSync(join(process.env.LAB_SCRATCH ?? tmpdir(), `provision-${purpose}-`));
}

let pair: { readonly identityFile: string; readonly publicKey: string } | undefined;

/** The key that every host of this run lets in: made new by each process, never kept. */
export function loginKey(): { readonly identityFile: string; readonly publicKey: string } {
  if (pair) return pair;
  const identityFile = join(scratch('key'), 'id_ed25519');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f', identityFile]);
  pair = { identityFile, publicKey: readFileSync(`${identityFile}.pub`, 'utf8').trim() };
  return pair;
}

export interface Ended {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one program on this machine and collects what it says. */
export function runHere(argv: readonly string[], input?: string | Buffer): Promise<Ended> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      }),
    );
    // The program may end before it has read all of its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

/** Like `runHere`, but anything except exit 0 is an error of the test. */
export async function mustRun(argv: readonly string[], input?: string | Buffer): Promise<string> {
  const ended = await runHere(argv, input);
  if (ended.code !== 0)
    throw new Error(`lab: ${argv.join(' ')} ended with ${ended.code}: ${ended.stderr.trim()}`);
  return ended.stdout;
}
