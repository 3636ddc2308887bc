import type { Change, Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { State } from '../model/state.ts';
import { at, lines, sh } from '../shell/sh.ts';
import { writeFunctions } from './synology-share-shell.ts';
import { type ShareSpec, sharePath, tiers } from './synology-share-state.ts';

export function steps({ spec, have, differs }: Change<ShareSpec>): Step[] {
  const name = spec.synology_share;
  const functions = writeFunctions(name);
  if (have === null)
    return [{ about: `make the share ${name} at ${sharePath(spec)}`, run: lines([functions, create(spec)]) }];
  const steps: Step[] = [];
  if (differs.includes('description'))
    steps.push({
      about: `describe the share ${name}`,
      run: lines([
        functions,
        sh`write synoshare --setdesc ${name} ${spec.description ?? ''}
read_back ${`desc=${JSON.stringify(spec.description ?? '')}`}`,
      ]),
    });
  if (differs.includes('browseable'))
    steps.push({
      about: `${spec.browseable === false ? 'hide' : 'list'} the share ${name} in the network`,
      run: lines([
        functions,
        sh`write synoshare --setbrowse ${name} ${spec.browseable === false ? '0' : '1'}
read_back ${`hidden=${spec.browseable === false}`}`,
      ]),
    });
  const changed = tiers.filter(([key]) => differs.includes(key));
  if (changed.length > 0)
    steps.push({
      about: `set who may do what with the share ${name}`,
      run: lines([functions, ...moves(spec, have, changed)]),
    });
  return steps;
}

/** The order of the lists is no access, read and write, read only; some write-ups have it otherwise. */
function create(spec: ShareSpec): Sh {
  const path = sharePath(spec);
  const words = [
    '--add',
    spec.synology_share,
    spec.description ?? '',
    path,
    (spec.deny ?? []).join(','),
    (spec.rw ?? []).join(','),
    (spec.ro ?? []).join(','),
    spec.browseable === false ? '0' : '1',
    '0',
  ];
  return sh`awk -v point=${spec.volume} '$5 == point { found = 1 } END { exit !found }' /proc/self/mountinfo || {
  say ${`nothing is mounted at ${spec.volume} any more; nothing was made`}
  exit 1
}
case $(path_kind ${at(path)}) in
  none) ;;
  subvolume) say ${`${path} is a share of an earlier installation: DSM takes it back with its data`} ;;
  *) say ${`${path} is in the way; nothing was touched`}; exit 1 ;;
esac
write synoshare ${words}
read_back ${`vol_path=${JSON.stringify(spec.volume)}`}
${lines(tiers.flatMap(([key, tier]) => (spec[key] === undefined ? [] : [sh`only ${tier} ${spec[key]}`])))}`;
}

/** One by one, with + and -: `=` replaces a whole list, and with it whoever was added since the plan was made. */
function moves(spec: ShareSpec, have: State, changed: readonly (typeof tiers)[number][]): Sh[] {
  const current = new Map(tiers.map(([key]) => [key, plain(have[key])]));
  const out: [string, string][] = [];
  const into: [string, string][] = [];
  for (const [key, tier] of changed) {
    const wanted = spec[key] ?? [];
    out.push(
      ...(current.get(key) ?? [])
        .filter((name) => !wanted.includes(name))
        .map((name): [string, string] => [tier, name]),
    );
    for (const name of wanted)
      for (const [other, otherTier] of tiers)
        if (other !== key && current.get(other)?.includes(name)) out.push([otherTier, name]);
    into.push(
      ...wanted
        .filter((name) => !current.get(key)?.includes(name))
        .map((name): [string, string] => [tier, name]),
    );
  }
  const unique = [...new Map(out.map((pair) => [pair.join(' '), pair])).values()];
  const share = spec.synology_share;
  return [
    ...unique.map(([tier, name]) => sh`write synoshare --setuser ${share} ${tier} - ${name}`),
    ...into.map(([tier, name]) => sh`write synoshare --setuser ${share} ${tier} + ${name}`),
    ...unique.map(
      ([tier, name]) => sh`rc=0
holds ${tier} ${name} || rc=$?
[ "$rc" -eq 1 ] || { say ${`DSM reported success, but ${name} is still in the list ${tier} of ${share}`}; exit 1; }`,
    ),
    ...into.map(
      ([tier, name]) =>
        sh`holds ${tier} ${name} || { say ${`DSM reported success, but ${name} is not in the list ${tier} of ${share}`}; exit 1; }`,
    ),
  ];
}

function plain(value: State[string] | undefined): string[] {
  return String(value ?? '')
    .split(', ')
    .filter((name) => name !== '')
    .map((name) => name.replace(/ \(also in .*\)$/, ''));
}
