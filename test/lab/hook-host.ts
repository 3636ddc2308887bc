import { type LabHost, startHost } from './lab.ts';
import { inventoryFor } from './site.ts';

/** Where the stand-ins keep guests, storages and faults. */
export const world = '/var/lib/proxmox-stand-ins';
export const hook = '/usr/local/bin/vzdump-hook.pl';
export const conf = '/etc/vzdump.conf';
/** Directory of the database's node, as the guest names it. */
export const data = '/var/lib/influxdb3/data/node0';

/** A node with two VMs whose services vzdump is to stop, and a backup server that is reachable. */
export async function hookHost(): Promise<LabHost> {
  const host = await startHost({ image: 'debian', name: 'pve2' });
  await host.sh(`mkdir -p /var/lib/vz
cd ${world}
echo 'pbs-pihanga pbs active 1000000 1000 999000' >storages
for vmid in 111 112; do
  mkdir -p guests/$vmid/services guests/$vmid/faults guests/$vmid/journal guests/$vmid/started guests/$vmid/root
  echo qemu >guests/$vmid/type; echo running >guests/$vmid/status; echo 'agent: 1' >guests/$vmid/config
done
for unit in 111/services/influxdb3-core 112/services/mariadb 112/services/app; do printf active >guests/$unit; done
mkdir -p guests/111/root${data}/wal guests/111/root${data}/catalog
echo idb3.001 >guests/111/root${data}/wal/00000000001.wal
echo catalog >guests/111/root${data}/catalog/00000000001.catalog`);
  // A minute after boot the timer would repair in the middle of a story. Other drop-ins are not the role's business.
  await repairAfterBoot(host, '1h');
  return host;
}

/** When the timer of the repair elapses, and nothing else makes it elapse. */
export function repairAfterBoot(host: LabHost, time: string): Promise<void> {
  const dropin = '/etc/systemd/system/vzdump-hook-repair.timer.d/lab.conf';
  return host.writeFile(dropin, `[Timer]\nOnBootSec=\nOnBootSec=${time}\nAccuracySec=100ms\n`);
}

/** A site with vzdump and its hook on that node. */
export function hookSite(host: LabHost, vars: Readonly<Record<string, unknown>> = {}, dir?: string): string {
  const guests = [
    { vmid: 111, name: 'InfluxDB', services: ['influxdb3-core'], data_dir: data },
    { vmid: 112, name: 'Db two', services: ['mariadb', 'app'] },
  ];
  return inventoryFor(
    [host],
    {
      roles: ['vzdump', 'vzdump-hook'],
      vars: {
        vzdump: { script: hook, tmpdir_free_gib: 0 },
        'vzdump-hook': { guests, settle: 1, stays_up: 10, storage: 'pbs-pihanga', ...vars },
      },
    },
    dir,
  );
}

/** The word of systemd for a service in a guest. */
export function service(host: LabHost, unit: string, vmid = 111): Promise<string> {
  return host.readFile(`${world}/guests/${vmid}/services/${unit}`);
}

/** vzdump is ended with SIGKILL while it copies guest 111, and its lock on the guest is taken away, as an operator does. */
export async function killedBackup(host: LabHost): Promise<void> {
  await host.sh(`echo 'kill copy 111' >${world}/vzdump-faults`);
  const killed = await host.exec(['vzdump', '111', '--storage', 'pbs-pihanga']);
  if (killed.code !== 137) throw new Error(`vzdump was not killed: ${killed.code} ${killed.stdout}`);
  await host.sh(`rm ${world}/vzdump-faults; qm unlock 111`);
}
