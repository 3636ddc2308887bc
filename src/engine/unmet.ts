import { differences, type State } from '../model/state.ts';
import { recordable } from '../plan/record.ts';

/** Characters of one value that are shown: enough for a reason, not a whole listing. */
const shownLength = 1500;

/**
 * Why an expectation does not hold, a line or more for each reason; empty when it holds. What a command printed when it ended
 * otherwise than it should is told too, and what would mend it: an exit code alone helps nobody. Nothing of a secret is shown.
 */
export function unmet(name: string, want: State | null, have: State | null, secret: boolean): string[] {
  const [wanted, had] = [recordable(want, secret), recordable(have, secret)];
  const differs = differences(wanted, had);
  if (differs.length === 0) return [];
  if (had === null) return [`${name} is not there`];
  // What was not seen because something else is wrong is no reason of its own.
  const seen = differs.filter((key) => (had[key] ?? null) !== null);
  const reasons = (seen.length > 0 ? seen : differs).map(
    (key) => `${key}: want ${say(wanted?.[key])}, have ${say(had[key])}`,
  );
  return secret ? reasons : [...reasons, ...printed(wanted, had)];
}

/** Names of properties that are told and not compared, with what stands before them. */
const remarks = { stderr: 'it said: ', stdout: 'it said: ', says: 'it says: ', mend: 'to mend it: ' };

function printed(want: State | null, have: State): string[] {
  return Object.entries(remarks).flatMap(([key, head]) => {
    const text = want?.[key] === undefined ? have[key] : undefined;
    return typeof text === 'string' && text !== '' ? [`${head}${cut(text)}`] : [];
  });
}

function say(value: unknown): string {
  return value === undefined || value === null ? 'nothing' : cut(JSON.stringify(value));
}

function cut(text: string): string {
  const more = text.length - shownLength;
  return more > 0 ? `${text.slice(0, shownLength)}... (${more} more characters)` : text;
}
