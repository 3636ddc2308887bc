import type { ComputedProcedure } from '../model/procedure.ts';
import { repairPermissions } from './nfs-repair-permissions.ts';
import { acceptFingerprint } from './pbs-accept-fingerprint.ts';
import { remount } from './pbs-remount.ts';
import { restartStale } from './pbs-restart-stale.ts';
import { retireGroups } from './pbs-retire-groups.ts';
import type { ProcedureSite } from './site.ts';
import { backupNow } from './vzdump-backup.ts';
import { unstick } from './vzdump-unstick.ts';

/** All procedures that compute, by name. */
export const computedProcedures: readonly ComputedProcedure<ProcedureSite>[] = [
  unstick,
  backupNow,
  restartStale,
  remount,
  acceptFingerprint,
  retireGroups,
  repairPermissions,
];
