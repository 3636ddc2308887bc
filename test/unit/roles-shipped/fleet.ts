import { join } from 'node:path';
import { InputErrors, ProvisionError, showWhere } from '../../../src/model/errors.ts';
import { resourceTypes } from '../../../src/resources/index.ts';
import { loadSite, type Site } from '../../../src/roles/site.ts';

const project = new URL('../../../', import.meta.url).pathname;

/** The shipped roles and templates, on the example inventory or another one. */
export function shipped(inventory: string = join(project, 'inventory')): Promise<Site> {
  return loadSite(
    { inventory, roles: join(project, 'roles'), templates: join(project, 'templates') },
    { types: resourceTypes },
  );
}

let read: Promise<Site> | undefined;

/** The example fleet, read once for a test file. */
export function example(): Promise<Site> {
  read ??= shipped();
  return read;
}

/** Mistakes as a person would read them; throws what is no mistake of the input. */
export function complaints(error: unknown): string[] {
  if (error instanceof InputErrors) return error.errors.map(shown);
  if (error instanceof ProvisionError && error.code === 'input') return [shown(error)];
  throw error;
}

function shown(error: ProvisionError): string {
  return `${error.where ? `${showWhere(error.where)}: ` : ''}${error.message}`;
}
