import type { Cause } from '../model/plan.ts';
import { canonical, differences, type State } from '../model/state.ts';

/**
 * Who moved, from three states: what the host has, what the repository wants, what was last applied.
 * @param recorded undefined: this was never applied here.
 */
export function cause(have: State | null, want: State | null, recorded: State | null | undefined): Cause {
  if (recorded === undefined) return 'new';
  const hostMoved = differences(recorded, have).length > 0;
  const repositoryMoved = canonical(want) !== canonical(recorded);
  if (hostMoved && repositoryMoved) return 'conflict';
  if (repositoryMoved) return 'pending';
  return 'drift';
}
