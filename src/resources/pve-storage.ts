import { defineType } from '../model/resource.ts';
import { lookStorages } from './pve-storage-look.ts';
import { storageMistakes } from './pve-storage-mistakes.ts';
import { storageSchema } from './pve-storage-schema.ts';
import type { StorageSpec } from './pve-storage-spec.ts';
import { readStorage, storageSymptoms, wantedStorage } from './pve-storage-state.ts';
import { changeStorage, refuseStorage } from './pve-storage-steps.ts';

/** A storage of Proxmox VE. */
export const pveStorage = defineType<StorageSpec>({
  name: 'pve_storage',
  about:
    'A storage of Proxmox VE. It is read from /etc/pve/storage.cfg, compared by meaning, and changed with `pvesm`, never by writing the file. Nothing is changed while the file holds lines that Proxmox would drop with the next change. Several nodes of a cluster have one storage.cfg: one of them keeps it.',
  example: `pve_storage: truenas-bu
type: nfs
server: 10.10.0.104
export: /mnt/main_pool/bu
content: [backup]
options: vers=4.2
prune_backups: {keep-last: 3, keep-weekly: 4}
`,
  schema: storageSchema,
  needsLive: true,
  tools: ['pvesm'],
  stepLimit: 180,
  // The first change of any storage makes the file.
  shared: ['file', 'read'],
  conceals: ['password'],
  mistakes: storageMistakes,
  identity: (spec) => spec.pve_storage,
  provides: (spec) => [
    `part:/etc/pve/storage.cfg#${spec.pve_storage}`,
    ...(spec.state === 'absent' ? [] : [`storage:${spec.pve_storage}`]),
  ],
  needs: (spec) =>
    spec.type === 'dir' && spec.path !== undefined && spec.state !== 'absent' ? [`path:${spec.path}`] : [],
  want: wantedStorage,
  observe: lookStorages,
  read: readStorage,
  refuse: refuseStorage,
  steps: changeStorage,
  symptoms: storageSymptoms,
});
