import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { packageRoot } from './package.ts';
import type { Terminal } from './terminal.ts';

/** Directories that make a site. */
export interface Places {
  readonly inventory: string;
  readonly roles: string;
  readonly templates: string;
}

/** Roles and templates lie beside the inventory; a site without roles of its own uses those that come with the package. */
export function placesOf(inventory: string): Places {
  const beside = dirname(resolve(inventory));
  // As typed where it can be: errors then name files as the reader knows them.
  const near = (name: string) => (dirname(inventory) === '.' ? name : join(dirname(inventory), name));
  if (existsSync(join(beside, 'roles')))
    return { inventory, roles: near('roles'), templates: near('templates') };
  const shipped = packageRoot();
  return { inventory, roles: join(shipped, 'roles'), templates: join(shipped, 'templates') };
}

/** The age key that opens the secrets: PROVISION_AGE_KEY_FILE, or provision/age.key in the user's configuration. */
export function identityFile(env: Terminal['env']): string | undefined {
  if (env.PROVISION_AGE_KEY_FILE) return env.PROVISION_AGE_KEY_FILE;
  if (env.XDG_CONFIG_HOME) return join(env.XDG_CONFIG_HOME, 'provision', 'age.key');
  return env.HOME ? join(env.HOME, '.config', 'provision', 'age.key') : undefined;
}
