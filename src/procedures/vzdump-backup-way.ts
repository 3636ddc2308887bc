import type { Parameters, Reason } from '../model/procedure.ts';
import { no } from './reasons.ts';
import { hostNamed, type JobWish, type ProcedureHost, type ProcedureSite } from './site.ts';

/** How one guest is backed up, and what a person should know of it. */
export interface BackupWay {
  readonly storage: string;
  readonly mode: string;
  /** Further arguments of vzdump. */
  readonly options: readonly string[];
  readonly says: readonly string[];
}

/** What the inventory says of the backups of a guest, with what was given instead; or why it says nothing that can be used. */
export function wayOf(
  site: ProcedureSite,
  host: string,
  vmid: number,
  { storage, mode }: Parameters,
): BackupWay | Reason {
  const node = hostNamed(site, host);
  const jobs = (node?.jobs ?? []).filter((job) => backsUp(job, host, vmid));
  const given = typeof storage === 'string' ? storage : undefined;
  const places = [...new Set(jobs.flatMap((job) => job.storage ?? []))];
  if (given === undefined && places.length > 1)
    return no(
      `the jobs of ${host} back up guest ${vmid} to ${places.join(' and ')}`,
      'name one with --set storage=...; nothing was changed',
    );
  const job = jobs.find((one) => given !== undefined && one.storage === given) ?? jobs[0];
  const target = given ?? job?.storage;
  const meant = job?.mode ?? modeOfClass(node, vmid);
  const how = typeof mode === 'string' ? mode : meant;
  if (target === undefined || how === undefined)
    return no(
      `no job of the inventory backs up guest ${vmid} of ${host}`,
      `say how with --set storage=... --set mode=snapshot|suspend|stop; for its backups to come, give it a storage in the inventory. Nothing was changed`,
    );
  const says = [
    job === undefined
      ? `no job of the inventory backs up guest ${vmid}: this backup is the only one`
      : `its job ${job.id} says: to ${job.storage ?? 'no storage'}, mode ${job.mode ?? 'not said'}`,
    ...(meant !== undefined && meant !== how ? [contradiction(how, meant)] : []),
  ];
  return { storage: target, mode: how, options: job?.options ?? [], says };
}

function backsUp(job: JobWish, host: string, vmid: number): boolean {
  if (job.enabled === false || (job.node !== undefined && job.node !== host)) return false;
  if (job.all) return !job.exclude?.includes(vmid);
  return job.vmid?.includes(vmid) === true;
}

/** What the policy of the role backup-jobs says of the class of a guest that is in no job. */
function modeOfClass(host: ProcedureHost | undefined, vmid: number): string | undefined {
  const name = host?.guests.find((guest) => guest.vmid === vmid)?.class;
  const policy: unknown = host?.values.get('backup-jobs')?.policy;
  if (name === undefined || typeof policy !== 'object' || policy === null) return undefined;
  const own: unknown = Object.entries(policy).find(([key]) => key === name)?.[1];
  if (typeof own !== 'object' || own === null || !('mode' in own)) return undefined;
  return typeof own.mode === 'string' ? own.mode : undefined;
}

function contradiction(how: string, meant: string): string {
  const why =
    meant === 'stop'
      ? ': it writes all the time, and what it writes may be halfway in this backup'
      : how === 'stop'
        ? ': it is not reached by anybody meanwhile'
        : '';
  return `mode ${how} contradicts its policy, which is ${meant}${why}`;
}
