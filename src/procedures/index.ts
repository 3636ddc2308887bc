import type { ComputedProcedure } from '../model/procedure.ts';
import type { ProcedureSite } from './site.ts';
import { unstick } from './vzdump-unstick.ts';

/** All procedures that compute, by name. */
export const computedProcedures: readonly ComputedProcedure<ProcedureSite>[] = [unstick];
