import type { ResourceType } from '../model/resource.ts';
import { backup_log } from './backup-log.ts';
import { command } from './command.ts';
import { directory } from './directory.ts';
import { dump_backups } from './dump-backups.ts';
import { nfsExport } from './export.ts';
import { file } from './file.ts';
import { line } from './line.ts';
import { link } from './link.ts';
import { mount } from './mount.ts';
import { mount_health } from './mount-health.ts';
import { debianPackage } from './package.ts';
import { path } from './path.ts';
import { pbs_backups } from './pbs-backups.ts';
import { pbs_certificate } from './pbs-certificate.ts';
import { pbsDatastore } from './pbs-datastore.ts';
import { pbs_handles } from './pbs-handles.ts';
import { pbsJob } from './pbs-job.ts';
import { pbsUser } from './pbs-user.ts';
import { port } from './port.ts';
import { pveBackupJob } from './pve-backup-job.ts';
import { pveFile } from './pve-file.ts';
import { pveGuestOption } from './pve-guest-option.ts';
import { pveGuests } from './pve-guests.ts';
import { pveStorage } from './pve-storage.ts';
import { quorum } from './quorum.ts';
import { sshKey } from './ssh-key.ts';
import { storage_active } from './storage-active.ts';
import { synologyNfsRule } from './synology-nfs-rule.ts';
import { synologyShare } from './synology-share.ts';
import { sysctl } from './sysctl.ts';
import { truenasAcl } from './truenas-acl.ts';
import { truenasDataset } from './truenas-dataset.ts';
import { truenasService } from './truenas-service.ts';
import { truenasShare } from './truenas-share.ts';
import { unit } from './unit.ts';
import { user } from './user.ts';
import { zfsDataset } from './zfs-dataset.ts';
import { zpoolHealth } from './zpool-health.ts';

/** All resource types, by name: one line for each. */
export const resourceTypes: readonly ResourceType[] = [
  backup_log,
  command,
  directory,
  dump_backups,
  nfsExport,
  file,
  line,
  link,
  mount,
  mount_health,
  debianPackage,
  path,
  pbs_backups,
  pbs_certificate,
  pbsDatastore,
  pbs_handles,
  pbsJob,
  pbsUser,
  port,
  pveBackupJob,
  pveFile,
  pveGuestOption,
  pveGuests,
  pveStorage,
  quorum,
  sshKey,
  storage_active,
  synologyNfsRule,
  synologyShare,
  sysctl,
  truenasAcl,
  truenasDataset,
  truenasService,
  truenasShare,
  unit,
  user,
  zfsDataset,
  zpoolHealth,
];
