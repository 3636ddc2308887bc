/** Epoch seconds from what a host printed; null for anything that is no such number. */
export function seconds(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,12}$/.test(text) ? Number(text) : null;
}

/** Whole hours between two times; a time in the future is no time ago. */
export function hoursSince(then: number, now: number): number {
  return Math.max(0, Math.floor((now - then) / 3600));
}

/** "2026-11-19 02:00" in UTC, for messages. */
export function instant(epoch: number): string {
  return `${new Date(epoch * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
