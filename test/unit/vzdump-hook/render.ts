import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';

const templates = new URL('../../../templates/', import.meta.url);

/** Renders a template with the helpers that this role's templates use. */
export function render(template: string, context: object): string {
  const text = readFileSync(new URL(template, templates), 'utf8');
  const bars = Handlebars.create();
  bars.registerHelper('perl', (value: unknown) => `'${String(value).replace(/[\\']/g, '\\$&')}'`);
  bars.registerHelper('unit', (value: unknown) => String(value).replaceAll('%', '%%'));
  const known = { perl: true, unit: true };
  return bars.compile(text, { noEscape: true, strict: true, knownHelpers: known, knownHelpersOnly: true })(
    context,
  );
}

export const renderHook = (context: object): Promise<string> =>
  Promise.resolve(render('vzdump-hook/vzdump-hook.pl.hbs', context));
