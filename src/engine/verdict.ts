import type { Context } from '../model/host.ts';
import type { PlannedChange } from '../model/plan.ts';
import type { ChangeOutcome, ShownChange, ShownUnknown } from '../model/run.ts';
import { differences, type Observed, type Value } from '../model/state.ts';
import { recordable } from '../plan/record.ts';
import { type Frame, frame } from '../shell/frames.ts';
import { howItEnded } from './detached.ts';
import type { Planned } from './diff.ts';

interface Verdict {
  readonly outcome: ChangeOutcome;
  readonly message?: string;
}

/**
 * What became of one change: the host's own word, and then what it has when read again. An exit code alone proves nothing.
 * `changes` are those that were sent, in their order; one that was not among them stays as it is shown.
 */
export function judged(
  shown: ShownChange,
  changes: readonly PlannedChange[],
  frames: readonly Frame[],
  again: ReadonlyMap<string, Observed>,
  context: Context,
): ShownChange {
  const index = changes.findIndex(({ resource }) => resource.id === shown.id);
  const change = changes[index];
  if (!change) return shown;
  const said = saidBySteps(frames, index, change.resource.secret);
  const [word, detail = '?'] = lastWord(frames, index);
  const verdict =
    word === 'done'
      ? readAgain(change, again.get(shown.id), said, context)
      : notDone(word, detail, changes, said);
  return { ...shown, outcome: verdict.outcome, message: verdict.message };
}

/** `done`, `failed CODE`, `moved` or `skipped OTHER`, as the program on the host says it. */
function lastWord(frames: readonly Frame[], index: number): string[] {
  const start = `change ${index} start`;
  const last = frames.findLast(({ name }) => name.startsWith(`change ${index} `) && name !== start);
  return last?.name.split(' ').slice(2) ?? [];
}

function saidBySteps(frames: readonly Frame[], index: number, secret: boolean): string {
  const output = frame(frames, `change ${index} start`)?.toString('utf8').trim().slice(-4000) ?? '';
  return output && secret
    ? "what its steps said may quote the secret and is only in the run's log on the host"
    : output;
}

function notDone(
  word: string | undefined,
  detail: string,
  changes: readonly PlannedChange[],
  said: string,
): Verdict {
  switch (word) {
    case 'moved': {
      const message = 'it changed on the host between looking and changing; it was left alone';
      return { outcome: 'changed-since-plan', message };
    }
    case 'skipped': {
      const other = changes[Number(detail)]?.resource.id ?? 'a change it depends on';
      return { outcome: 'skipped', message: `${other} did not succeed` };
    }
    case 'failed': {
      const how = howItEnded(detail);
      return { outcome: 'failed', message: said ? `${how}: ${said}` : how };
    }
    default:
      return { outcome: 'failed', message: 'the host did not say what became of it' };
  }
}

function readAgain(
  { resource }: PlannedChange,
  now: Observed = { unknown: 'the host said nothing about it' },
  said: string,
  context: Context,
): Verdict {
  if ('unknown' in now) {
    return { outcome: 'failed', message: `done, but it could not be read again: ${now.unknown}` };
  }
  const left = differences(resource.type.want(resource.spec, context), now.have);
  if (left.length === 0) return { outcome: 'done' };
  const have = recordable(now.have, resource.secret);
  const has =
    have === null
      ? 'it is not there'
      : left.map((name) => `${name} is ${show(have[name] ?? null)}`).join(', ');
  const message = `every step succeeded, but read again it is not as wanted: ${has}${said ? `\n${said}` : ''}`;
  return { outcome: 'failed', message };
}

function show(value: Value): string {
  return value === null ? 'nothing' : JSON.stringify(value);
}

/** What was as wanted and is no longer, or cannot be seen any more: a step had an effect that the plan did not know of. */
export function sideEffects(
  planned: Planned,
  again: ReadonlyMap<string, Observed>,
): { changes: ShownChange[]; unknown: ShownUnknown[] } {
  const known = new Set(
    [...planned.plan.changes, ...planned.plan.unknown].map(({ resource }) => resource.id),
  );
  const changes: ShownChange[] = [];
  const unknown: ShownUnknown[] = [];
  for (const { id, role, from, type, spec, secret } of planned.resources) {
    const now = again.get(id);
    if (known.has(id) || now === undefined) continue;
    if ('unknown' in now) {
      unknown.push({
        id,
        from,
        reason: `it was as wanted before this run, and cannot be seen now: ${now.unknown}`,
      });
      continue;
    }
    const want = type.want(spec, planned.context);
    const differs = differences(want, now.have);
    if (differs.length === 0) continue;
    const [shownHave, shownWant] = [recordable(now.have, secret), recordable(want, secret)];
    changes.push({
      id,
      role,
      from,
      cause: 'drift',
      action: 'change',
      properties: differs.map((name) => ({
        name,
        have: shownHave?.[name] ?? null,
        want: shownWant?.[name] ?? null,
      })),
      steps: [],
      outcome: 'failed',
      message: 'it was as wanted before this run and is not now: something in this run has changed it',
    });
  }
  return { changes, unknown };
}
