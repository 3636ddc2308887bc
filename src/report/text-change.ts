import { showWhere } from '../model/errors.ts';
import type { Command, ShownChange } from '../model/run.ts';
import type { Value } from '../model/state.ts';
import type { Palette } from './palette.ts';
import { indent, type TextOptions } from './paragraphs.ts';
import { visible, visibleLine } from './visible.ts';

/** Lines of a text diff that are shown without --verbose. */
const diffLimit = 60;
const valueLimit = 160;

const symbols = { create: '+', change: '~', remove: '-' } as const;

/** One change: symbol, id and cause; then want and have, the text diff, and why it was not done. */
export function changeText(command: Command, change: ShownChange, options: TextOptions): string[] {
  const { palette, verbose } = options;
  const stopped =
    change.outcome === 'refused' || change.outcome === 'failed' || change.outcome === 'changed-since-plan';
  const symbol = stopped ? palette.bad('!') : palette[change.action](symbols[change.action]);
  const id = visibleLine(change.id);
  const head = `${symbol} ${palette.strong(id)}  ${words(command, change, palette)}`;
  const body = [
    ...messageLines(change.message, palette),
    ...(verbose
      ? [palette.faint(`role ${visibleLine(change.role)}, ${visibleLine(showWhere(change.from))}`)]
      : []),
    ...propertyLines(change, verbose),
    // What was asked before the yes is not repeated after it.
    ...(command === 'diff' || verbose ? diffLines(change.text, options) : []),
    ...(verbose ? change.steps.map((step) => palette.faint(`does: ${visibleLine(step)}`)) : []),
  ];
  return [head, ...indent(body, 4)];
}

function words(command: Command, change: ShownChange, palette: Palette): string {
  const cause = palette.faint(change.cause);
  if (change.outcome === 'planned')
    return command === 'apply' ? `${cause}  ${palette.unsure('not done')}` : cause;
  const outcome = change.outcome === 'changed-since-plan' ? 'changed since plan' : change.outcome;
  const paint =
    change.outcome === 'done' ? palette.good : change.outcome === 'skipped' ? palette.unsure : palette.bad;
  return `${cause}  ${paint(outcome)}`;
}

function messageLines(message: string | undefined, palette: Palette): string[] {
  if (!message) return [];
  return visible(message).trimEnd().split('\n').map(palette.bad);
}

function propertyLines(change: ShownChange, verbose: boolean): string[] {
  // The text diff says more than two hashes do; once it is done, nobody compares them.
  const hashless = change.text !== undefined || (change.outcome === 'done' && !verbose);
  const shown = change.properties.filter((property) => !hashless || property.name !== 'sha256');
  if (shown.length === 0) return [];
  const value = (of: Value) => showValue(of, verbose);
  if (change.action === 'create') {
    return [`want ${shown.map(({ name, want }) => `${visibleLine(name)} ${value(want)}`).join(', ')}`];
  }
  if (change.action === 'remove') {
    return [
      `have ${shown.map(({ name, have }) => `${visibleLine(name)} ${value(have)}`).join(', ')}, want none of it`,
    ];
  }
  return shown.map(
    ({ name, have, want }) => `${visibleLine(name)}: have ${value(have)}, want ${value(want)}`,
  );
}

/** A value on one line: text with blanks in quotes, hashes shortened, nothing for the terminal to obey. */
function showValue(value: Value, whole: boolean): string {
  if (value === null) return 'nothing';
  if (typeof value !== 'string') return String(value);
  if (/^[0-9a-f]{64}$/.test(value)) return whole ? value : `${value.slice(0, 12)}...`;
  const text = visibleLine(value);
  const short = whole || text.length <= valueLimit ? text : `${text.slice(0, valueLimit)}...`;
  return short === '' || /[\s,]/.test(short) ? `"${short}"` : short;
}

function diffLines(text: string | undefined, { palette, verbose }: TextOptions): string[] {
  if (text === undefined) return [];
  const lines = visible(text).replace(/\n$/, '').split('\n');
  const shown = verbose ? lines : lines.slice(0, diffLimit);
  const rest = lines.length - shown.length;
  return [
    ...shown.map((line) => paintDiff(line, palette)),
    ...(rest > 0 ? [palette.faint(`... ${rest} more lines; --verbose shows all`)] : []),
  ];
}

function paintDiff(line: string, palette: Palette): string {
  if (/^(---|\+\+\+) /.test(line) || line.startsWith('@@')) return palette.faint(line);
  if (line.startsWith('+')) return palette.create(line);
  return line.startsWith('-') ? palette.remove(line) : line;
}
