import type {
  Answers,
  ComputedPlan,
  ComputedProcedure,
  ComputedStep,
  Question,
  Reason,
} from '../model/procedure.ts';
import { isWorld } from '../resources/truenas-network.ts';
import { sh } from '../shell/sh.ts';
import { type ClientMount, nfsMounts, probeQuestion, probeReason, words } from './nfs-mounts.ts';
import { no } from './reasons.ts';
import { allFacts, saidBy } from './said.ts';
import { hostNamed, type ProcedureSite } from './site.ts';
import { readTrueNas, type TrueNasState, truenasQuestion } from './truenas-look.ts';

export const repairPermissions: ComputedProcedure<ProcedureSite> = {
  id: 'nfs/repair-permissions',
  about:
    'Finds out why a client may not write, or set times or modes, on an NFS mount ("Operation not permitted"), and mends it on the NAS.',
  notes: `Every client of the export does on a file of its own what vzdump and rsync do: write, set the time, set the mode, read back, remove.
Where that works nothing is changed. On TrueNAS the cause is looked up in its middleware and changed there, never with \`zfs set\`: a dataset
with NFSv4 ACLs and aclmode RESTRICTED refuses every change of a mode; a share without maproot user *and* group makes root a stranger.
Afterwards the clients try again.

\`cure=passthrough\` (the default) sets aclmode alone and is undone by the command that is shown. \`cure=strip\` takes the ACLs away from all that
lies in the directory, \`cure=posix\` makes the whole dataset one without NFSv4 ACLs: what the ACLs said is lost. A server whose exports are kept by
this program (role nfs-server) or by DSM is not changed here: the line of the inventory is.`,
  parameters: {
    path: {
      type: 'string',
      pattern: '^/',
      default: null,
      description: 'The mount point, or the exported directory, where there are several.',
    },
    cure: {
      enum: ['passthrough', 'strip', 'posix'],
      default: 'passthrough',
      description: 'How ACLs are dealt with on TrueNAS.',
    },
  },
  positional: ['path'],
  expands: true,
  hosts: (site) => [...new Set(nfsMounts(site).flatMap(({ client, nas }) => [client, nas]))],
  questions: (site, host, { path }) => {
    const meant = meantMounts(site, host, path);
    const [first] = meant;
    return first ? [...meant.map(probeQuestion), ...serverQuestion(site, first)] : [];
  },
  plan: (site, host, { path, cure }, answers) => {
    const meant = meantMounts(site, host, path);
    const [first] = meant;
    if (first === undefined)
      return { found: [], steps: [], refused: no(`the inventory has no such NFS mount of ${host}`) };
    const exports = new Set(meant.map((one) => `${one.nas}:${one.path}`));
    if (exports.size > 1) {
      const hint = `name one: provision run nfs/repair-permissions ${first.point} --host ${host}`;
      return {
        found: [],
        steps: [],
        refused: no(`${host} has to do with several exports: ${[...exports].join(', ')}`, hint),
      };
    }
    return planFor(site, meant, first, String(cure), answers);
  },
};

/** The mounts of the export that is meant, on all clients. */
function meantMounts(site: ProcedureSite, host: string, path: unknown): ClientMount[] {
  const all = nfsMounts(site);
  const named = all.filter(
    (one) =>
      (one.client === host || one.nas === host) &&
      (path === undefined || path === one.point || path === one.path),
  );
  return all.filter((one) => named.some((other) => other.nas === one.nas && other.path === one.path));
}

function serverQuestion(site: ProcedureSite, { nas, path }: ClientMount): Question[] {
  const platform = hostNamed(site, nas)?.platform;
  if (platform === 'truenas') return [truenasQuestion(nas, path)];
  if (platform === 'synology') return [];
  return [
    {
      host: nas,
      limit: 10,
      look: sh`awk -v path=${path} '$1 == path { print "export\tline\t" $2 }' /var/lib/nfs/etab`,
    },
  ];
}

function planFor(
  site: ProcedureSite,
  mounts: readonly ClientMount[],
  { nas, path }: ClientMount,
  cure: string,
  answers: Answers,
): ComputedPlan {
  const reasons = mounts.map((mount) => ({ mount, reason: probeReason(answers, mount) }));
  const found = reasons.map(({ mount, reason }) =>
    reason === null ? `${mount.client} writes, sets times and modes at ${mount.point}` : reason.why,
  );
  const refuse = (refused: Reason): ComputedPlan => ({ found, steps: [], refused });
  const broken = reasons.find(({ reason }) => reason !== null && !reason.unknown);
  const blind = reasons.find(({ reason }) => reason?.unknown)?.reason;
  if (!broken) return blind ? refuse(blind) : { found, steps: [] };
  const platform = hostNamed(site, nas)?.platform;
  if (platform === 'synology') {
    const hint =
      'set the rules of the share in its role (synology-backup-target): squash "no mapping". Nothing was changed';
    return refuse(no(`${nas} keeps its rules in DSM: nothing is changed there by hand`, hint));
  }
  if (platform !== 'truenas') return refuse(linuxReason(answers, nas, path, found));
  const state = readTrueNas(answers, nas, path);
  if ('why' in state) return refuse(state);
  found.push(
    `the dataset ${state.dataset} of ${nas}: acltype ${state.acltype || '?'}, aclmode ${state.aclmode || '?'}`,
    ...(state.trivial === false ? [`${path} has an ACL that is more than a mode`] : []),
  );
  if (cure === 'posix' && state.heirs.length > 0) {
    const why = `${state.heirs.join(', ')} below ${state.dataset} would lose their ACLs too: they inherit its acltype`;
    return refuse(
      no(why, 'give them an acltype of their own first, or take another cure. Nothing was changed'),
    );
  }
  const acl = aclSteps(nas, path, state, cure);
  // Who may write there needs no other mapping; an ACL alone forbids a change of modes.
  const squashed = acl.length === 0 || broken.reason?.why.includes(words.write);
  const share = squashed ? shareSteps(nas, path, state, found) : [];
  if ('why' in share) return refuse(share);
  const steps = [...acl, ...share];
  if (steps.length === 0) {
    const hint =
      'look at the owner and the mode of the directory, and whether the dataset is read-only or full. Nothing was changed';
    return refuse(no(`neither the ACL mode of ${state.dataset} nor the mapping of root is the cause`, hint));
  }
  const proofs = reasons.filter(({ reason }) => !reason?.unknown).map(({ mount }) => proofStep(mount));
  return { found, steps: [...steps, ...proofs] };
}

/** What an exports table says of root; the table is kept by a role, so the role's variables are what is to be changed. */
function linuxReason(answers: Answers, nas: string, path: string, found: string[]): Reason {
  const said = saidBy(answers, nas);
  const lines = typeof said === 'string' ? [] : allFacts(said, 'export', 'line');
  found.push(
    ...lines.map((line) => `${nas} exports ${path} to ${line.replace(/\(.*/, '')}: ${options(line)}`),
  );
  if (
    lines.some((line) => /\broot_squash\b|\ball_squash\b/.test(line.replace(/no_(root|all)_squash/g, '')))
  ) {
    const hint = `give the client no_root_squash in the variables of the role nfs-server of ${nas}, then provision apply --host ${nas}. Nothing was changed`;
    return no(`${nas} makes root of the client a stranger (root_squash)`, hint);
  }
  return no(
    `the table of exports of ${nas} does not show the cause`,
    'look at the owner and the mode of the directory. Nothing was changed',
  );
}

function options(line: string): string {
  const all = (/\((.*)\)/.exec(line)?.[1] ?? '').split(',');
  return all.filter((word) => /squash|^ro$|^rw$|^anon/.test(word)).join(', ');
}

/** A change in the middleware: shown whole, with what undoes it, and proven by asking again. */
function truenasStep(
  nas: string,
  path: string,
  about: string,
  argv: readonly string[],
  holds: (state: TrueNasState) => Reason | null,
  moved: (state: TrueNasState) => Reason | null = () => null,
): ComputedStep {
  return {
    host: nas,
    about,
    run: sh`midclt call ${argv}`,
    limit: 3600,
    questions: [truenasQuestion(nas, path)],
    guard: (now) => {
      const state = readTrueNas(now, nas, path);
      return 'why' in state ? state : moved(state);
    },
    verify: (now) => {
      const state = readTrueNas(now, nas, path);
      return 'why' in state ? state : holds(state);
    },
    within: 30,
  };
}

function aclSteps(nas: string, path: string, state: TrueNasState, cure: string): ComputedStep[] {
  const { dataset, acltype, aclmode } = state;
  if (acltype !== 'NFSV4' && aclmode !== 'RESTRICTED') return [];
  const update = (properties: Readonly<Record<string, string>>) => [
    'pool.dataset.update',
    dataset,
    JSON.stringify(properties),
  ];
  const undo = (properties: Readonly<Record<string, string>>) =>
    `midclt call pool.dataset.update ${dataset} '${JSON.stringify(properties)}'`;
  if (cure === 'strip') {
    if (state.trivial === true) return [];
    const argument = JSON.stringify({ path, options: { stripacl: true, recursive: true } });
    const about = `take the ACLs away from all that lies in ${path}; this cannot be undone`;
    return [
      truenasStep(nas, path, about, ['--job', 'filesystem.setperm', argument], ({ trivial }) =>
        trivial === true ? null : no(`${path} still has an ACL`),
      ),
    ];
  }
  if (cure === 'posix') {
    const about = `make ${dataset} a dataset with POSIX ACLs (acltype ${acltype} -> POSIX, aclmode ${aclmode} -> DISCARD); what its NFSv4 ACLs say is lost`;
    return [
      truenasStep(nas, path, about, update({ acltype: 'POSIX', aclmode: 'DISCARD' }), (now) =>
        now.acltype === 'POSIX' ? null : no(`acltype is ${now.acltype}`),
      ),
    ];
  }
  if (aclmode !== 'RESTRICTED') return [];
  const about = `let modes be set on ${dataset} (aclmode ${aclmode} -> PASSTHROUGH); undone by: ${undo({ aclmode })}`;
  return [
    truenasStep(nas, path, about, update({ aclmode: 'PASSTHROUGH' }), (now) =>
      now.aclmode === 'PASSTHROUGH' ? null : no(`aclmode is ${now.aclmode}`),
    ),
  ];
}

/** Root stays root only when user and group are both mapped to it. */
function shareSteps(
  nas: string,
  path: string,
  { share }: TrueNasState,
  found: string[],
): ComputedStep[] | Reason {
  if (share === undefined) {
    found.push(`${nas} has no NFS share of ${path}`);
    return [];
  }
  const word = (name: string): string => (typeof share[name] === 'string' ? String(share[name]) : '');
  const mapped = [word('mapall_user'), word('mapall_group')].filter((one) => one !== '');
  if (mapped.length > 0) {
    found.push(
      `the share maps everybody to ${mapped.join(':')}: whether that user may write there is a matter of the directory`,
    );
    return [];
  }
  if (word('maproot_user') === 'root' && ['root', 'wheel'].includes(word('maproot_group'))) return [];
  if (forEverybody(share)) {
    const hint =
      'name the hosts or networks that may mount it first (role truenas-backup-target). Nothing was changed';
    return no(
      `${nas} exports ${path} to everybody: with root mapped to root any machine would own every file in it`,
      hint,
    );
  }
  const before = { maproot_user: word('maproot_user') || null, maproot_group: word('maproot_group') || null };
  const undo = `midclt call sharing.nfs.update ${String(share.id)} '${JSON.stringify(before)}'`;
  const wanted = JSON.stringify({ maproot_user: 'root', maproot_group: 'root' });
  return [
    truenasStep(
      nas,
      path,
      `let root of the clients be root on the share of ${path} (maproot ${before.maproot_user ?? 'none'}:${before.maproot_group ?? 'none'} -> root:root); undone by: ${undo}`,
      ['sharing.nfs.update', String(share.id), wanted],
      (now) =>
        now.share?.maproot_user === 'root' && now.share.maproot_group === 'root'
          ? null
          : no('root is still mapped to another user'),
      // A number is told, and it may mean another share by now; who may mount it may be others.
      (now) =>
        now.share !== undefined && now.share.id === share.id && !forEverybody(now.share)
          ? null
          : no(`the share of ${path} is another one than it was when this was planned`),
    ),
  ];
}

/** Both lists empty mean everybody to TrueNAS. */
function forEverybody({ hosts, networks }: Readonly<Record<string, unknown>>): boolean {
  const [names, nets] = [hosts, networks].map((list) => (Array.isArray(list) ? list.map(String) : []));
  if (!names?.length && !nets?.length) return true;
  return names?.includes('*') === true || nets?.some(isWorld) === true;
}

/** Nothing is run: it is done when the client can do its work. Caches of its NFS client may hold the old answer for a minute. */
function proofStep(mount: ClientMount): ComputedStep {
  return {
    host: mount.client,
    about: `see that ${mount.client} writes, sets times and modes at ${mount.point}`,
    run: sh`:`,
    limit: 10,
    questions: [probeQuestion(mount)],
    guard: () => null,
    verify: (now) => probeReason(now, mount),
    within: 90,
  };
}
