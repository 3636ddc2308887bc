import type { Finding } from '../model/finding.ts';
import type { HostRun } from '../model/run.ts';
import { instant } from '../resources/ages.ts';
import { mountCodes, present, warning } from './correlate-store.ts';
import {
  blindHosts,
  type Case,
  coded,
  type Evidence,
  grouped,
  hostsOf,
  joined,
  nameOf,
  serverOf,
} from './evidence.ts';
import type { Fleet } from './fleet.ts';

const permitCodes = ['not-permitted', 'acl-restricted'];
const reachCodes = [
  ...['storage-inactive', 'storage-offline', 'storage-unreachable', 'stale-mount'],
  ...mountCodes,
];
const stuckCodes = ['guest-locked', 'worker-hanging', 'unfinished'];

/** What several hosts, or one, have with a machine that serves files to them. */
export function nasCases(fleet: Fleet, runs: readonly HostRun[], evidence: readonly Evidence[]): Case[] {
  const permit = grouped(coded(evidence, permitCodes), (one) =>
    one.symptom.code === 'acl-restricted' ? one.host : serverOf(fleet, one),
  );
  const reach = grouped(coded(evidence, reachCodes), (one) => serverOf(fleet, one));
  return [
    ...[...permit].map(([nas, uses]) => ({ uses, finding: permissions(fleet, runs, nas, uses) })),
    ...[...reach].map(([nas, uses]) => ({ uses, finding: unreachable(fleet, runs, nas, uses) })),
  ];
}

function permissions(
  fleet: Fleet,
  runs: readonly HostRun[],
  nas: string,
  uses: readonly Evidence[],
): Finding {
  const clients = hostsOf(coded(uses, ['not-permitted']));
  const [restricted] = coded(uses, ['acl-restricted']);
  const line = coded(uses, ['not-permitted'])[0]?.symptom.says;
  const whom = clients.length === 0 ? '' : `${joined(clients)} may not set owners, modes or times on ${nas}`;
  const why = restricted === undefined ? line : restricted.symptom.says;
  return warning({
    rule: 'nas-permissions',
    hosts: present(runs, fleet, [nas, ...clients]),
    suspect: restricted?.symptom.of ?? `host:${nas}`,
    message: `${whom === '' ? `${nas} forbids clients to change modes` : whom}: ${why}${restricted === undefined ? blindHosts(runs, [nas]) : ''}`,
    hint: 'let the dataset take modes and times from its clients (ACL mode), and the export map root so that it may set them',
    procedure: `provision run nfs/repair-permissions --host ${nas}`,
  });
}

function unreachable(
  fleet: Fleet,
  runs: readonly HostRun[],
  nas: string,
  uses: readonly Evidence[],
): Finding {
  const clients = hostsOf(uses);
  const users = [...fleet.storages, ...fleet.mounts].filter(({ server }) => server === nas);
  const others = [...new Set(users.map(({ host }) => host))].filter((host) => !clients.includes(host));
  const down = runs.some((run) => run.host === nas && run.error !== undefined);
  const line = uses[0]?.symptom.says ?? '';
  const shared = clients.length > 1 || down;
  const unseen = blindHosts(runs, [nas, ...others]);
  if (shared)
    return warning({
      rule: 'nas-unreachable',
      hosts: present(runs, fleet, [nas, ...clients]),
      suspect: `host:${nas}`,
      message: `${joined(clients)} cannot use what ${nas} serves: ${line}${unseen}`,
      hint: `see whether ${nas} runs and serves; the others have nothing to mend before it does`,
    });
  return warning({
    rule: 'one-host-only',
    hosts: clients,
    suspect: uses[0]?.symptom.of,
    message: `only ${joined(clients)} shows trouble with ${nas}: ${line}${unseen}`,
    hint: `look at the mount and the network of ${joined(clients)} first`,
  });
}

/** Backups that hang or left a lock behind: for each guest one finding, with what a global lock makes of the others. */
export function stuckCases(evidence: readonly Evidence[]): Case[] {
  const locked = coded(evidence, ['lock-timeout']);
  const groups = grouped(coded(evidence, stuckCodes), ({ host, symptom }) => `${host} ${nameOf(symptom.of)}`);
  const cases = [...groups].map(([key, group]): Case => {
    const [host = '', guest = ''] = key.split(' ');
    const hangs = coded(group, ['worker-hanging']).length > 0;
    // Who waits for the global lock waits for the one that hangs.
    const waiting = hangs ? locked.filter((one) => one.host === host) : [];
    const lock = coded(group, ['guest-locked']).find(({ symptom }) => symptom.data?.lock)?.symptom.data?.lock;
    // A migration or a rollback is at work, or was: no backup is to be ended for that.
    const foreign = !hangs && lock !== undefined && lock !== 'backup';
    const mend = foreign
      ? {
          hint: `"${lock}" is no lock of a backup: see what is at work on it, only that may take the lock away`,
        }
      : {
          hint: 'the worker is found by its UPID, asked to stop and ended when it does not; the guest is unlocked only when nothing runs',
          procedure: `provision run vzdump/unstick ${guest} --host ${host}`,
        };
    return {
      uses: [...group, ...waiting],
      finding: warning({
        rule: 'backup-stuck',
        hosts: [host],
        suspect: `guest:${guest}`,
        message: `${group.map(({ symptom }) => symptom.says).join('; ')}${waiting.length > 0 ? '; other backups of this node wait for it' : ''}`,
        ...mend,
      }),
    };
  });
  const used = new Set(cases.flatMap(({ uses }) => uses));
  const alone = grouped(
    locked.filter((one) => !used.has(one)),
    ({ host }) => host,
  );
  return [
    ...cases,
    ...[...alone].map(([host, uses]): Case => {
      const waited = uses[0]?.symptom.data?.guest?.split('/')[1] ?? '';
      return {
        uses,
        finding: warning({
          rule: 'backup-stuck',
          hosts: [host],
          suspect: 'node:vzdump',
          message: `backups of ${host} waited in vain for the global lock: ${uses[0]?.symptom.says ?? ''}`,
          hint: 'the procedure names the worker that holds the lock, if one still does; the lock file itself means nothing and stays',
          procedure: `provision run vzdump/unstick ${waited} --host ${host}`,
        }),
      };
    }),
  ];
}

/** Groups of guests that are gone, or came back. */
export function groupCases(evidence: readonly Evidence[]): Case[] {
  const groups = grouped(
    coded(evidence, ['group-undeclared', 'group-revived']),
    ({ host, symptom }) => `${host} ${symptom.of}`,
  );
  return [...groups].map(([, uses]): Case => {
    const [host = ''] = hostsOf(uses);
    const of = (code: string) => coded(uses, [code])[0]?.symptom;
    const strangers = of('group-undeclared');
    const revived = of('group-revived');
    return {
      uses,
      finding: warning({
        rule: 'groups-of-no-guest',
        hosts: [host],
        suspect: uses[0]?.symptom.of,
        message: [
          ...(strangers
            ? [`no guest of the inventory has the groups ${strangers.data?.groups ?? strangers.says}`]
            : []),
          ...(revived ? [`a decommissioned group gets backups again: ${revived.says}`] : []),
        ].join('; '),
        ...(strangers
          ? {
              hint: 'declare them as decommissioned, with a reason and the day since when (`since`); what is not to be kept can be removed then',
              procedure: `provision run pbs/retire-groups --host ${host}`,
            }
          : {
              hint: 'see which job still makes them; where the guest went after its last backup, say since when (`since`)',
            }),
      }),
    };
  });
}

/** Pools with damage: what was backed up since then holds it too. */
export function damageCases(evidence: readonly Evidence[]): Case[] {
  const pools = grouped(
    coded(evidence, ['zfs-damage', 'zfs-suspended', 'zfs-degraded']),
    ({ host, symptom }) => `${host} ${symptom.of}`,
  );
  const doubted = coded(evidence, ['backup-suspect']);
  return [...pools].map(([, group], index, all): Case => {
    const [host = ''] = hostsOf(group);
    const first = all.findIndex(([, other]) => hostsOf(other)[0] === host) === index;
    const suspects = first ? doubted.filter((one) => one.host === host) : [];
    const [damage] = coded(group, ['zfs-damage']);
    const guests = damage?.symptom.data?.guests ?? '';
    const since = damage?.symptom.data?.since ?? '';
    const then = /^[0-9]+$/.test(since) ? instant(Number(since)) : 'then';
    const backups =
      damage === undefined || guests === '' || guests === 'none'
        ? ''
        : `; backups of the guests ${guests} made since ${then} may hold the damage`;
    return {
      uses: [...group, ...suspects],
      finding: warning({
        rule: 'damaged-pool',
        hosts: [host],
        suspect: group[0]?.symptom.of,
        message: `${group.map(({ symptom }) => symptom.says).join('; ')}${backups}${suspects.map(({ symptom }) => `; ${symptom.says}`).join('')}`,
        hint: 'keep the backups from before the first error, restore these guests from them once the disks are mended, and prune nothing until then',
      }),
    };
  });
}

/** What nothing else explains is the own trouble of each host. */
export function ownCases(evidence: readonly Evidence[]): Case[] {
  const hosts = grouped(evidence, ({ host }) => host);
  return [...hosts].map(([host, uses]): Case => {
    const told = uses.map(({ symptom }) => `${symptom.of}: ${symptom.says.split('\n')[0] ?? ''}`);
    return {
      uses,
      finding: warning({
        rule: 'own-trouble',
        hosts: [host],
        ...(uses.length === 1 ? { suspect: uses[0]?.symptom.of } : {}),
        message: told.join('; '),
        hint: `nothing that ${host} shares with others explains it: see the checks of ${host}`,
      }),
    };
  });
}
