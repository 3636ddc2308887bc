import type { ErrorCode } from '../model/errors.ts';
import { showWhere } from '../model/errors.ts';
import type { Command, HostRun, ShownError } from '../model/run.ts';
import type { TextOptions } from './paragraphs.ts';
import { plural } from './summary.ts';
import { tally } from './tally.ts';
import { visible, visibleLine } from './visible.ts';

/** What to do next when the error itself does not know better. */
const nextSteps: Readonly<Record<ErrorCode, (host: string) => string>> = {
  input: () => 'Correct the place named above and run the command again.',
  unreachable: (host) => `Try \`ssh ${host}\` from here; when it answers, run the command again.`,
  failed: (host) => `Look at the message above; \`provision diff --host ${host}\` shows what is left to do.`,
  refused: () => 'Nothing is forced: change the host by hand or the repository, then run the command again.',
  changed: (host) => `Make a new plan: \`provision diff --host ${host}\`.`,
  locked: () => 'Wait for the other run to end, or let this one wait with `--wait SECONDS`.',
  unknown: (host) => `Find out why it could not be read, then run \`provision diff --host ${host}\`.`,
};

/** A host that ended in an error: what happened, what is untouched, what to do next. */
export function hostErrorText(
  command: Command,
  run: HostRun,
  error: ShownError,
  { palette }: TextOptions,
): string[] {
  const where = error.where ? `${visibleLine(showWhere(error.where))}: ` : '';
  const happened = visible(`${where}${error.message}`).trimEnd().split('\n');
  const host = visibleLine(run.host);
  return [
    ...happened.map((line, index) => palette.bad(index === 0 ? `error: ${line}` : `       ${line}`)),
    // Some errors know themselves what is untouched.
    ...(/nothing was changed/i.test(`${error.message} ${error.hint}`)
      ? []
      : [untouched(command, run, error)]),
    ...visible(sentence(error.hint ?? nextSteps[error.code](host))).split('\n'),
  ];
}

/** "set it; try again" -> "Set it; try again." */
function sentence(text: string): string {
  const whole = text.trim();
  return `${whole.charAt(0).toUpperCase()}${whole.slice(1)}${/[.?!`]$/.test(whole) ? '' : '.'}`;
}

/** What the reader most wants to know: is the host still as it was? Says "not known" when it is not known. */
function untouched(command: Command, run: HostRun, error: ShownError): string {
  if (command === 'diff' || command === 'check') return `Nothing was changed: ${command} only looks.`;
  const { changes, steps } = tally([run]);
  const done = changes.done + steps.done;
  const tried = done + changes.failed + steps.failed + steps.unknown;
  const noun = command === 'apply' ? 'change' : 'step';
  if (tried > 0) {
    const rest =
      changes.planned + changes.skipped + changes['changed-since-plan'] + changes.refused + steps.planned;
    return `${plural(done, noun)} done before that, ${rest + steps.skipped} not started.`;
  }
  // These are found out before the first change, or stop it; the others can end a run that had begun.
  const before: readonly ErrorCode[] = ['input', 'unreachable', 'refused', 'changed', 'locked'];
  return before.includes(error.code) && !error.begun
    ? 'Nothing on this host was changed.'
    : 'How far it came is not known; what was done is on the host and a diff shows it.';
}
