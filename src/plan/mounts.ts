/** One line of /proc/self/mountinfo: the only safe way to learn about mounts, as touching a dead one blocks for ever. */
export interface Mount {
  readonly point: string;
  readonly type: string;
  readonly source: string;
  readonly readOnly: boolean;
}

export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , , point, options = ''] = left.split(' ');
    const [type, source, superOptions = ''] = right.split(' ');
    if (point === undefined || type === undefined || source === undefined) return [];
    const readOnly = [...options.split(','), ...superOptions.split(',')].includes('ro');
    return [{ point: octal(point), type, source: octal(source), readOnly }];
  });
}

/** The mount that a path lies on. Later lines are mounted over earlier ones. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const below = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
    if (below && (best === undefined || mount.point.length >= best.point.length)) best = mount;
  }
  return best;
}

/** Whether what lies on this mount may take for ever to answer. The look at a host knows the same types. */
export function mayHang(mount: Mount | undefined): boolean {
  return mount !== undefined && /^(nfs|cifs|smb|fuse|ceph|9p|glusterfs|afs|autofs)/.test(mount.type);
}

/** mountinfo writes blank, tab, line break and backslash in octal. */
function octal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
