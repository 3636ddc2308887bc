import { defineType } from '../model/resource.ts';
import { at, lines, sh } from '../shell/sh.ts';
import { refuseClusterPath } from './ownership.ts';
import { parent, pathSchema, stateWord } from './properties.ts';
import { observePaths, readStat } from './stat.ts';

export interface LinkSpec {
  readonly link: string;
  readonly to?: string;
  readonly state?: 'present' | 'absent';
}

/** A symbolic link, compared by its text: whether the target exists is nobody's business here. */
export const link = defineType<LinkSpec>({
  name: 'link',
  about: 'A symbolic link with exactly this text. A real file or directory in its place is never removed.',
  example: 'link: /etc/systemd/system/multi-user.target.wants/backup.service\nto: ../backup.service\n',
  schema: {
    type: 'object',
    required: ['link'],
    additionalProperties: false,
    properties: {
      link: { ...pathSchema, description: 'Absolute path of the link.' },
      to: {
        type: 'string',
        pattern: '^[^\\x00-\\x1f\\x7f]+$',
        maxLength: 1024,
        description: 'What the link says, absolute or relative to its directory; stored as it is.',
      },
      state: {
        ...stateWord,
        description: '`absent` removes the link, never a file or directory (default present).',
      },
    },
    if: { properties: { state: { const: 'absent' } }, required: ['state'] },
    else: { required: ['to'] },
  },
  identity: (spec) => spec.link,
  provides: (spec) => [`path:${spec.link}`],
  needs: (spec) => (spec.state === 'absent' ? [] : [`path:${parent(spec.link)}`]),
  want: (spec) => (spec.state === 'absent' ? null : { type: 'link', to: spec.to ?? '' }),
  observe: (specs) =>
    observePaths(
      specs.map((spec) => ({ path: spec.link, mounted: undefined })),
      `stat_paths "$@"\n${linkBody}`,
    ),
  read: (facts) => {
    const seen = readStat(facts, {});
    if ('unknown' in seen || seen.have === null) return seen;
    if (seen.have.type !== 'link') return { have: { type: seen.have.type ?? null } };
    const to = facts.get('to');
    if (to === undefined) return { unknown: 'it is a link but its text could not be read' };
    return { have: { type: 'link', to } };
  },
  refuse: ({ spec, have, context }) =>
    refuseClusterPath(spec.link, context) ??
    (have === null || have.type === 'link'
      ? null
      : `${spec.link} is a ${have.type}, not a link; it is never removed to make room`),
  steps: ({ spec, have, want }) => {
    const path = at(spec.link);
    if (want === null)
      return [{ about: `remove the link ${spec.link} (a copy is kept)`, run: sh`take_away ${path}` }];
    return [
      {
        about: `point ${spec.link} to ${spec.to}`,
        run: lines([
          sh`above ${path}
parent=\${above%/}
[ -d "$parent" ] || { say ${`the directory ${parent(spec.link)} does not exist`}; exit 1; }
inside "$parent"
[ -n "$ROOT" ] || trusted "$parent" || { say ${`others than root can write to ${parent(spec.link)}: a link there could be redirected`}; exit 1; }
if [ -e ${path} ] && [ ! -L ${path} ]; then say ${`${spec.link} is not a link`}; exit 1; fi`,
          // A new link is whole from the moment it is there; one that is there already is replaced in one step.
          have === null
            ? sh`ln -s -n -- ${String(want.to)} ${path}`
            : sh`keep ${path}
temp=$parent/.provision.$RUN.$CHANGE.link
printf '%s\n' "$temp" >>"$RUNDIR/temps"
ln -s -- ${String(want.to)} "$temp"
mv -T -- "$temp" ${path} || { rm -f -- "$temp"; exit 1; }`,
        ]),
      },
    ];
  },
});

/**
 * Prints `path to TEXT` for the links among "$@". One stat for all (busybox readlink takes one name, and some builds have
 * none); its lines are matched by the known name in front. A text with a line break spoils the count: then each is asked alone.
 */
const linkBody = String.raw`QUOTING_STYLE=literal
export QUOTING_STYLE
print_links() {
  said=$(stat -c '%N' -- "$@" 2>/dev/null)
  if [ "$(printf '%s\n' "$said" | wc -l)" -ne $# ]; then
    [ $# -eq 1 ] || for p do print_links "$p"; done
    return
  fi
  printf '%s\n' "$said" | for p do
    plain="$p -> " quoted="'$p' -> '"
    IFS= read -r one || one=
    case $one in
      "$plain"*) to=${'${one#"$plain"}'} ;;
      "$quoted"*) to=${'${one#"$quoted"}'} && to=${'${to%?}'} ;;
      *) continue ;;
    esac
    printf '%s\tto\t%s\n' "${'${p#.}'}" "$to"
  done
}
for p do
  shift
  [ ! -L "$p" ] || set -- "$@" "$p"
done
[ $# -eq 0 ] || print_links "$@"`;
