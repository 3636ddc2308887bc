import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { errno, readText, reason } from '../inventory/read.ts';
import { shown } from '../inventory/wording.ts';
import { ProvisionError, type Where } from '../model/errors.ts';
import { compileTemplate, type Template } from './template.ts';

/** The templates of a site, each read and compiled once. */
export interface Templates {
  /** Reads a template; its mistakes go to `mistakes`, for every host that asks for it. */
  prepare(name: string, asked: Where, mistakes: ProvisionError[]): Promise<void>;
  /** undefined when it was not prepared or has mistakes. */
  get(name: string): Template | undefined;
}

export function templatesIn(directory: string): Templates {
  const ready = new Map<string, Promise<Template | ProvisionError>>();
  const done = new Map<string, Template>();
  const load = async (name: string, asked: Where): Promise<Template | ProvisionError> => {
    try {
      const file = await inside(directory, name, asked);
      const source = await readText(file);
      if (source === undefined) throw missing(directory, name, asked);
      const template = await compileTemplate(file, source);
      done.set(name, template);
      return template;
    } catch (error) {
      if (error instanceof ProvisionError) return error;
      throw error;
    }
  };
  return {
    get: (name) => done.get(name),
    prepare: async (name, asked, mistakes) => {
      const reading = ready.get(name) ?? load(name, asked);
      ready.set(name, reading);
      const result = await reading;
      if (result instanceof ProvisionError) mistakes.push(result);
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
    throw new ProvisionError('input', `the template ${shown(name)} cannot be read: ${reason(error)}`, {
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
