import { exampleSite } from '../lab/example-site.ts';
import { type LabHost, startHost } from '../lab/lab.ts';
import { pbsHost } from '../lab/pbs-host.ts';
import { startPmxcfs } from '../lab/pmxcfs.ts';

const nodes = ['pve2', 'ruapehu', 'pihanga', 'hikurangi'] as const;
export const fleetNames = [...nodes, 'pbs', 'truenas-bu', 'synology'] as const;

/** Seven hosts of the example site, as they are before the first apply. Answers with the directory of the site. */
export async function exampleFleet(): Promise<string> {
  const hosts: LabHost[] = [
    ...(await Promise.all(nodes.map((name) => startHost({ image: 'debian', name })))),
    await pbsHost({ datastore: 'pbs-datastore' }),
    await startHost({ image: 'debian', name: 'truenas-bu', platform: 'truenas' }),
    await startHost({ image: 'nas-flock', name: 'synology' }),
  ];
  for (const host of hosts.slice(0, nodes.length)) await startPmxcfs(host);
  return exampleSite(hosts, { alone: true });
}
