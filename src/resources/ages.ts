/** Epoch seconds from what a host printed; null for anything that is no such number. */
export function seconds(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,12}$/.test(text) ? Number(text) : null;
}

/** Whole hours between two times; a time in the future is no time ago. */
export function hoursSince(then: number, now: number): number {
  return Math.max(0, Math.floor((now - then) / 3600));
}

/**
 * Why the age of a backup says nothing: it is of a time to come, by more than clocks and time zones of two hosts may differ. It would
 * count as fresh for as long as that lasts. Null: it is not.
 */
export function stillToCome(then: number, now: number): string | null {
  if (then <= now + 86_400) return null;
  return `is dated ${instant(then)}, which is still to come: a clock was wrong, and how old it is is not known`;
}

/** "2026-11-19 02:00" in UTC, for messages. What a calendar does not hold is told as a number: a host may print anything. */
export function instant(epoch: number): string {
  if (Math.abs(epoch) > 8.64e12) return `second ${epoch}`;
  return `${new Date(epoch * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
