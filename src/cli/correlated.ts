import type { Finding } from '../model/finding.ts';
import type { HostRun, HostWork } from '../model/run.ts';
import type { Site } from '../roles/site.ts';

/**
 * What the hosts show together, with what they share as the suspect. Hosts of the site that were not asked count as not looked at; the
 * picture of the site is only made when a host shows something.
 */
export async function correlated(
  site: Site,
  work: readonly HostWork[],
  runs: readonly HostRun[],
): Promise<Finding[]> {
  const shown = runs.some(
    ({ symptoms, checks }) => (symptoms ?? []).length > 0 || checks.some((check) => check.symptoms),
  );
  if (!shown) return [];
  const [{ pictureOf }, { fleetOf }, { correlate }] = await Promise.all([
    import('./judged.ts'),
    import('../site/fleet.ts'),
    import('../site/correlate.ts'),
  ]);
  return correlate(fleetOf(await pictureOf(site, work)), runs);
}
