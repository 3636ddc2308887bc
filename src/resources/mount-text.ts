import { escapePath } from './systemd-names.ts';

export interface MountSpec {
  readonly mount: string;
  readonly what?: string;
  readonly type?: string;
  readonly options?: readonly string[];
  readonly active?: boolean;
  readonly enabled?: boolean;
  readonly allow_soft?: string;
  readonly state?: 'present' | 'absent';
}

const networkTypes =
  /^(nfs4?|cifs|smb3|ceph|glusterfs|9p|afs|ncpfs|fuse\.(sshfs|ceph|glusterfs|s3fs|rclone))$/;

export function isNfs(spec: MountSpec): boolean {
  return spec.type === 'nfs' || spec.type === 'nfs4';
}

export function isBind(spec: MountSpec): boolean {
  return (spec.options ?? []).some((option) => option === 'bind' || option === 'rbind');
}

export function mountUnit(spec: MountSpec): string {
  return `${escapePath(spec.mount)}.mount`;
}

/** `UUID=x` is a word of fstab; a unit names the device file, so that it waits for the device. */
export function device(spec: MountSpec): string | undefined {
  const [, key = '', value = ''] =
    /^(UUID|LABEL|PARTUUID|PARTLABEL)=(?:"(.*)"|(.*))$/
      .exec(spec.what ?? '')
      ?.filter((part) => part !== undefined) ?? [];
  if (key !== '') return `/dev/disk/by-${key.toLowerCase()}/${value}`;
  return spec.what?.startsWith('/dev/') ? spec.what : undefined;
}

/**
 * The unit. systemd itself orders network mounts after the network when it knows the type; it is written out for those it does
 * not know. `WantedBy` is the weak form: a server that is away does not keep the host from booting.
 */
export function mountText(spec: MountSpec): string {
  const network = networkTypes.test(spec.type ?? '') || (spec.options ?? []).includes('_netdev');
  const what = device(spec) ?? spec.what ?? '';
  const plain = (value: string): string => value.replaceAll('%', '%%');
  // _netdev and nofail are words of fstab: mount(8) would pass them on.
  const options = (spec.options ?? []).filter(
    (option) => !['_netdev', 'nofail', 'auto', 'noauto'].includes(option),
  );
  return [
    '# Kept by provision: changes made here are undone.',
    '[Unit]',
    `Description=${plain(what)} on ${plain(spec.mount)}`,
    ...(network ? ['After=network-online.target', 'Wants=network-online.target'] : []),
    '',
    '[Mount]',
    `What=${plain(what)}`,
    `Where=${plain(spec.mount)}`,
    ...(spec.type === undefined || spec.type === 'auto' ? [] : [`Type=${spec.type}`]),
    ...(options.length > 0 ? [`Options=${plain(options.join(','))}`] : []),
    'TimeoutSec=30',
    '',
    '[Install]',
    `WantedBy=${network ? 'remote-fs.target' : 'local-fs.target'}`,
    '',
  ].join('\n');
}
