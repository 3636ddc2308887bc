import type { ErrorCode } from '../model/errors.ts';
import type { Command, HostRun } from '../model/run.ts';
import type { Palette } from './palette.ts';
import { differing, type Tally, tally } from './tally.ts';
import { visibleLine } from './visible.ts';

/** How a host that ended in an error is called in a summary. */
const errorWords: Readonly<Record<ErrorCode, string>> = {
  input: 'bad input',
  unreachable: 'unreachable',
  failed: 'failed',
  refused: 'refused',
  changed: 'changed since plan',
  locked: 'locked',
  unknown: 'could not look',
};

/** One line per host, and one for all of them when there are several. */
export function summaryLines(command: Command, runs: readonly HostRun[], palette: Palette): string[] {
  const names = runs.map((run) => visibleLine(run.host));
  const several = runs.length > 1;
  const width = Math.max(...[...names, several ? 'total' : ''].map((name) => name.length));
  const lines = runs.map((run, index) => {
    const counts = tally([run]);
    const text = summary(command, counts, palette);
    return `${palette.strong((names[index] ?? '').padEnd(width))}  ${text}${palette.faint(`  ${seconds(run.seconds)}`)}`;
  });
  if (!several) return lines;
  const total = `${runs.length} hosts; ${summary(command, tally(runs), palette)}`;
  return [...lines, `${palette.strong('total'.padEnd(width))}  ${total}`];
}

/** The counts as a sentence: "3 of 42 differ (2 drift, 1 new), 1 unknown; 12 checks passed". */
export function summary(command: Command, counts: Tally, palette: Palette): string {
  const parts = [
    errorPart(counts, palette),
    resourcePart(command, counts, palette),
    stepPart(counts, palette),
    checkPart(command, counts, palette),
  ].filter((part) => part !== '');
  return parts.join('; ') || (command === 'run' ? 'nothing to do' : 'nothing to look at');
}

function errorPart(counts: Tally, palette: Palette): string {
  const codes = Object.entries(counts.errors) as [ErrorCode, number][];
  const several = counts.hosts > 1;
  return codes
    .map(([code, count]) => palette.bad(several ? `${count} ${errorWords[code]}` : errorWords[code]))
    .join(', ');
}

function resourcePart(command: Command, counts: Tally, palette: Palette): string {
  if (command === 'check' || command === 'run') return '';
  const { changes, causes } = counts;
  const differ = differing(counts);
  const parts: string[] = [];
  if (changes.failed) parts.push(palette.bad(`${changes.failed} failed`));
  if (changes.refused) parts.push(palette.bad(`${changes.refused} refused`));
  if (changes['changed-since-plan'])
    parts.push(palette.bad(`${changes['changed-since-plan']} changed since plan`));
  if (counts.unknown) parts.push(palette.unsure(`${counts.unknown} unknown`));
  if (changes.skipped) parts.push(palette.unsure(`${changes.skipped} skipped`));
  if (command === 'apply' && changes.planned) parts.push(palette.unsure(`${changes.planned} not done`));
  if (command === 'apply') {
    if (changes.done) parts.push(`${changes.done} of ${counts.resources} changed`);
    else if (differ > 0) parts.push('nothing changed');
  } else if (differ > 0) {
    const why = Object.entries(causes).filter(([, count]) => count > 0);
    parts.push(
      `${differ} of ${counts.resources} differ (${why.map(([cause, count]) => `${count} ${cause}`).join(', ')})`,
    );
  }
  if (parts.length > 0) return parts.join(', ');
  // A host that ended in an error was not compared to its end: it is never called as wanted.
  if (Object.keys(counts.errors).length > 0) return '';
  return counts.resources > 0 ? palette.good(`${plural(counts.resources, 'resource')} as wanted`) : '';
}

function stepPart({ steps }: Tally, palette: Palette): string {
  const parts = [
    steps.failed && palette.bad(`${steps.failed} failed`),
    steps.unknown && palette.unsure(`${steps.unknown} unknown`),
    steps.skipped && palette.unsure(`${steps.skipped} skipped`),
    steps.done && palette.good(`${steps.done} done`),
    steps.already && `${steps.already} already so`,
    steps.planned && `${steps.planned} planned`,
  ].filter((part) => part);
  return parts.length > 0 ? `steps: ${parts.join(', ')}` : '';
}

function checkPart(command: Command, { checks, errors }: Tally, palette: Palette): string {
  const parts = [
    checks.fail && palette.bad(`${checks.fail} failed`),
    checks.unknown && palette.unsure(`${checks.unknown} unknown`),
    checks.pass && palette.good(`${checks.pass} passed`),
  ].filter((part) => part);
  if (parts.length > 0) return `checks: ${parts.join(', ')}`;
  return command === 'check' && Object.keys(errors).length === 0 ? 'no checks' : '';
}

/** "1 resource", "2 resources". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} s`;
}
