import { readFile } from 'node:fs/promises';
import { fromPlain } from '../../../src/inventory/schema.ts';
import { compileTemplate } from '../../../src/roles/template.ts';

const templates = new URL('../../../templates/', import.meta.url);

/** Renders a template of this role as the program does, from plain values. */
export async function render(template: string, values: Readonly<Record<string, unknown>>): Promise<string> {
  const source = await readFile(new URL(template, templates), 'utf8');
  const compiled = await compileTemplate(template, source);
  const where = { file: 'test', line: 1, column: 1 };
  const names = new Map(Object.entries(values).map(([name, value]) => [name, fromPlain(value, where)]));
  return compiled.render(names, 'pve2').text;
}

export const renderHook = (values: Readonly<Record<string, unknown>>): Promise<string> =>
  render('vzdump-hook/vzdump-hook.pl.hbs', values);
