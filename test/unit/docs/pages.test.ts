import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { program } from '../../../src/cli/program.ts';
import { start } from '../../../src/cli/start.ts';
import { exitCodes } from '../../../src/model/errors.ts';
import { screen } from '../cli/screen.ts';
import { type Step, steps, unsaid } from './blocks.ts';

const home = mkdtempSync(join(tmpdir(), 'provision-docs-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const under = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const pages = ['README.md', 'CHANGELOG.md', ...under('docs'), ...under('roles'), 'test/lab/README.md'];
const readme = readFileSync('README.md', 'utf8');

/** A heading as GitHub writes it into an address. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

function broken(page: string): string[] {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = '', fragment] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(target)) return true;
    if (fragment === undefined) return false;
    const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, one = '']) =>
      anchor(one),
    );
    return !headings.includes(fragment);
  });
}

test.each(pages)('%s: every link leads somewhere', (page) => {
  expect(broken(page)).toEqual([]);
});

test('what the index of the documentation should name, it names', () => {
  const index = readFileSync('docs/README.md', 'utf8');
  const entries = readdirSync('docs').filter(
    (name) => !['README.md', 'media', 'benchmarks.md'].includes(name),
  );
  expect(entries.filter((name) => !index.includes(`](${name}`))).toEqual([]);
});

describe('the README', () => {
  type Command = Step & { readonly kind: 'command' };
  const commands = steps(readme).filter((step): step is Command => step.kind === 'command');
  /** What needs neither a host nor a site of one's own; all others are played by test/lab/tutorial.test.ts. */
  const alone = commands.filter(({ command }) => /^provision (list|explain|secret keygen)\b/.test(command));

  test.each(alone.map((one) => [one.command, one] as const))('%s', async (_, { command, exit, output }) => {
    const argv = command
      .replace(/ +#.*$/, '')
      .replace('~', home)
      .split(/ +/)
      .slice(1);
    const terminal = screen();
    const code = await start(argv, terminal);
    expect(code, terminal.printed.err).toBe(exit);
    expect(unsaid(output, terminal.printed.out)).toEqual([]);
  });

  test('has such commands', () => {
    expect(alone.length).toBeGreaterThanOrEqual(4);
  });

  test('names only scripts that are there', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const named = [...readme.matchAll(/npm run (\w+)/g), ...readme.matchAll(/npm (test)/g)].map(
      ([, name = '']) => name,
    );
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('says of every exit code what the program says', () => {
    const rows = [...readme.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(rows).toEqual([...Object.values(exitCodes), 130]);
  });

  test('says which Node is needed as package.json says it', () => {
    const { engines, version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(readme).toContain(`Node ${engines.node.replace('>=', '')} or newer`);
    expect(readFileSync('CHANGELOG.md', 'utf8')).toContain(`## ${version} (`);
  });
});

test('every command and option that a page shows is one of the program', () => {
  const root = program('0', () => async () => {});
  const all = [root, ...root.commands, ...root.commands.flatMap(({ commands }) => commands)];
  const known = new Set(all.flatMap(({ options }) => options.map(({ long }) => long)).concat('--help'));
  const names = new Set(root.commands.map((command) => command.name()));
  const wrong = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/(?:^ {4}|^\$ |`)provision ([^`\n#|>]*)/gm)].flatMap(
      ([whole, rest = '']) => {
        const words = rest.trim().split(/\s+/);
        const options = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0] ?? '');
        const command = words.find((word) => !word.startsWith('-'));
        const unknown = options.filter((option) => !known.has(option));
        const bad = command !== undefined && /^[a-z]+$/.test(command) && !names.has(command);
        return unknown.length > 0 || bad ? [`${page}: ${whole}`] : [];
      },
    ),
  );
  expect(wrong).toEqual([]);
});

test('blocks are read as the reader reads them', () => {
  const page =
    'a\n```console\n$ x          # exit 3\nout\n...\n$ y\n```\n```sh\n$ z\n```\n```yaml\n# a/b.yaml\nc: 1\n```\n';
  expect(steps(page)).toEqual([
    { kind: 'command', line: 3, command: 'x          # exit 3', exit: 3, output: ['out', '...'] },
    { kind: 'command', line: 6, command: 'y', exit: 0, output: [] },
    { kind: 'file', line: 11, path: 'a/b.yaml', text: '# a/b.yaml\nc: 1\n' },
  ]);
  expect(unsaid(['a  b', '...', 'd'], 'a b c\n\x1b[1mc\x1b[0m\n  d e\n')).toEqual([]);
  expect(unsaid(['d', 'a'], 'a\nd\n')).toEqual(['a']);
});
