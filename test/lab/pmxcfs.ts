import { setTimeout as sleep } from 'node:timers/promises';
import type { LabHost } from './lab.ts';
import { mustRun } from './machine.ts';

/** The cluster file system of a lab host: `/etc/pve` as Proxmox VE has it. Hosts have none until a test starts it. */
export interface Pmxcfs {
  /** Makes the node one of a cluster, and gives or takes the quorum. A node that was never in one is alone and always quorate. */
  quorum(has: boolean): Promise<void>;
  /** As `systemctl stop pve-cluster`: /etc/pve is an ordinary directory until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** It takes requests and answers none, as with a dead corosync. `thaw` lets it go on. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/**
 * Mounts the stand-in `pmxcfs` at /etc/pve of a host of the image `debian` with the platform `pve`. What it holds lies below
 * /var/lib/pve-cluster/db. Docker keeps containers from opening /dev/fuse, so the process is started from outside, within the host's
 * namespaces: it goes with the container, and after `crash` it has to be started again.
 */
export async function startPmxcfs(host: LabHost): Promise<Pmxcfs> {
  const within = async (...argv: string[]): Promise<string> => {
    const format = ['docker', 'inspect', '--format', '{{.State.Pid}}', host.container];
    const pid = (await mustRun(format)).trim();
    return mustRun([
      'nsenter',
      '--target',
      pid,
      '--mount',
      '--uts',
      '--ipc',
      '--net',
      '--pid',
      '--',
      ...argv,
    ]);
  };
  const process = async () => (await host.readFile('/run/pmxcfs.pid')).trim();
  const started: Pmxcfs = {
    start: async () => {
      await host.sh('[ -e /dev/fuse ] || mknod -m 0666 /dev/fuse c 10 229; mkdir -p /etc/pve');
      await within('/usr/bin/pmxcfs');
    },
    stop: async () => {
      await host.sh('umount /etc/pve');
    },
    quorum: async (has) => {
      await host.sh(
        `cd /var/lib/proxmox-stand-ins; printf 'lab\\n' >cluster; printf '%s\\n' ${has ? 1 : 0} >quorate`,
      );
      // The kernel keeps the length of .members for a second, and cuts what is read at it.
      await sleep(1100);
    },
    freeze: async () => {
      await host.sh(`kill -STOP ${await process()}`);
    },
    thaw: async () => {
      await host.sh(`kill -CONT ${await process()}`);
    },
  };
  await started.start();
  return started;
}
