import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import type { Context, Platform } from '../../../src/model/host.ts';
import type { ResourceType } from '../../../src/model/resource.ts';
import { differences, type Observed } from '../../../src/model/state.ts';
import { parseFacts, type Seen } from '../../../src/shell/facts.ts';
import { parseFrames } from '../../../src/shell/frames.ts';
import { observePrelude, observeScript, opening } from '../../../src/shell/observe.ts';
import { applyPrelude } from '../../../src/shell/prelude.ts';
import { runScript, type ShellName } from './tree.ts';

const standIns = new URL('../../lab/stand-ins/', import.meta.url).pathname;
/** New for each process: what a script keeps for itself is named after it, and other tests run beside this one. */
const nonce = randomBytes(16).toString('hex');
const made: string[] = [];
afterAll(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** A running host in a directory: its file system starts here, and some of its programs are stand-ins with a world of their own. */
export interface World {
  /** Where the stand-ins keep their state. */
  readonly state: string;
  write(path: string, content: string | object): void;
  /** Calls of the stand-ins since the last time, one line each. */
  calls(): string[];
  /** `limit`: seconds in place of those that a daemon has, so that a test need not wait for them. */
  look(type: ResourceType, specs: readonly unknown[], limit?: number): Map<string, Seen>;
  read(type: ResourceType, spec: unknown): Observed;
  /** The change as a run would make it: null when nothing differs, else why it is refused, or the exit code and what was said. */
  apply(type: ResourceType, spec: unknown): { refused: string } | { code: number; said: string } | null;
}

/** `programs` are paths below test/lab/stand-ins; `mark` is the file beside them that names their world. */
export function newWorld(
  shell: ShellName,
  programs: readonly string[],
  mark: string,
  platform: Platform = 'pve',
): World {
  const context: Context = { host: 'box9', platform, live: true };
  const root = mkdtempSync(join(tmpdir(), 'world-'));
  made.push(root);
  const bin = join(root, 'bin');
  const state = join(root, 'state');
  mkdirSync(bin);
  mkdirSync(state);
  writeFileSync(join(bin, mark), `${state}\n`);
  for (const program of programs) {
    const target = join(bin, program.slice(program.lastIndexOf('/') + 1));
    copyFileSync(join(standIns, program), target);
    chmodSync(target, 0o755);
  }
  const write: World['write'] = (path, content) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  };
  /** The file system of the host starts in the directory, and its programs come first. */
  const hosted = (script: string) => script.replace(/^ROOT=.*$/m, 'ROOT=').replace('PATH=', `PATH=${bin}:`);
  const look: World['look'] = (type, specs, limit) => {
    const script = hosted(observeScript([{ type, specs }], { nonce, root })).replace(
      /ask (zfs|midclt) \d+/g,
      (usual, key) => (limit === undefined ? usual : `ask ${key} ${limit}`),
    );
    const frames = parseFrames(Buffer.from(runScript(shell, script)), nonce);
    const own = frames.filter((frame) => frame.name === `look ${type.name}`);
    return parseFacts(Buffer.concat(own.map((frame) => frame.bytes)));
  };
  const read: World['read'] = (type, spec) => {
    const seen = look(type, [spec]).get(type.identity(spec));
    const reason = seen?.facts.get('unknown');
    if (seen === undefined || reason !== undefined) return { unknown: reason ?? 'nothing was printed' };
    return type.read(seen.facts, spec, context);
  };
  const apply: World['apply'] = (type, spec) => {
    const seen = read(type, spec);
    if ('unknown' in seen) throw new Error(seen.unknown);
    const want = type.want(spec, context);
    const change = { spec, have: seen.have, want, differs: differences(want, seen.have), context };
    if (change.differs.length === 0) return null;
    const refused = type.refuse?.(change) ?? (seen.have === null && want !== null ? seen.blocked : undefined);
    if (refused) return { refused };
    const body = type.steps(change).map((step) => step.run.text);
    const script = `{ exec </dev/null\n${opening({ nonce, root })}\nRUN=r1 RUNDIR=${state} STAGE=${state} CHANGE=0
${observePrelude}\n${applyPrelude}\n(set -eu\n${body.join('\n')}\n) 2>&1\nprintf '\\nended %s\\n' $?\nexit 0\n}\n`;
    const said = runScript(shell, hosted(script));
    return {
      code: Number(/ended (\d+)\n$/.exec(said)?.[1] ?? -1),
      said: said.replace(/\n?ended \d+\n$/, '').trim(),
    };
  };
  return {
    state,
    write,
    apply,
    look,
    calls: () => {
      const path = join(state, 'calls');
      const said = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
      rmSync(path, { force: true });
      return said;
    },
    read,
  };
}
