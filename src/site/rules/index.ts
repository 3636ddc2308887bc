import type { Rule } from '../rule.ts';
import { backupIdCollision } from './backup-id-collision.ts';
import { bindMountCopies } from './bind-mount-copies.ts';
import { busyMediaMode } from './busy-media-mode.ts';
import { copiesApart } from './copies-apart.ts';
import { databaseWhole } from './database-whole.ts';
import { datastoreMountAgrees } from './datastore-mount-agrees.ts';
import { dirStorageOnMount } from './dir-storage-on-mount.ts';
import { exportAclMode } from './export-acl-mode.ts';
import { exportAdmitsClient } from './export-admits-client.ts';
import { exportKeepsOwners } from './export-keeps-owners.ts';
import { exportLetsRootWrite } from './export-lets-root-write.ts';
import { exportsDeclared } from './exports-declared.ts';
import { fingerprintAgrees } from './fingerprint-agrees.ts';
import { guestInJob } from './guest-in-job.ts';
import { hookNeedsAgent } from './hook-needs-agent.ts';
import { jobStorage } from './job-storage.ts';
import { mirrorDisksMatch } from './mirror-disks-match.ts';
import { namesKnown } from './names-known.ts';
import { noPlainSecret } from './no-plain-secret.ts';
import { pbsOwnCopy } from './pbs-own-copy.ts';
import { pruneRights } from './prune-rights.ts';
import { storageDatastoreExists } from './storage-datastore-exists.ts';
import { storageMountedOnce } from './storage-mounted-once.ts';
import { storageSourceAgrees } from './storage-source-agrees.ts';
import { threeTwoOne } from './three-two-one.ts';
import { tmpdirLocal } from './tmpdir-local.ts';
import { tmpdirRoom } from './tmpdir-room.ts';

/** All rules of the site, in the order they are listed: from the mount to the backup that lies on it. */
export const rules: readonly Rule[] = [
  exportAdmitsClient,
  exportsDeclared,
  exportLetsRootWrite,
  exportKeepsOwners,
  exportAclMode,
  storageMountedOnce,
  storageSourceAgrees,
  dirStorageOnMount,
  datastoreMountAgrees,
  storageDatastoreExists,
  fingerprintAgrees,
  pruneRights,
  jobStorage,
  guestInJob,
  busyMediaMode,
  tmpdirLocal,
  tmpdirRoom,
  databaseWhole,
  hookNeedsAgent,
  backupIdCollision,
  pbsOwnCopy,
  mirrorDisksMatch,
  threeTwoOne,
  bindMountCopies,
  copiesApart,
  namesKnown,
  noPlainSecret,
];
