/** A step of a path: a name, or a path whose value is the name: `[item.class]`. */
export type PathStep = string | readonly string[];
/** What a text is made of. */
export type Part = { readonly text: string } | { readonly path: readonly PathStep[] };

const plainPath = '[A-Za-z_][A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+)*';
const pathForm = new RegExp(`^[A-Za-z_][A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]+|\\[${plainPath}\\])*$`);

/** `a ${b.c} $${d}` in parts; a text in place of parts says what is wrong with it. */
export function parseText(value: string): readonly Part[] | string {
  const parts: Part[] = [];
  let text = '';
  let at = 0;
  while (at < value.length) {
    const next = value.indexOf('${', at);
    if (next < 0) break;
    if (value[next - 1] === '$' && next > at) {
      text += `${value.slice(at, next - 1)}\${`;
      at = next + 2;
      continue;
    }
    const end = value.indexOf('}', next);
    const inside = end < 0 ? value.slice(next + 2, next + 22) : value.slice(next + 2, end);
    if (end < 0) return `\${${inside} has no closing brace`;
    if (!pathForm.test(inside))
      return `\${${inside.slice(0, 60)}} is not a name; only names with dots are read, nothing is computed`;
    text += value.slice(at, next);
    if (text !== '') parts.push({ text });
    text = '';
    parts.push({ path: pathSteps(inside) });
    at = end + 1;
  }
  text += value.slice(at);
  if (text !== '' || parts.length === 0) parts.push({ text });
  return parts;
}

/** `policy[item.class].mode` in steps. */
function pathSteps(path: string): PathStep[] {
  return [...path.matchAll(/\[([^\]]+)\]|([^.[\]]+)/g)].map(([, inner, name]) =>
    inner === undefined ? (name ?? '') : inner.split('.'),
  );
}

/** As it was written. */
export function shownPath(path: readonly PathStep[]): string {
  return path
    .map((step, index) =>
      typeof step !== 'string' ? `[${step.join('.')}]` : index === 0 ? step : `.${step}`,
    )
    .join('');
}
