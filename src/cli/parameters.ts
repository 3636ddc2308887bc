import { fromPlain, loadSchemas } from '../inventory/schema.ts';
import { didYouMean, listed } from '../inventory/wording.ts';
import { InputErrors, ProvisionError } from '../model/errors.ts';
import type { ComputedProcedure, Parameters } from '../model/procedure.ts';
import type { Schema } from '../model/resource.ts';

/**
 * Values of a procedure's parameters: those behind its name in the order it declares, those of --set, defaults for the others. Typed
 * as it declares them (`1031` is a number where a number is asked for, `a,b` a list), judged by its schemas. A default of null: it may
 * be left out.
 */
export async function parametersOf(
  procedure: Pick<ComputedProcedure, 'id' | 'parameters' | 'positional'>,
  positional: readonly string[],
  set: Readonly<Record<string, string>>,
): Promise<Parameters> {
  const { id, parameters: declared } = procedure;
  const names = procedure.positional ?? [];
  const mistakes: ProvisionError[] = [];
  const say = (message: string, hint: string) => {
    mistakes.push(new ProvisionError('input', message, { hint }));
  };
  if (positional.length > names.length) {
    const takes = names.length === 0 ? 'takes no values behind its name' : `takes only ${names.join(', ')}`;
    say(
      `${positional.slice(names.length).join(' ')}: ${id} ${takes}`,
      'other parameters are given with --set NAME=VALUE',
    );
  }
  const given = new Map(
    names.slice(0, positional.length).map((name, index) => [name, positional[index] ?? '']),
  );
  for (const [name, value] of Object.entries(set)) {
    if (given.has(name))
      say(`${name} is given twice`, 'once behind the name of the procedure, once with --set');
    else if (!Object.hasOwn(declared, name)) {
      const known = Object.keys(declared);
      const hint =
        didYouMean(name, known) ?? (known.length > 0 ? `it takes: ${listed(known)}` : 'leave it out');
      say(`unknown parameter "${name}" for ${id}`, hint);
    } else given.set(name, value);
  }
  const values: Record<string, unknown> = {};
  const schemas = await loadSchemas();
  for (const [name, schema] of Object.entries(declared)) {
    const text = given.get(name);
    const value = text === undefined ? schema.default : typed(text, schema);
    if (value !== undefined && value !== null) values[name] = value;
    if (value === undefined) {
      const about = typeof schema.description === 'string' ? ` (${schema.description})` : '';
      const how = names.includes(name) ? `provision run ${id} ${name.toUpperCase()}` : `--set ${name}=VALUE`;
      say(`the parameter ${name} of ${id} is missing`, `add it: ${how}${about}`);
    }
    if (text === undefined) continue;
    const here = { file: 'command line', line: 1, column: 1 };
    const judged = schemas.judge(schema)(fromPlain(value, here), { name });
    for (const { message, hint } of judged) say(message, hint ?? String(schema.description ?? ''));
  }
  const [first] = mistakes;
  if (first !== undefined) throw mistakes.length === 1 ? first : new InputErrors(mistakes);
  return values;
}

function typed(text: string, schema: Schema): unknown {
  if (schema.type === 'array') return text.split(',').map((item) => item.trim());
  const numeric = schema.type === 'integer' || schema.type === 'number';
  if (numeric && String(Number(text)) === text) return Number(text);
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
