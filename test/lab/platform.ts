import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What a lab host can pass for. `linux` is Debian with nothing added. */
export type LabPlatform = 'pve' | 'pbs' | 'truenas' | 'synology' | 'linux';

export interface Copied {
  readonly target: string;
  readonly mode: number;
  readonly source?: string;
  readonly content?: string;
}

const standIns = new URL('stand-ins/', import.meta.url).pathname;

/** The others are in /usr/bin; where each lies matters to what names it by its whole path. */
const sbin = new Set(['qm', 'pct', 'pvesm']);

/** Programs by which a platform is known, and which do nothing else. */
const marks: Readonly<Record<LabPlatform, readonly Copied[]>> = {
  pve: [
    program('/usr/bin/pveversion', "echo 'pve-manager/8.2.4/faa83925c9641325 (running kernel: 6.8.8-2-pve)'"),
  ],
  // Its programs are stand-ins, see `backupServer`.
  pbs: [],
  // Its programs are stand-ins, see `appliance`.
  truenas: [],
  // The image has /etc.defaults/VERSION.
  synology: [
    ['/usr/syno/bin', 'synowebapi'],
    ['/usr/syno/bin', 'synoacltool'],
    ['/usr/syno/sbin', 'synoshare'],
    ['/usr/sbin', 'btrfs'],
  ].map(([folder, name]) => ({
    source: join(standIns, `synology/${name}`),
    target: `${folder}/${name}`,
    mode: 0o755,
  })),
  linux: [],
};

const daemons = '/usr/lib/x86_64-linux-gnu/proxmox-backup';

/** Programs of a backup server. It has units, files and a certificate only with `pbs-host.ts`. */
const backupServer: readonly Copied[] = [
  {
    source: join(standIns, 'pbs/proxmox-backup-manager'),
    target: '/usr/sbin/proxmox-backup-manager',
    mode: 0o755,
  },
  {
    source: join(standIns, 'pbs/proxmox-backup-debug'),
    target: '/usr/bin/proxmox-backup-debug',
    mode: 0o755,
  },
  ...['api', 'proxy'].map((name) => ({
    source: join(standIns, 'pbs/proxmox-backup-daemon'),
    target: `${daemons}/proxmox-backup-${name}`,
    mode: 0o755,
  })),
  ...['PbsWorld.pm', 'PbsApi.pm'].map((name) => ({
    source: join(standIns, 'pbs', name),
    target: `/usr/share/proxmox-backup-stand-in/${name}`,
    mode: 0o644,
  })),
];

/** Where ZFS has its programs: a pool is a file below /var/lib/zfs-stand-ins. */
const zfs: readonly Copied[] = ['zpool', 'zfs'].map((name) => ({
  source: join(standIns, 'zfs', name),
  target: `/usr/sbin/${name}`,
  mode: 0o755,
}));

const appliance: readonly Copied[] = [
  { source: join(standIns, 'truenas/midclt'), target: '/usr/bin/midclt', mode: 0o755 },
  ...zfs,
];

/** Files to put into a host before it starts: the stand-ins of its platform's commands, and the marks of the platform. */
export function platformFiles(platform: LabPlatform): readonly Copied[] {
  if (platform === 'pbs') return backupServer;
  if (platform === 'truenas') return appliance;
  if (platform !== 'pve') return marks[platform];
  const names = readdirSync(standIns);
  // Where Perl looks by itself.
  const modules = names
    .filter((name) => name.endsWith('.pm'))
    .map((name) => ({ source: join(standIns, name), target: `/usr/share/perl5/${name}`, mode: 0o644 }));
  const programs = names.filter((name) => {
    const stat = statSync(join(standIns, name));
    return stat.isFile() && (stat.mode & 0o100) !== 0;
  });
  const copies = programs.map((name) => ({
    source: join(standIns, name),
    target: `/usr/${sbin.has(name) ? 'sbin' : 'bin'}/${name}`,
    mode: 0o755,
  }));
  // A stand-in of the same name knows more than a mark.
  return [
    ...marks.pve.filter(({ target }) => !copies.some((copy) => copy.target === target)),
    ...copies,
    ...modules,
    ...zfs,
  ];
}

function program(target: string, script: string): Copied {
  return { target, mode: 0o755, content: `#!/bin/sh\n${script}\n` };
}
