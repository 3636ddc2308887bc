import { describe, expect, test } from 'vitest';
import { demoCommand } from '../../../src/cli/demo.ts';
import { screen } from '../cli/screen.ts';
import { ansiSvg } from './ansi-svg.ts';

const bold = (text: string): string => `\x1b[1m${text}\x1b[22m`;
const faint = (text: string): string => `\x1b[2m${text}\x1b[22m`;
const blue = (text: string): string => `\x1b[36m${text}\x1b[39m`;
const bare = (line: string): string => line.replace(/\x1b\[[0-9;]*m/g, '');

/** One command of the demo and what it printed, colours and all. */
interface Scene {
  readonly about: string;
  readonly command: string;
  readonly lines: readonly string[];
  readonly exit: string;
}

async function demo(): Promise<Scene[]> {
  let nonce = 0;
  const terminal = screen({
    outIsTerminal: true,
    now: Date.now,
    nonce: () => (++nonce).toString(16).padStart(8, '0').padEnd(32, '0'),
    env: { PATH: process.env.PATH },
  });
  expect(await demoCommand(terminal)).toBe(0);
  return terminal.printed.out
    .split(/^(?=# )/m)
    .slice(1)
    .map((part) => {
      const [about = '', command = '', ...rest] = part.split('\n');
      const end = rest.findIndex((line) => line.startsWith('(exit '));
      return { about, command, lines: rest.slice(0, end).map(withoutSeconds), exit: rest[end] ?? '' };
    });
}

/** How long it took is another figure each time. */
function withoutSeconds(line: string): string {
  return line.replace(/(?:\x1b\[[0-9]+m)* {2}(?:\x1b\[[0-9]+m)*[0-9]+\.[0-9]+ s(?:\x1b\[[0-9]+m)*$/, '');
}

/** The lines that belong to one resource: its own and those indented deeper. */
function about(id: string, lines: readonly string[]): string[] {
  const from = lines.findIndex((line) => bare(line).includes(` ${id}  `));
  const rest = lines.slice(from + 1);
  const end = rest.findIndex((line) => !bare(line).startsWith('     '));
  if (from < 0) throw new Error(`the demo no longer shows ${id}`);
  return lines.slice(from, end < 0 ? undefined : from + 1 + end);
}

function summary(lines: readonly string[]): string {
  return lines.findLast((line) => line !== '') ?? '';
}

const cut = faint('  ...');

describe('the picture in the README', () => {
  test('docs/media/session.svg shows what the demo prints; stale: `npm run docs`', {
    timeout: 60_000,
  }, async () => {
    const [first, applied, again, edited] = await demo();
    if (!first || !applied || !again || !edited) throw new Error('the demo has other scenes');
    const shown = (scene: Scene, lines: readonly string[]): string[] => [
      faint(scene.about),
      `${blue('$')} ${bold(scene.command.replace(/^\$ /, ''))}`,
      ...lines.filter((line) => line !== ''),
      faint(scene.exit),
    ];
    const plan = [
      first.lines[0] ?? '',
      ...about('file:/etc/hostname', first.lines),
      cut,
      ...about('directory:/var/lib/vz/vzdump-tmp', first.lines),
      cut,
      ...about('file:/etc/vzdump.conf', first.lines),
      cut,
      summary(first.lines),
    ];
    const lines = [
      ...shown(first, plan),
      '',
      ...shown(applied, [cut, summary(applied.lines)]),
      '',
      ...shown(again, again.lines),
      '',
      ...shown(edited, edited.lines),
    ];
    await expect(
      ansiSvg('A session: what differs, apply, a hand edit found as drift', lines),
    ).toMatchFileSnapshot('../../../docs/media/session.svg');
  });

  test('a piece keeps its column and its colour; markup and unknown codes do not get through', () => {
    const svg = ansiSvg('a & b', ['ab \x1b[31mc<d\x1b[39m  e']);
    expect(svg).toContain('aria-label="a &#38; b"');
    expect(svg).toMatch(/x="45\.2"[^>]*fill="#ff8f8f">c&#60;d</);
    expect(svg).toMatch(/x="87\.2"[^>]*fill="#d8dee9">e</);
    expect(() => ansiSvg('', ['\x1b[35mx'])).toThrow('35');
    expect(() => ansiSvg('', ['\x1b[2Jx'])).toThrow('control character');
  });
});
