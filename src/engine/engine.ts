import type { Host } from '../model/host.ts';
import type { Session } from '../remote/session.ts';

/** What the engine needs from outside: clocks, randomness and the way to hosts enter here and nowhere else. */
export interface Engine {
  connect(host: Host): Promise<Session>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** 32 random hexadecimal characters. */
  nonce(): string;
  /** What a host is being asked to do now, for the progress display. */
  progress(host: string, doing: string): void;
  /** Hosts worked on at once. */
  readonly forks: number;
  /** `user@machine`, for "locked by". */
  readonly controller: string;
}

/** Seconds that one look at a host may take, besides what its questions may take by limits of their own. */
export const lookLimit = 60;

/** Seconds without a sign of life after which a running apply is no longer followed. */
export const applyLimit = 4 * 3600;
