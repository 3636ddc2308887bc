import { InputErrors, ProvisionError } from '../model/errors.ts';
import type { Context, Host } from '../model/host.ts';
import type { HostWork } from '../model/run.ts';
import type { ExpandOptions } from '../roles/expand.ts';
import type { Site } from '../roles/site.ts';
import type { CommonOptions, SelectionOptions } from './options.ts';
import { identityFile, placesOf } from './places.ts';
import { type Meant, meant, selectHosts } from './selection.ts';
import type { Terminal } from './terminal.ts';

/** Reads inventory, roles and templates. Every mistake is told before any host is contacted. */
export async function openSite(options: Pick<CommonOptions, 'inventory'>, terminal: Terminal): Promise<Site> {
  const [{ loadSite }, { resourceTypes }] = await Promise.all([
    import('../roles/site.ts'),
    import('../resources/index.ts'),
  ]);
  return loadSite(placesOf(options.inventory), {
    types: resourceTypes,
    identityFile: identityFile(terminal.env),
    env: terminal.env,
  });
}

/** Expands hosts; mistakes of all of them, cycles too, are told together. */
export async function expandHosts(
  site: Site,
  hosts: readonly { readonly name: string }[],
  options: ExpandOptions = {},
): Promise<HostWork[]> {
  const [{ expandHost }, { sortMistakes }, { order }] = await Promise.all([
    import('../roles/expand.ts'),
    import('../roles/sort.ts'),
    import('../plan/order.ts'),
  ]);
  const work: HostWork[] = [];
  const mistakes: ProvisionError[] = [];
  for (const { name } of hosts) {
    try {
      const expanded = await expandHost(site, name, options);
      // Only for its complaint: the engine orders again once the host is known, too late to say that nobody was contacted.
      order(expanded.resources, contextOf(expanded.host));
      work.push(expanded);
    } catch (error) {
      if (error instanceof InputErrors) mistakes.push(...error.errors);
      else if (error instanceof ProvisionError && error.code === 'input') mistakes.push(error);
      else throw error;
    }
  }
  if (mistakes.length > 0) throw new InputErrors(sortMistakes(mistakes));
  return work;
}

/** What its resources want is asked for before the host is connected to: a tree is known by its session. */
export function contextOf({ name, platform, connection }: Host): Context {
  return { host: name, platform, live: connection.session !== 'root' };
}

/** The hosts a command is about, expanded and judged by the rules of the site, and what of them is meant. */
export async function selectedWork(
  options: SelectionOptions & Pick<CommonOptions, 'inventory'>,
  terminal: Terminal,
): Promise<{ site: Site; work: HostWork[]; meant: Meant }> {
  const site = await openSite(options, terminal);
  const [work, { ruled }] = await Promise.all([
    expandHosts(site, selectHosts(site.hosts, options, site.groups)),
    import('./judged.ts'),
  ]);
  return { site, work: await ruled(site, work), meant: meant(work, options) };
}

/** How one host is reached, without expanding its roles or opening any secret. */
export async function hostNamed(site: Site, name: string): Promise<Host> {
  const [{ hostOf }, { baseScope }] = await Promise.all([
    import('../roles/host.ts'),
    import('../roles/variables.ts'),
  ]);
  selectHosts(site.hosts, { host: [name], group: [], role: [] }, site.groups);
  return hostOf(site, name, baseScope(site, name, new Set(), []));
}
