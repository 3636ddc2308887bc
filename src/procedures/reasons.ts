import type { Reason } from '../model/procedure.ts';

/** It does not hold yet, or must not be done. */
export function no(why: string, hint?: string): Reason {
  return { why, hint };
}

/** It could not be looked at. */
export function unknown(why: string, hint?: string): Reason {
  return { why, unknown: true, hint };
}

/** It does not hold, and waiting will not help. */
export function never(why: string, hint?: string): Reason {
  return { why, final: true, hint };
}

/** Seconds as a person says them: `40 s`, `12 min`, `3 h`, `2 days`. */
export function span(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
