import { type Change, defineType, type Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { at, lines, sh } from '../shell/sh.ts';
import { look, read, refuse, wanted } from './mount-state.ts';
import { isBind, isNfs, type MountSpec, mountText, mountUnit } from './mount-text.ts';
import { lookMounts } from './mountinfo.ts';
import { parent, pathSchema, stateWord } from './properties.ts';
import { unitPath } from './systemd-names.ts';
import { daemonReload, disable, enable, removeUnit, startAndNote, writeUnitFile } from './systemd-steps.ts';
import { unitValidator, verifyUnit } from './systemd-verify.ts';

/** What a unit file cannot carry: a backslash at its end would swallow the next line, blanks at the ends are dropped. */
const unitValue = '^[^\\s\\\\\\x00-\\x1f\\x7f]([^\\\\\\x00-\\x1f\\x7f]*[^\\s\\\\\\x00-\\x1f\\x7f])?$';

/** A file system mounted by a systemd mount unit of ours. */
export const mount = defineType<MountSpec>({
  name: 'mount',
  about:
    'A file system mounted by a systemd mount unit. Never mounts over files, never unmounts what is in use, and leaves alone what /etc/fstab or a storage of PVE mounts.',
  example: `mount: /mnt/pbs-datastore
what: 10.10.0.103:/mnt/Taupo/pbs
type: nfs
options: [vers=4.2, hard]
`,
  schema: {
    type: 'object',
    required: ['mount'],
    additionalProperties: false,
    if: { not: { properties: { state: { const: 'absent' } }, required: ['state'] } },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    then: { required: ['what', 'type'] },
    properties: {
      mount: {
        allOf: [pathSchema, { pattern: unitValue }, { not: { const: '/' } }],
        description: 'Absolute path of the mount point. It is made when it is missing.',
      },
      what: {
        type: 'string',
        pattern: unitValue,
        description:
          'Source: `10.10.0.104:/mnt/pool/bu`, `UUID=...`, `/dev/backup/data`, a directory for a bind mount.',
      },
      type: {
        type: 'string',
        pattern: '^[a-z0-9.]+$',
        description: '`nfs`, `ext4`, `xfs`, ...; `none` for a bind mount.',
      },
      options: {
        type: 'array',
        items: { type: 'string', pattern: '^[^\\s,\\\\"\\x00-\\x1f\\x7f]+$' },
        description: 'Mount options, one per element.',
      },
      active: { type: 'boolean', description: 'Mounted now (default true).' },
      enabled: { type: 'boolean', description: 'Mounted at boot (default true).' },
      allow_soft: {
        type: 'string',
        minLength: 1,
        description:
          'Why a soft NFS mount, which can lose writes, is right here. Without a reason it is refused.',
      },
      state: {
        ...stateWord,
        description: '`absent` unmounts it when it is not in use and removes its unit (default present).',
      },
    },
  },
  stepLimit: 300,
  identity: (spec) => spec.mount,
  provides: (spec) => {
    const path = unitPath(mountUnit(spec));
    const places = [`path:${spec.mount}`, `mount:${spec.mount}`, `unit:${mountUnit(spec)}`, `path:${path}`];
    return spec.state === 'absent' ? places : [...places, `content:${path}`];
  },
  needs: (spec) => [
    `path:${parent(spec.mount)}`,
    ...(isBind(spec) && spec.what !== undefined ? [`path:${spec.what}`] : []),
    ...(isNfs(spec) ? ['package:nfs-common'] : []),
    ...(spec.type === 'cifs' ? ['package:cifs-utils'] : []),
  ],
  want: wanted,
  observe: look,
  read,
  refuse,
  steps,
  text: (spec) =>
    spec.state === 'absent' ? null : { path: unitPath(mountUnit(spec)), content: mountText(spec) },
  validator: (spec) => (spec.state === 'absent' ? null : unitValidator(mountUnit(spec), mountText(spec))),
});

function steps({ spec, have, want, differs, context }: Change<MountSpec>): Step[] {
  const unit = mountUnit(spec);
  const isMounted = have?.mounted === true;
  if (want === null) return [...(isMounted ? [unmount(spec)] : []), ...removeUnit(unit, context.live)];
  const text = mountText(spec);
  const write = ['text', 'mode', 'owner'].some((name) => differs.includes(name));
  const newText = differs.includes('text');
  // Another source, type or option: only a new mount has it.
  const anew =
    want.mounted === true && (newText || ['source', 'type', 'runs'].some((name) => differs.includes(name)));
  const away = isMounted && (want.mounted === false || anew);
  const links = newText || differs.includes('enabled') || differs.includes('wanted_by');
  return [
    ...(newText && context.live ? [verifyUnit(unit, text, [])] : []),
    ...(away ? [unmount(spec)] : []),
    ...(write ? [writeUnitFile(unitPath(unit), text)] : []),
    ...(context.live && (write || differs.includes('reload_needed')) ? [daemonReload] : []),
    ...(links && want.enabled === 'enabled' ? [enable(unit, context.live, true)] : []),
    ...(differs.includes('enabled') && want.enabled === 'disabled' ? [disable(unit, context.live)] : []),
    ...(want.mounted === true && (away || !isMounted) ? [start(spec, isMounted)] : []),
  ];
}

/** Plain: what is in use stays mounted, and the message says who uses it. Not by stopping the unit: that would stop its users. */
function unmount({ mount: point, ...spec }: MountSpec): Step {
  const unit = mountUnit({ mount: point, ...spec });
  return {
    about: `unmount ${point}`,
    run: sh`timeout -k 2 60 umount -- ${point} || {
  say ${`${point} could not be unmounted; it is used by:`}
  set +f
  ls -l /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/fd/ 2>/dev/null | POINT=${point} awk ${users} | sort -u |
    while read -r pid; do say "  process $pid $(cat "/proc/$pid/comm" 2>/dev/null || :)"; done
  awk '{ print $5 }' /proc/self/mountinfo | POINT=${point} awk 'index($0, ENVIRON["POINT"] "/") == 1 { print "  the mount " $0 }'
  exit 1
}
# systemd learns of it a moment later.
for moment in 1 2 3 4 5 6 7 8 9 10; do
  case $(systemctl show -p ActiveState -- ${unit}) in *=active|*=deactivating) sleep 0.2 ;; *) break ;; esac
done`,
  };
}

const users = `/^\\/proc\\/[0-9]+\\/fd\\/:$/ { split($0, part, "/"); pid = part[3] }
(at = index($0, " -> ")) {
  target = substr($0, at + 4)
  if (target != ENVIRON["POINT"] && index(target, ENVIRON["POINT"] "/") != 1) next
  if (match($0, /\\/proc\\/[0-9]+\\/(cwd|root) -> /)) { split(substr($0, RSTART), part, "/"); print part[3] }
  else print pid
}`;

/** Between looking and changing somebody may have written into the directory; nothing is hidden under a mount. */
function stopUnlessEmpty(spec: MountSpec): Sh {
  return sh`if [ -d ${at(spec.mount)} ] && [ -n "$(ls -A -- ${at(spec.mount)} | head -n 1)" ]; then
  say ${`${spec.mount} is not empty: what is in it would be hidden by the mount`}
  exit 1
fi`;
}

function start(spec: MountSpec, wasMounted: boolean): Step {
  return {
    about: `mount ${spec.mount}`,
    run: lines([
      // What lies below one that is mounted anew was hidden all the time: to stop here would leave the host without its mount.
      ...(wasMounted ? [] : [stopUnlessEmpty(spec)]),
      startAndNote(mountUnit(spec), [unitPath(mountUnit(spec))]),
      sh`case "$(
${lookMounts([{ identity: 'x', point: spec.mount }])}
)" in
  x?mount?no) say ${`${spec.mount} is still not mounted`}; exit 1 ;;
esac`,
    ]),
  };
}
