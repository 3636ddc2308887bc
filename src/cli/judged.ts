import type { FileText } from '../inventory/texts.ts';
import type { Check } from '../model/check.ts';
import { InputErrors, ProvisionError, showWhere } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import type { HostWork } from '../model/run.ts';
import type { Expanded } from '../roles/expand.ts';
import type { Site } from '../roles/site.ts';
import type { Verdict } from '../site/judge.ts';
import type { HostInput, Part, Picture } from '../site/picture.ts';

/**
 * The picture of a whole site. Hosts that are expanded already are taken as they are, the others are expanded without opening
 * a secret: rules need all of them, whichever are selected. Throws InputErrors with the mistakes of all.
 */
export async function pictureOf(
  site: Site,
  work: readonly Expanded[] = [],
  texts: readonly FileText[] | null = null,
): Promise<Picture> {
  const [{ makePicture }, { expandHost }, { sortMistakes }] = await Promise.all([
    import('../site/picture.ts'),
    import('../roles/expand.ts'),
    import('../roles/sort.ts'),
  ]);
  const { roleNode } = await import('../roles/variables.ts');
  const mistakes: ProvisionError[] = [];
  const hosts: HostInput[] = [];
  for (const { name, platform, address, groups, roles, from } of site.hosts) {
    try {
      const known = work.find((one) => one.host.name === name);
      const expanded = known ?? (await expandHost(site, name, { sealed: true }));
      const variables = new Map(
        roles.flatMap((role) => {
          const node = roleNode(site, name, role);
          return node === undefined ? [] : [[role, node] as const];
        }),
      );
      const { node } = site.file(name);
      hosts.push({ name, platform, address, groups, roles, from, node, variables, parts: partsOf(expanded) });
    } catch (error) {
      if (!(error instanceof InputErrors)) throw error;
      mistakes.push(...error.errors);
    }
  }
  if (mistakes.length > 0) throw new InputErrors(sortMistakes(mistakes));
  return makePicture(site.inventory.node, hosts, texts);
}

function partsOf({ resources, checks }: Expanded): Part[] {
  return [...resources, ...checks.map(({ resource }) => resource)].map(({ type, spec, asked, from }) => ({
    type: type.name,
    spec,
    where: asked ?? from,
  }));
}

/** What the rules say of a site. Throws InputErrors where a silence names what is not there. */
export async function verdicts(picture: Picture): Promise<Verdict[]> {
  const { judge, unknownNames } = await import('../site/judge.ts');
  const unknown = unknownNames(picture);
  if (unknown.length > 0) throw new InputErrors(unknown);
  return judge(picture);
}

/**
 * Hosts with the checks that follow from the jobs of the whole site, besides those of their roles. They are for `check` alone: what
 * ran last night says nothing of what an apply has just done.
 */
export async function withProofs(site: Site, work: readonly HostWork[]): Promise<HostWork[]> {
  const [{ proofsOf }, seen] = await Promise.all([import('../site/proofs.ts'), pictureOf(site, work)]);
  return work.map((one) => {
    const host = seen.hosts.find(({ name }) => name === one.host.name);
    const proofs = host === undefined ? [] : proofsOf(seen, host);
    const checks = proofs.flatMap(({ id, about, role, type: name, spec, where }): Check[] => {
      const type = site.types.get(name);
      if (type === undefined) return [];
      const resource = {
        id: `${name}:${type.identity(spec)}`,
        type,
        spec,
        role,
        from: where,
        secret: false,
        after: [],
      };
      return [{ id, about, role, resource, from: where }];
    });
    return checks.length === 0 ? one : { ...one, checks: [...one.checks, ...checks] };
  });
}

/**
 * Hosts with what the rules found as notices. Throws InputErrors with the errors that concern one of them; what concerns only
 * other hosts does not hold up the work on these.
 */
export async function ruled(site: Site, work: readonly HostWork[]): Promise<HostWork[]> {
  const picture = await pictureOf(site, work);
  const findings = (await verdicts(picture)).flatMap((verdict) => verdict.findings);
  const names = work.map(({ host }) => host.name);
  const concerned = findings.filter(({ hosts }) => hosts.some((name) => names.includes(name)));
  const errors = concerned.filter(({ level }) => level === 'error').map(asError);
  if (errors.length > 0) {
    const { sortMistakes } = await import('../roles/sort.ts');
    throw new InputErrors(sortMistakes(errors));
  }
  return work.map((one) => {
    const own = concerned.filter(({ hosts }) => hosts.find((name) => names.includes(name)) === one.host.name);
    return own.length === 0 ? one : { ...one, notices: [...(one.notices ?? []), notice(own)] };
  });
}

function asError({ rule, message, hint, hosts, where, against }: Finding): ProvisionError {
  const other = against === undefined ? '' : `; compare ${showWhere(against)}`;
  return new ProvisionError('input', message, {
    where,
    host: hosts[0],
    hint: `${hint}${other} (rule ${rule})`,
  });
}

/** One line, however much there is to say: the findings are the same every night, and `provision rules` tells them whole. */
function notice(findings: readonly Finding[]): string {
  const codes = [...new Set(findings.map(({ rule }) => rule))].map((code) => {
    const count = findings.filter(({ rule }) => rule === code).length;
    return count === 1 ? code : `${code} (${count})`;
  });
  return `rules of the site warn of this host: ${codes.join(', ')}; see: provision rules`;
}
