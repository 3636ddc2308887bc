import type { Context } from '../model/host.ts';
import type { Plan, PlannedChange } from '../model/plan.ts';
import type { ShownChange } from '../model/run.ts';
import type { Session } from '../remote/session.ts';
import { type Detail, detailScript, textLimit, validatorLimit } from '../shell/details.ts';
import { frame, parseFrames } from '../shell/frames.ts';
import { blob } from '../shell/sh.ts';
import { type Engine, lookLimit } from './engine.ts';
import { showChange } from './show.ts';

/** A plan after its new contents were tried: what a validator rejects is refused before anything is touched. */
export interface DetailedPlan {
  readonly plan: Plan;
  readonly shown: readonly ShownChange[];
}

/** Reads old contents for text diffs (if `texts`) and runs validators: a round trip only when a change calls for it. */
export async function detail(
  session: Session,
  plan: Plan,
  context: Context,
  engine: Engine,
  texts: boolean,
): Promise<DetailedPlan> {
  const wanted = plan.changes.map((change) => detailOf(change, texts));
  if (wanted.every((one) => one.path === null && one.validator === null))
    return show(
      plan,
      plan.changes.map(() => null),
      context,
      texts,
    );
  const tried = wanted.filter(({ validator }) => validator !== null).length;
  const nonce = engine.nonce();
  const result = await session.run(detailScript(wanted, { nonce, root: session.root }), {
    limit: (lookLimit + tried * validatorLimit) * 1000,
  });
  const frames = parseFrames(result.stdout, nonce);
  const old = plan.changes.map((_, index) => {
    const encoded = frame(frames, `text ${index}`);
    return encoded === undefined ? null : Buffer.from(encoded.toString('ascii'), 'base64');
  });
  const changes = plan.changes.map((change, index): PlannedChange => {
    if (wanted[index]?.validator == null || change.refused !== null) return change;
    const verdict = frames.find(({ name }) => name.startsWith(`valid ${index} `));
    if (verdict?.name === `valid ${index} 0`) return change;
    return {
      ...change,
      refused: rejected(change, verdict?.name.split(' ')[2], verdict?.bytes.toString('utf8').trim()),
    };
  });
  return show({ ...plan, changes }, old, context, texts);
}

function detailOf(change: PlannedChange, texts: boolean): Detail {
  const { resource } = change;
  const text =
    texts && change.refused === null && !resource.secret ? resource.type.text?.(resource.spec) : null;
  const valid =
    change.refused === null && change.want !== null ? resource.type.validator?.(resource.spec) : null;
  return {
    path: text && forAll(change.observed) ? text.path : null,
    validator: valid && dependable(change) ? { argv: valid.argv, blob: blob(valid.content) } : null,
  };
}

/** Everybody on the host may read it. What only root reads there (a secret that left the inventory) does not go into a report. */
function forAll(observed: PlannedChange['observed']): boolean {
  if (observed === null) return false;
  return typeof observed.mode !== 'string' || (Number(observed.mode.at(-1)) & 4) !== 0;
}

/** A validator that a change of this plan may first have to install can only run during apply. */
function dependable(change: PlannedChange): boolean {
  return !change.dependsOn.some((id) => id.startsWith('package:'));
}

function rejected(change: PlannedChange, code: string | undefined, said: string | undefined): string {
  const words = change.resource.type.validator?.(change.resource.spec)?.argv ?? [];
  // A whole script in front of the reason would hide it.
  const argv = words.map((word) => (word.includes('\n') ? '...' : word)).join(' ');
  if (code === undefined) return `its validator (${argv}) gave no answer`;
  // A validator likes to quote the line it dislikes.
  if (change.resource.secret)
    return `its validator (${argv}) rejects the new content (exit ${code}); what it said may quote the secret and is not shown`;
  return `its validator (${argv}) rejects the new content (exit ${code})${said ? `: ${said}` : ''}`;
}

async function show(
  plan: Plan,
  old: readonly (Buffer | null)[],
  context: Context,
  texts: boolean,
): Promise<DetailedPlan> {
  const shown = await Promise.all(
    plan.changes.map(async (change, index) =>
      showChange(change, context, { text: texts ? await textDiff(change, old[index] ?? null) : undefined }),
    ),
  );
  return { plan, shown };
}

/** Unified diff, or undefined where there is no text to show: secret, binary, too large, or nothing to compare. */
async function textDiff(change: PlannedChange, old: Buffer | null): Promise<string | undefined> {
  const { resource, want } = change;
  const text = resource.secret || change.refused !== null ? null : resource.type.text?.(resource.spec);
  if (!text || want === null || (change.observed !== null && old === null)) return undefined;
  const before = readable(old ?? Buffer.alloc(0));
  const after = readable(Buffer.from(text.content));
  if (before === null || after === null || before === after) return undefined;
  const { structuredPatch } = await import('diff');
  const patch = structuredPatch('have', 'want', before, after, '', '', { context: 3 });
  return patch.hunks
    .flatMap((hunk) => [
      `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
      ...hunk.lines,
    ])
    .map(visible)
    .join('\n');
}

/** Text, or null for what a terminal should not get: not UTF-8, NUL bytes, too large. */
function readable(bytes: Buffer): string | null {
  if (bytes.length > textLimit || bytes.includes(0)) return null;
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}

/** Control characters made visible: contents of a host must not drive the terminal, and CRLF must be seen. */
function visible(line: string): string {
  return line.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (character) =>
    character === '\r' ? '\\r' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
