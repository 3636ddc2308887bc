import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type Step, steps, unsaid } from '../unit/docs/blocks.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { mustRun, runHere, scratch } from './machine.ts';
import { describeLab } from './suite.ts';

const project = new URL('../../', import.meta.url).pathname;

/** The address that the pages use. */
const documented = '192.0.2.10';

/** What is played is what is printed in the page, except for these. */
const substitutions = (host: LabHost): readonly (readonly [string, string])[] => [
  [documented, host.address],
  // A container has the clock of its host.
  ['time_sync: chrony', 'time_sync: none'],
];

/** Plays a page in one bash, as a reader would: a home of its own, the login key in it, and a yes typed where a terminal asks. */
async function play(page: string, host: LabHost): Promise<{ step: Step; exit: number; printed: string }[]> {
  const home = scratch('reader');
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  copyFileSync(host.identityFile, join(home, '.ssh/id_ed25519'));
  chmodSync(join(home, '.ssh/id_ed25519'), 0o600);
  writeFileSync(join(home, '.ssh/known_hosts'), host.hostKeys.map((line) => `${line}\n`).join(''));
  const text = substitutions(host).reduce((all, [from, to]) => all.replaceAll(from, to), page);
  const found = steps(text);
  const script = [
    prelude(home),
    ...found.map((step) => (step.kind === 'file' ? writing(step) : `${step.command}\nended $?`)),
  ].join('\n');
  const { stdout } = await runHere(
    ['env', '-i', `HOME=${home}`, `PATH=${process.env.PATH}`, 'bash', '-s'],
    script,
  );
  const parts = stdout.split(/^@@ended (\d+)\n/m);
  return found
    .filter((step) => step.kind === 'command')
    .map((step, index) => ({
      step,
      printed: parts[2 * index] ?? '',
      exit: Number(parts[2 * index + 1] ?? Number.NaN),
    }));
}

function prelude(home: string): string {
  const program = `${process.execPath} ${join(project, 'dist/provision.js')}`;
  return `exec 2>&1
cd ${project}
ended() { printf '\\n@@ended %s\\n' "$1"; }
provision() {
  case " $* " in
    *' --yes '*) ${program} "$@" </dev/null ;;
    ' trust '* | ' apply '*) printf 'yes\\n' | script -qec "${program} \${*@Q}" /dev/null ;;
    *) ${program} "$@" ;;
  esac
}
ssh() { command ssh -F none -i ${home}/.ssh/id_ed25519 -o UserKnownHostsFile=${home}/.ssh/known_hosts "$@" </dev/null; }`;
}

function writing({ path, text }: Step & { kind: 'file' }): string {
  const encoded = Buffer.from(text).toString('base64');
  return `mkdir -p "$(dirname ${path})" && echo ${encoded} | base64 -d >${path}`;
}

describeLab('what the pages tell to type', () => {
  let hosts: LabHost[];
  beforeAll(async () => {
    hosts = await Promise.all(
      ['box', 'box'].map((name) => startHost({ image: 'debian', name, platform: 'linux' })),
    );
  });
  afterAll(stopAll);

  test.each(['docs/tutorial.md', 'README.md'])(
    '%s: every command ends and prints as shown',
    async (page) => {
      const host = hosts[page === 'README.md' ? 0 : 1];
      if (!host) throw new Error('no host');
      const played = await play(readFileSync(join(project, page), 'utf8'), host);
      expect(played.length).toBeGreaterThan(10);
      const wrong = played.flatMap(({ step, exit, printed }) => {
        if (step.kind !== 'command') return [];
        const missing = unsaid(step.output, printed);
        if (exit === step.exit && missing.length === 0) return [];
        return [{ at: `${page}:${step.line}`, command: step.command, exit, missing, printed }];
      });
      expect(wrong).toEqual([]);
    },
    120_000,
  );
});

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

describeLab('the demo', () => {
  test('needs no root', async () => {
    // Not below `scratch`: nobody else may enter that.
    const copy = mkdtempSync(join(tmpdir(), 'provision-copy-'));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    for (const part of ['dist', 'inventory', 'roles', 'templates', 'package.json'])
      cpSync(join(project, part), join(copy, part), { recursive: true });
    await mustRun(['chmod', '-R', 'a+rX', copy]);
    const demo = [process.execPath, join(copy, 'dist/provision.js'), 'demo'];
    const { code, stdout, stderr } = await runHere([
      ...asNobody,
      'env',
      '-i',
      `PATH=${process.env.PATH}`,
      ...demo,
    ]);
    expect(`${code} ${stderr}`).toBe('0 ');
    expect([...stdout.matchAll(/^\(exit (\d+)\)$/gm)].map(([, exit]) => exit)).toEqual([
      '2',
      '8',
      '0',
      '2',
      '8',
      '8',
    ]);
  });
});
