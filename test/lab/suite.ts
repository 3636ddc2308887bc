import { describe } from 'vitest';
import { labAvailable } from './machine.ts';

/** `describe` for tests that need lab hosts: skipped where the lab cannot run (the reason is said once, by `prepare.ts`). */
export const describeLab: typeof describe.skip = labAvailable().ok ? describe : describe.skip;
