import type { Context } from '../model/host.ts';
import type { Sh } from '../model/sh.ts';
import { at, sh } from '../shell/sh.ts';
import { isNumber, type Ownership } from './stat.ts';

/** What a resource with a path asks for; all optional, with the type's defaults. */
export interface Permissions extends Ownership {
  readonly mode?: string;
  readonly acl?: 'linux';
}

/** Why mode and owner at this path are not ours to set, or null. A chmod on a Synology share deletes the share's ACL. */
export function foreignPermissions(path: string, spec: Permissions, context: Context): string | null {
  if (context.platform === 'synology' && /^\/volume[0-9A-Za-z]*\//.test(path) && spec.acl !== 'linux')
    return 'on a Synology share they would delete its ACL; leave them out, or say `acl: linux`';
  return null;
}

/** mode, owner and group of want: with defaults where they are ours, else only those asked for (which are then refused). */
export function wantPermissions(
  path: string,
  spec: Permissions,
  context: Context,
  defaultMode: string,
): Readonly<Record<string, string>> {
  const asked = {
    ...(spec.mode === undefined ? {} : { mode: spec.mode }),
    ...(spec.owner === undefined ? {} : { owner: spec.owner }),
    ...(spec.group === undefined ? {} : { group: spec.group }),
  };
  if (foreignPermissions(path, spec, context) !== null) return asked;
  return { mode: defaultMode, owner: 'root', group: 'root', ...asked };
}

/** Refuses mode, owner or group where `foreignPermissions` has a reason. */
export function refusePermissions(path: string, spec: Permissions, context: Context): string | null {
  if (spec.mode === undefined && spec.owner === undefined && spec.group === undefined) return null;
  const reason = foreignPermissions(path, spec, context);
  return reason === null ? null : `mode, owner and group of ${path} are not set: ${reason}`;
}

/**
 * Why nothing below /etc/pve is written as an ordinary file: while pve-cluster does not run it is an ordinary directory, and what is
 * written there is lost and keeps the file system from being mounted again.
 */
export function refuseClusterPath(path: string, context: Context): string | null {
  if (context.platform !== 'pve' || !/^\/etc\/pve(\/|$)/.test(path)) return null;
  return `${path} belongs to the cluster file system of Proxmox VE; use pve_file, which looks at its mount and its quorum first`;
}

/**
 * Shell that sets `$owner` to OWNER:GROUP as chown takes it. In a tree the names are those of the tree: a chown by name
 * would take the numbers from the system that runs it.
 */
export function setOwner(owner: string, group: string, context: Context): Sh {
  const numbers = isNumber(owner) && isNumber(group);
  if (context.live || numbers || (owner === 'root' && group === 'root'))
    return sh`owner=${`${owner}:${group}`}`;
  return sh`owner=$(OWNER=${owner} GROUP=${group} awk ${treeIds}) || { say "$owner"; exit 1; }`;
}

/**
 * Shell that gives an existing path the mode, and the owner that `setOwner` has set. In a directory that others can write to,
 * the name could be swapped for a link before chmod follows it: there it is done as the user who owns the path already, who
 * can only harm himself. In a tree nobody runs.
 */
export function setPermissions(path: string, mode: string): Sh {
  return sh`above ${at(path)}
inside "$above"
if [ -n "$ROOT" ] || trusted "$above"; then
  chown -h "$owner" ${at(path)}
  chmod ${mode} ${at(path)}
elif [ "$(stat -c %U:%G -- ${at(path)})" = "$owner" ] || [ "$(stat -c %u:%g -- ${at(path)})" = "$owner" ]; then
  su -s /bin/sh "\${owner%%:*}" -c 'chmod "$2" "$1"' sh ${at(path)} ${mode}
else
  say ${`others than root can write to the directory of ${path}: a change of owner could be redirected`}
  exit 1
fi`;
}

const treeIds = `
function id(name, file,   line, part, found) {
  if (name ~ /^[0-9]+$/) return name
  found = name == "root" ? 0 : ""
  while ((getline line < file) > 0) { split(line, part, ":"); if (part[1] == name) { found = part[3]; break } }
  if (found == "" && !failed) { print "there is no " name " in " substr(file, 2); failed = 1 }
  return found
}
BEGIN {
  uid = id(ENVIRON["OWNER"], "./etc/passwd")
  gid = id(ENVIRON["GROUP"], "./etc/group")
  if (failed) exit 1
  print uid ":" gid
}`;
