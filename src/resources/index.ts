import type { ResourceType } from '../model/resource.ts';
import { command } from './command.ts';
import { directory } from './directory.ts';
import { nfsExport } from './export.ts';
import { file } from './file.ts';
import { line } from './line.ts';
import { link } from './link.ts';
import { mount } from './mount.ts';
import { mount_health } from './mount-health.ts';
import { debianPackage } from './package.ts';
import { path } from './path.ts';
import { port } from './port.ts';
import { sshKey } from './ssh-key.ts';
import { synologyNfsRule } from './synology-nfs-rule.ts';
import { synologyShare } from './synology-share.ts';
import { sysctl } from './sysctl.ts';
import { unit } from './unit.ts';
import { user } from './user.ts';
import { zfsDataset } from './zfs-dataset.ts';
import { zpoolHealth } from './zpool-health.ts';

/** All resource types, by name: one line for each. */
export const resourceTypes: readonly ResourceType[] = [
  command, //
  directory,
  nfsExport,
  file,
  line,
  link,
  mount,
  mount_health,
  debianPackage,
  path,
  port,
  sshKey,
  synologyNfsRule,
  synologyShare,
  sysctl,
  unit,
  user,
  zfsDataset,
  zpoolHealth,
];
