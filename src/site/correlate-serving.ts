import type { HostRun } from '../model/run.ts';
import { mountCodes, present, storeCodes, warning } from './correlate-store.ts';
import {
  blindHosts,
  type Case,
  coded,
  datastoreOf,
  type Evidence,
  grouped,
  hostsOf,
  joined,
  serverOf,
} from './evidence.ts';
import type { Fleet } from './fleet.ts';

/** What cannot be used while nobody serves it. Handles that are stale stay so when it is served again. */
const unserved = [...mountCodes, ...storeCodes].filter(
  (code) => code !== 'stale-handles' && code !== 'denied' && code !== 'no-space',
);

/**
 * Machines whose NFS server does not run: for each one finding with all that waits for it. To mount anew mends nothing before it runs,
 * and hard mounts go on by themselves when it does.
 */
export function servingCases(fleet: Fleet, runs: readonly HostRun[], evidence: readonly Evidence[]): Case[] {
  return [...grouped(coded(evidence, ['nfs-down']), ({ host }) => host)].map(([nas, down]): Case => {
    const waiting = coded(evidence, unserved).filter(
      (one) => one.host !== nas && (serverOf(fleet, one) === nas || datastoreOf(fleet, one)?.nas === nas),
    );
    const clients = hostsOf(waiting);
    const users = [...fleet.mounts, ...fleet.storages]
      .filter(({ server, host }) => server === nas && !clients.includes(host))
      .map(({ host }) => host);
    return {
      uses: [...down, ...waiting],
      finding: warning({
        rule: 'nfs-server-down',
        hosts: present(runs, fleet, [nas, ...clients]),
        suspect: `host:${nas}`,
        message: `the NFS server of ${nas} does not run: ${down[0]?.symptom.says}${clients.length === 0 ? '' : `; ${joined(clients)} cannot use what it serves`}${blindHosts(runs, [...new Set(users)])}`,
        hint: 'start it: what has it mounted goes on by itself, and nothing else is to be mended before',
        procedure: `provision apply --host ${nas}`,
      }),
    };
  });
}
