import { didYouMean } from '../inventory/wording.ts';
import { ProvisionError, showWhere, type Where } from '../model/errors.ts';
import type { Resource } from '../model/resource.ts';
import type { Scope } from './values.ts';

/**
 * What must hold across the resources of one host: every id once, every place made by one resource, no entry of a file whose
 * whole content another resource owns, and `after` names resources that exist. `skipped`: ids that a `when` left out.
 */
export function checkOwners(
  resources: readonly Resource[],
  skipped: ReadonlySet<string>,
  scope: Scope,
): void {
  const ids = new Map<string, Resource>();
  const owners = new Map<string, Resource>();
  const told = new Set<string>();
  const say = (resource: Resource, message: string, hint: string) =>
    scope.mistakes.push(
      new ProvisionError('input', message, { where: written(resource), host: scope.host, hint }),
    );
  for (const resource of resources) {
    const same = ids.get(resource.id);
    if (same !== undefined) {
      say(resource, `${resource.id} is there twice; the other one: ${origin(same)}`, 'remove one of them');
      continue;
    }
    ids.set(resource.id, resource);
    for (const place of resource.type.provides?.(resource.spec) ?? []) {
      const owner = owners.get(place);
      if (owner === undefined) owners.set(place, resource);
      else if (owner !== resource && !told.has(`${owner.id} ${resource.id}`)) {
        told.add(`${owner.id} ${resource.id}`);
        const name = place.slice(place.indexOf(':') + 1);
        const message = `two owners of ${name}: ${resource.id} and ${owner.id} (${origin(owner)})`;
        say(resource, message, 'keep one of them, or give one another name');
      }
    }
  }
  checkParts(owners, say);
  for (const resource of resources) checkAfter(resource, ids, skipped, say);
}

type Say = (resource: Resource, message: string, hint: string) => void;

/** An entry of a file and the whole file cannot both be owned: each would undo the other on every run. */
function checkParts(owners: ReadonlyMap<string, Resource>, say: Say): void {
  for (const [place, resource] of owners) {
    if (!place.startsWith('part:')) continue;
    const hash = place.indexOf('#');
    const path = place.slice('part:'.length, hash < 0 ? undefined : hash);
    const whole = owners.get(`content:${path}`);
    if (whole === undefined || whole === resource) continue;
    const message = `${resource.id} is part of ${path}, and ${whole.id} owns the whole of it (${origin(whole)})`;
    say(resource, message, `put the entry into the content of ${whole.id}, or let go of the whole file`);
  }
}

function checkAfter(
  resource: Resource,
  ids: ReadonlyMap<string, Resource>,
  skipped: ReadonlySet<string>,
  say: Say,
): void {
  for (const id of resource.after) {
    if (id === resource.id) say(resource, `${id} comes after itself`, 'remove it from "after"');
    else if (!ids.has(id) && !skipped.has(id)) {
      const hint = didYouMean(id, [...ids.keys()]) ?? 'ids are TYPE:NAME; provision list shows them';
      say(resource, `"after" of ${resource.id} names ${id}, which does not exist on this host`, hint);
    }
  }
}

function origin(resource: Resource): string {
  return `role ${resource.role}, ${showWhere(written(resource))}`;
}

/** Where its name stands in the inventory, if the role does not say it itself. */
function written(resource: Resource): Where {
  return resource.asked ?? resource.from;
}
