import { causeOf, type LogCause } from './task-log-causes.ts';

/** One thing that a log tells of. */
export interface LogProblem {
  readonly code: string;
  readonly weight: LogCause['weight'];
  readonly of: LogCause['of'];
  readonly remedy: string;
  /** The line as it stands in the log, without its time. */
  readonly line: string;
}

/** What a log says of the backup of one guest. */
export interface LogVerdict {
  readonly ended: 'ok' | 'warnings' | 'failed' | 'unfinished';
  /** Each code once, with the first line that says it; notes are left out. */
  readonly problems: readonly LogProblem[];
  /** The storage that it names, where it names one. */
  readonly storage?: string;
}

/**
 * Reads lines of one guest's log, or of its part of a task log. An error that no pattern knows is a problem with the code `other`,
 * unless one that is known explains why it failed.
 *
 * @param tolerated codes that are known of and accepted
 */
export function judgeLog(raw: readonly string[], tolerated: readonly string[] = []): LogVerdict {
  const lines = raw.map(withoutTime);
  const found = lines.flatMap((line) => {
    const cause = causeOf(line);
    if (cause !== undefined) return cause.weight === 'note' ? [] : [{ ...told(cause), line }];
    return /^(WARN|TASK WARNINGS)\b/.test(line) ? [{ ...unknownWarning, line }] : [];
  });
  const failed = lines.filter(isFailure);
  const explained = found.some(({ weight }) => weight === 'failure');
  const rest = failed.filter((line) => causeOf(line)?.weight !== 'failure');
  const problems = [...found, ...(explained ? [] : rest.map((line) => ({ ...unknownError, line })))].filter(
    ({ code, weight }) => weight === 'failure' || !tolerated.includes(code),
  );
  const ended = outcome(lines, failed, problems);
  const storage = lines.map(storageIn).find((name) => name !== undefined);
  // What looked bad on the way and did not keep the backup from being whole is worth knowing, no more.
  const weighed = problems.map((one) =>
    ended === 'warnings' && one.weight === 'failure' ? { ...one, weight: 'warning' as const } : one,
  );
  // What made it fail comes first.
  const sorted = once(weighed).sort(
    (a, b) => Number(b.weight === 'failure') - Number(a.weight === 'failure'),
  );
  return { ended, problems: sorted, ...(storage === undefined ? {} : { storage }) };
}

const unknownWarning = { code: 'warning', weight: 'warning', of: 'guest', remedy: '' } as const;
const unknownError = { code: 'other', weight: 'failure', of: 'guest', remedy: '' } as const;

function told({ code, weight, of, cause, remedy }: LogCause) {
  return { code, weight, of, remedy: `${cause}; ${remedy}` };
}

function outcome(
  lines: readonly string[],
  failed: readonly string[],
  problems: readonly LogProblem[],
): LogVerdict['ended'] {
  if (failed.length > 0) return 'failed';
  if (!lines.some((line) => /^INFO: Finished Backup of (VM|CT) |^TASK (OK|WARNINGS)/.test(line)))
    return 'unfinished';
  return problems.length > 0 ? 'warnings' : 'ok';
}

/** `TASK ERROR: job errors` says that another line tells why, perhaps one of another guest. */
function isFailure(line: string): boolean {
  return /^ERROR: /.test(line) || (/^TASK ERROR: /.test(line) && line !== 'TASK ERROR: job errors');
}

/** Logs of a guest begin each line with a time, task logs do not. */
function withoutTime(line: string): string {
  return line.replace(/^(\d{4}-\d\d-\d\d|[A-Z][a-z]{2} {1,2}\d{1,2}) \d\d:\d\d:\d\d /, '');
}

function storageIn(line: string): string | undefined {
  const found =
    /^INFO: starting new backup job: .* --storage ([A-Za-z][\w.-]*)/.exec(line) ??
    /creating (?:vzdump )?archive '\/mnt\/pve\/([^/']+)\//.exec(line) ??
    /\bstorage '([^']+)'/.exec(line);
  return found?.[1];
}

function once(problems: readonly LogProblem[]): LogProblem[] {
  return problems.filter(
    (one, index) =>
      problems.findIndex(({ code, line }) => code === one.code && (code !== 'other' || line === one.line)) ===
      index,
  );
}
