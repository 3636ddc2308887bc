import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type LabHost, startHost } from './lab.ts';
import { scratch } from './machine.ts';

/** Where the stand-ins of the backup server keep what steers them, see stand-ins/pbs/PbsWorld.pm. */
export const pbsWorld = '/var/lib/proxmox-stand-ins/pbs';
export const pbsUnits = ['proxmox-backup.service', 'proxmox-backup-proxy.service'] as const;
/** The mount point of the example site, and what should be mounted there: a file system in memory with the name of the export. */
export const storeMount = {
  path: '/mnt/pbs-datastore',
  source: '10.10.0.103:/mnt/Taupo/pbs',
  type: 'tmpfs',
} as const;

export interface PbsOptions {
  /** Host name. Default `pbs`. */
  readonly name?: string;
  /** What it says it is. Default 3.2.7; from 3.2.13 on it can attach a datastore that exists. */
  readonly version?: string;
  /** Whether `storeMount` is mounted. Default true. */
  readonly mounted?: boolean;
  /** Name of a datastore to make on it, as an administrator would have. */
  readonly datastore?: string;
}

/** What is done to it by this file: containers and virtual machines alike. */
export type PbsMachine = Pick<LabHost, 'name' | 'sh' | 'writeFile'>;

/** A Debian host that passes for a backup server: stand-ins, both units running, users, a certificate. */
export async function pbsHost(options: PbsOptions = {}): Promise<LabHost> {
  const host = await startHost({ image: 'debian', name: options.name ?? 'pbs', platform: 'pbs' });
  await preparePbs(host, options);
  return host;
}

/** The same out of a host of the platform `pbs` that runs already. */
export async function preparePbs(host: PbsMachine, options: PbsOptions = {}): Promise<void> {
  await host.sh(`mkdir -p ${pbsWorld} ${storeMount.path}
printf '%s\\n' ${options.version ?? '3.2.7'} >${pbsWorld}/version
chmod 0755 /var/lib/proxmox-stand-ins ${pbsWorld}
install -d -m 0700 -o backup -g backup /etc/proxmox-backup
install -d -m 0755 -o backup -g backup /var/log/proxmox-backup /var/log/proxmox-backup/tasks /var/lib/proxmox-backup
printf 'user: root@pam\\n\\tenable true\\n\\n' >/etc/proxmox-backup/user.cfg
chown root:backup /etc/proxmox-backup/user.cfg; chmod 0640 /etc/proxmox-backup/user.cfg`);
  for (const unit of pbsUnits) await host.writeFile(`/etc/systemd/system/${unit}`, unitText(unit));
  // The second one is what `cert update --force` brings.
  await giveCertificate(host, 'proxy.pem.next');
  await giveCertificate(host, 'proxy.pem');
  if (options.mounted ?? true) await mountStore(host);
  await host.sh(`systemctl daemon-reload; systemctl --quiet enable --now ${pbsUnits.join(' ')}`);
  if (options.datastore !== undefined)
    await host.sh(`proxmox-backup-manager datastore create ${options.datastore} ${storeMount.path}`);
}

/** As the package has them, as far as the order of starting and ending goes: neither waits for a mount. */
function unitText(unit: (typeof pbsUnits)[number]): string {
  const proxy = unit === 'proxmox-backup-proxy.service';
  const name = proxy ? 'proxy' : 'api';
  return `[Unit]
Description=Stand-in for the ${proxy ? 'proxy' : 'API server'} of the backup server
Wants=network-online.target${proxy ? ' proxmox-backup.service' : ''}
After=network.target${proxy ? ' proxmox-backup.service' : ''}

[Service]
Type=notify
ExecStart=/usr/lib/x86_64-linux-gnu/proxmox-backup/proxmox-backup-${name}
ExecReload=/bin/kill -HUP $MAINPID
PIDFile=/run/proxmox-backup/${name}.pid
Restart=on-failure
${proxy ? 'User=backup\nGroup=backup\n' : ''}
[Install]
WantedBy=multi-user.target
`;
}

/** Mounts an empty file system at the mount point: the export as it is before its first datastore. */
export async function mountStore(host: PbsMachine, source: string = storeMount.source): Promise<void> {
  await host.sh(`mount -t tmpfs -o size=64m,mode=0755 ${source} ${storeMount.path}`);
}

/** The mount goes away as in an emergency: who has it open keeps it open, the path is an empty directory of the root disk. */
export async function unmountStore(host: PbsMachine): Promise<void> {
  await host.sh(`umount -l ${storeMount.path}`);
}

/**
 * The export comes back as another one with the same content behind a running server: by hand all files are seen, and what the
 * proxy holds open lies on the old one. Every use of the store fails until the proxy is restarted.
 */
export async function replaceExport(host: PbsMachine): Promise<void> {
  const { path, source } = storeMount;
  await host.sh(`mkdir /root/export; cp -a ${path}/. /root/export; umount -l ${path}
mount -t tmpfs -o size=64m,mode=0755 ${source} ${path}; cp -a /root/export/. ${path}; rm -r /root/export`);
}

/** From now on tasks that are started do not end, until `releaseTasks`. */
export async function holdTasks(host: PbsMachine): Promise<void> {
  await host.sh(`: >${pbsWorld}/hold`);
}

export async function releaseTasks(host: PbsMachine): Promise<void> {
  await host.sh(`rm -f ${pbsWorld}/hold`);
}

/** Starts a garbage collection that runs until `releaseTasks`, and waits until it is listed. */
export async function runningTask(host: PbsMachine, datastore: string): Promise<void> {
  await holdTasks(host);
  await host.sh(`setsid proxmox-backup-manager garbage-collection start ${datastore} >/dev/null 2>&1 </dev/null &
until grep -q garbage_collection /var/log/proxmox-backup/tasks/active; do sleep 0.1; done`);
}

export interface LabSnapshot {
  /** `vm/109` */
  readonly group: string;
  /** Epoch seconds. */
  readonly time: number;
  readonly namespace?: string;
  readonly owner?: string;
  /** Last verification; none when left out. */
  readonly verified?: 'ok' | 'failed';
  /** The upload never came to its end: there is no manifest. */
  readonly broken?: boolean;
}

/** Puts backups into a datastore as they lie on its disk. */
export async function addSnapshots(
  host: PbsMachine,
  snapshots: readonly LabSnapshot[],
  path: string = storeMount.path,
): Promise<void> {
  for (const one of snapshots) {
    const above = (one.namespace ?? '').split('/').filter((part) => part !== '');
    const group = [path, ...above.map((part) => `ns/${part}`), one.group].join('/');
    const dir = `${group}/${new Date(one.time * 1000).toISOString().slice(0, 19)}Z`;
    await host.sh(`mkdir -p ${dir}; echo '${one.owner ?? 'root@pam'}' >${group}/owner`);
    if (!one.broken) await host.writeFile(`${dir}/index.json.blob`, manifest(one));
  }
  await host.sh(`chown -R backup:backup ${path}/.`);
}

/** An uncompressed blob: magic number, checksum of what follows, JSON. */
function manifest({ group, time, verified }: LabSnapshot): Buffer {
  const [type, id] = group.split('/');
  const upid = `UPID:pbs:00000100:00000100:00000000:${time.toString(16).toUpperCase()}:verificationjob:store:root@pam:`;
  const body = Buffer.from(
    JSON.stringify({
      'backup-type': type,
      'backup-id': id,
      'backup-time': time,
      files: [
        { filename: 'drive-scsi0.img.fidx', size: 1073741824, 'crypt-mode': 'none', csum: '0'.repeat(64) },
      ],
      signature: null,
      unprotected: verified === undefined ? {} : { verify_state: { state: verified, upid } },
    }),
  );
  const head = Buffer.from([66, 171, 56, 7, 190, 131, 112, 161, 0, 0, 0, 0]);
  head.writeUInt32LE(crc32(body), 8);
  return Buffer.concat([head, body]);
}

/** The server gets another certificate, as after an installation; answers with its fingerprint as PVE writes it. */
export async function newCertificate(host: PbsMachine): Promise<string> {
  await giveCertificate(host, 'proxy.pem');
  return fingerprint(host);
}

/** sha256 of the certificate, lower-case hex pairs with colons. */
export async function fingerprint(host: PbsMachine): Promise<string> {
  const said = await host.sh('proxmox-backup-manager cert info');
  return /^Fingerprint \(sha256\): (\S+)$/m.exec(said)?.[1] ?? '';
}

async function giveCertificate(host: PbsMachine, name: string): Promise<void> {
  const dir = scratch('certificate');
  const [key, certificate] = [join(dir, 'key'), join(dir, 'pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650'];
  const subject = ['-subj', `/O=Proxmox Backup Server/CN=${host.name}.lan`];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  await host.writeFile('/etc/proxmox-backup/proxy.key', readFileSync(key), '0640', 'root:backup');
  await host.writeFile(`/etc/proxmox-backup/${name}`, readFileSync(certificate), '0640', 'root:backup');
}
