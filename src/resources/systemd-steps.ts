import type { Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { at, atAll, blob, lines, sh } from '../shell/sh.ts';
import { stampDirectory } from './systemd-look.ts';
import { unitPath } from './systemd-names.ts';

/** Writes a unit file or drop-in; the directory of drop-ins is made when it is missing. */
export function writeUnitFile(path: string, content: string, mode = '0644'): Step {
  const directory = path.slice(0, path.lastIndexOf('/'));
  const make = path.startsWith(`${unitPath('')}`) && directory.endsWith('.d');
  return {
    about: `write ${path}`,
    run: lines([
      ...(make ? [sh`[ -d ${at(directory)} ] || mkdir -m 0755 ${at(directory)}`] : []),
      sh`put ${blob(content)} ${at(path)} ${mode} root:root`,
    ]),
  };
}

/** Makes systemd read its files again. */
export const daemonReload: Step = { about: 'daemon-reload', run: sh`systemctl daemon-reload` };

/** `again`: also links that an older text of the unit asked for are put right. */
export function enable(unit: string, live: boolean, again: boolean): Step {
  const verb = again ? 'reenable' : 'enable';
  return {
    about: `enable ${unit}`,
    run: live
      ? sh`systemctl --no-ask-password ${verb} -- ${unit}`
      : inTree(unit, verb, sh`${again ? removeLinks(unit) : sh`:`}\n${makeLinks(unit)}`),
  };
}

export function disable(unit: string, live: boolean): Step {
  return {
    about: `disable ${unit}`,
    run: live
      ? sh`systemctl --no-ask-password disable -- ${unit}`
      : inTree(unit, 'disable', removeLinks(unit)),
  };
}

/** A tree may lie on a machine without systemd: then the links are made here. */
function inTree(unit: string, verb: string, otherwise: Sh): Sh {
  return sh`if command -v systemctl >/dev/null; then
  systemctl --root="$ROOT" ${verb} -- ${unit}
else
${otherwise}
fi`;
}

function makeLinks(unit: string): Sh {
  return sh`for dir in ./etc/systemd/system ./usr/lib/systemd/system ./lib/systemd/system; do
  [ -f "$dir"/${unit} ] || continue
  awk -F= '
    /^\\[/ { inside = $0 == "[Install]" }
    inside && /^(WantedBy|RequiredBy)=/ {
      n = split($2, target, " ")
      for (i = 1; i <= n; i++) print target[i] ($1 == "WantedBy" ? ".wants" : ".requires")
    }' "$dir"/${unit} | while read -r links; do
    [ -d "./etc/systemd/system/$links" ] || mkdir -m 0755 "./etc/systemd/system/$links"
    ln -sfn "\${dir#.}"/${unit} "./etc/systemd/system/$links"/${unit}
  done
  break
done`;
}

function removeLinks(unit: string): Sh {
  return sh`set +f
for link in ./etc/systemd/system/*.wants/${unit} ./etc/systemd/system/*.requires/${unit}; do
  [ ! -L "$link" ] || rm -f -- "$link"
done
set -f`;
}

export function start(unit: string): Step {
  return { about: `start ${unit}`, run: lines([tell(unit), sh`systemctl start -- ${unit} || tell`]) };
}

export function stop(unit: string): Step {
  return { about: `stop ${unit}`, run: lines([tell(unit), sh`systemctl stop -- ${unit} || tell`]) };
}

/** Restarts or reloads a service. A simple one is "started" as soon as it is forked, so it gets a second to fall over. */
export function load(unit: string, verb: 'restart' | 'reload', paths: readonly string[]): Step {
  return {
    about: `${verb} ${unit}`,
    run: sh`${noted(unit, verb, paths)}
case $(systemctl show -p Type -- "$unit") in *=simple|*=exec|*=idle) sleep 1 ;; esac
systemctl is-active --quiet -- "$unit" || tell
${stamp(unit)}`,
  };
}

/** Starts a unit that has no process. */
export function startAndNote(unit: string, paths: readonly string[]): Sh {
  return lines([noted(unit, 'start', paths), stamp(unit)]);
}

/** Files are hashed before the command: what changes in between is seen as stale the next time. */
function noted(unit: string, verb: string, paths: readonly string[]): Sh {
  return sh`${tell(unit)}
${{ text: noteFiles, blobs: [] }}
notes=$(note_files ${atAll(paths)})
systemctl ${verb} -- "$unit" || tell`;
}

/** `note_files PATH...` prints `file TAB PATH TAB HASH` as `lookUnits` reads it from a stamp. */
const noteFiles = `note_files() {
  for p do
    shift
    if [ -f "$p" ]; then set -- "$@" "$p"; else printf 'file\\t%s\\tabsent\\n' "\${p#.}"; fi
  done
  [ $# -eq 0 ] || sha256sum -- "$@" |
    sed -e '/^\\\\/{s/^.//;s/\\\\\\\\/\\\\/g;}' -e 's/^\\([0-9a-f]*\\) [ *]\\.\\(.*\\)$/file\\t\\2\\t\\1/'
}`;

/** Notes `$notes` for the unit's present invocation. Needs `notes` as `note_files` prints it. */
function stamp(unit: string): Sh {
  return sh`mkdir -p ${at(stampDirectory)}
invocation=$(systemctl show -p InvocationID -- ${unit})
printf 'invocation\t%s\n%s\n' "\${invocation#*=}" "$notes" >${at(`${stampDirectory}/.new`)}
mv -- ${at(`${stampDirectory}/.new`)} ${at(`${stampDirectory}/${unit}`)}`;
}

/** Everything that a unit of ours may leave behind: links, drop-ins, the timer's and our own stamp. */
export function removeUnit(unit: string, live: boolean): Step[] {
  const quiet: Step = {
    about: `stop and disable ${unit}`,
    run: lines([
      tell(unit),
      ...(live
        ? [
            sh`[ "$(systemctl show -p ActiveState -- ${unit})" = ActiveState=inactive ] || systemctl stop -- ${unit} || tell`,
          ]
        : []),
      sh`if [ -f ${at(unitPath(unit))} ] && command -v systemctl >/dev/null; then systemctl ${where(live)} disable -- ${unit}; fi`,
    ]),
  };
  const files: Step = {
    about: `remove ${unitPath(unit)} (a copy is kept)`,
    run: sh`take_away ${at(unitPath(unit))}
${removeLinks(unit)}
set +f
for dropin in ${at(`${unitPath(unit)}.d`)}/*; do take_away "$dropin"; done
set -f
[ ! -d ${at(`${unitPath(unit)}.d`)} ] || rmdir ${at(`${unitPath(unit)}.d`)}
rm -f -- ${at(`/var/lib/systemd/timers/stamp-${unit}`)} ${at(`${stampDirectory}/${unit}`)}`,
  };
  if (!live) return [quiet, files];
  const forget: Step = {
    about: `forget ${unit}`,
    // Fails when systemd has forgotten the unit by itself; what is left is seen by reading again.
    run: sh`systemctl reset-failed -- ${unit} 2>/dev/null || :`,
  };
  return [quiet, files, daemonReload, forget];
}

function where(live: boolean): Sh {
  return live ? sh`--no-ask-password` : sh`--root="$ROOT"`;
}

/** A failing start must say why: its status holds the end of its journal. */
function tell(unit: string): Sh {
  return sh`unit=${unit}
tell() {
  systemctl status --no-pager --full --lines=20 -- "$unit" || :
  exit 1
}`;
}
