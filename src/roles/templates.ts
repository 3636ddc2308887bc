import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { errno, readText } from '../inventory/read.ts';
import { shown } from '../inventory/wording.ts';
import { ProvisionError, type Where } from '../model/errors.ts';
import { compileTemplate, type Template } from './template.ts';

/** The templates of a site, each read and compiled once. */
export interface Templates {
  /** Reads a template; its mistakes go to `mistakes`, once. */
  prepare(name: string, asked: Where, mistakes: ProvisionError[]): Promise<void>;
  /** undefined when it was not prepared or has mistakes. */
  get(name: string): Template | undefined;
}

export function templatesIn(directory: string): Templates {
  const ready = new Map<string, Template | undefined>();
  return {
    get: (name) => ready.get(name),
    prepare: async (name, asked, mistakes) => {
      if (ready.has(name)) return;
      ready.set(name, undefined);
      try {
        const file = await inside(directory, name, asked);
        const source = await readText(file);
        if (source === undefined) throw missing(directory, name, asked);
        ready.set(name, await compileTemplate(file, source));
      } catch (error) {
        if (!(error instanceof ProvisionError)) throw error;
        mistakes.push(error);
      }
    },
  };
}

/** The path of a template, which must lie below the directory even after links are followed. */
async function inside(directory: string, name: string, asked: Where): Promise<string> {
  const file = join(directory, name);
  const out = new ProvisionError('input', `the template ${shown(name)} lies outside ${directory}/`, {
    where: asked,
    hint: `templates are files below ${directory}/, named from there: NAME/FILE.hbs`,
  });
  if (isAbsolute(name) || name.split('/').includes('..')) throw out;
  try {
    const [real, root] = await Promise.all([realpath(file), realpath(directory)]);
    const way = relative(root, real);
    if (way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) throw out;
    return file;
  } catch (error) {
    if (error === out) throw error;
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') throw missing(directory, name, asked);
    throw new ProvisionError('input', `the template ${shown(name)} cannot be read: ${errno(error)}`, {
      where: asked,
    });
  }
}

function missing(directory: string, name: string, asked: Where): ProvisionError {
  return new ProvisionError('input', `the template ${shown(name)} is missing`, {
    where: asked,
    hint: `it would be ${join(directory, name)}`,
  });
}
