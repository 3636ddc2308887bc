import { describe } from 'vitest';
import { vmAvailable } from './vm.ts';

const available = vmAvailable();
if (!available.ok) {
  if (process.env.LAB === 'required')
    throw new Error(`LAB=required, and there is no virtual machine: ${available.reason}`);
  console.warn(`tests on virtual machines are skipped: ${available.reason}`);
}

/** `describe` for tests that need a kernel of their own: NFS, ZFS, LVM. */
export const describeVm: typeof describe.skip = available.ok ? describe : describe.skip;
