import { didYouMean, listed, shown } from '../inventory/wording.ts';

/** A mistake at a place of a template; line and column count from 1. */
export class TemplateMistake extends Error {
  readonly line: number;
  readonly column: number;
  readonly hint: string | undefined;

  constructor(message: string, loc: hbs.AST.SourceLocation, hint?: string) {
    super(message);
    this.name = 'TemplateMistake';
    this.line = loc.start.line;
    this.column = loc.start.column + 1;
    this.hint = hint;
  }
}

/** Helpers that only rewritten templates call; the names cannot be written in a template. */
export const inner = { find: '%find', bare: '%bare' } as const;

const blocks = ['each', 'if', 'unless', 'with'];
const data = ['index', 'key', 'first', 'last', 'root'];

/** Names given by `as |name|` that are visible at a place. */
type Locals = readonly string[];

/**
 * The same template, with every name looked up by our own helper and every `{{x}}` printed by it. Handlebars in strict mode still
 * takes a missing name in `{{#if x}}` or `{{line x}}` for nothing, and looks up prototypes; and it would print a text as it is.
 * What our templates have no use for (partials, decorators, unknown helpers) is refused.
 */
export function rewrite(
  program: hbs.AST.Program,
  helpers: readonly string[],
  locals: Locals = [],
): hbs.AST.Program {
  const body = program.body.map((statement) => rewriteStatement(statement, helpers, locals));
  return { ...program, body };
}

function rewriteStatement(
  statement: hbs.AST.Statement,
  helpers: readonly string[],
  locals: Locals,
): hbs.AST.Statement {
  if (statement.type === 'ContentStatement' || statement.type === 'CommentStatement') return statement;
  if (isMustache(statement)) return rewriteMustache(statement, helpers, locals);
  if (isBlock(statement)) return rewriteBlock(statement, helpers, locals);
  const what = statement.type.startsWith('Partial') ? 'a partial ({{> ...}})' : 'a decorator ({{* ...}})';
  throw new TemplateMistake(`${what} is not allowed`, statement.loc, 'one file is one template');
}

function rewriteMustache(
  statement: hbs.AST.MustacheStatement,
  helpers: readonly string[],
  locals: Locals,
): hbs.AST.MustacheStatement {
  const { path, params, loc } = statement;
  if (!isPath(path))
    throw new TemplateMistake('a value cannot be written out here', loc, 'write it as plain text');
  if (params.length === 0 && statement.hash === undefined) {
    if (helpers.includes(path.original)) {
      throw new TemplateMistake(`{{${path.original}}} needs a value`, loc, `write {{${path.original} name}}`);
    }
    const place = [word(path.original, loc), number(loc.start.line, loc), number(loc.start.column, loc)];
    return {
      ...statement,
      path: name(inner.bare, loc),
      params: [rewritePath(path, locals, 'value'), ...place],
    };
  }
  callable(path, params, statement.hash, helpers, loc);
  return { ...statement, params: params.map((param) => rewriteParam(param, helpers, locals, 'value')) };
}

function rewriteBlock(
  statement: hbs.AST.BlockStatement,
  helpers: readonly string[],
  locals: Locals,
): hbs.AST.BlockStatement {
  const { path, params, loc } = statement;
  if (!blocks.includes(path.original)) {
    throw new TemplateMistake(
      `{{#${path.original}}} is not known; allowed: ${blocks.join(', ')}`,
      loc,
      didYouMean(path.original, blocks),
    );
  }
  if (params.length !== 1) throw new TemplateMistake(`{{#${path.original}}} takes one value`, loc);
  const stray = statement.hash?.pairs.find((pair) => pair.key !== 'includeZero');
  if (stray !== undefined) throw new TemplateMistake(`unknown option ${shown(stray.key)}`, loc);
  const mode = path.original === 'each' || path.original === 'with' ? path.original : 'value';
  const visible = [...locals, ...(statement.program?.blockParams ?? [])];
  return {
    ...statement,
    params: params.map((param) => rewriteParam(param, helpers, locals, mode)),
    // The parser leaves them undefined for an empty {{#if}} or one without {{else}}, whatever its types say.
    program: statement.program && rewrite(statement.program, helpers, visible),
    inverse:
      statement.inverse &&
      rewrite(statement.inverse, helpers, [...locals, ...(statement.inverse.blockParams ?? [])]),
  };
}

function rewriteParam(
  param: hbs.AST.Expression,
  helpers: readonly string[],
  locals: Locals,
  mode: string,
): hbs.AST.Expression {
  if (isPath(param)) return rewritePath(param, locals, mode);
  if (!isCall(param)) return param;
  callable(param.path, param.params, param.hash, helpers, param.loc);
  const params = param.params.map((inside) => rewriteParam(inside, helpers, locals, 'value'));
  const call: hbs.AST.SubExpression = { ...param, params };
  return call;
}

function callable(
  path: hbs.AST.PathExpression,
  params: readonly unknown[],
  hash: hbs.AST.Hash | undefined,
  helpers: readonly string[],
  loc: hbs.AST.SourceLocation,
): void {
  if (!helpers.includes(path.original)) {
    const hint =
      didYouMean(path.original, helpers) ?? 'a template computes nothing; logic belongs in a resource type';
    throw new TemplateMistake(
      `unknown helper ${shown(path.original)}; allowed: ${listed(helpers)}`,
      loc,
      hint,
    );
  }
  if (params.length !== 1 || hash !== undefined) {
    throw new TemplateMistake(`{{${path.original}}} takes one value and no options`, loc);
  }
}

/** `a.b.c` becomes `(%find <a's base> "a.b.c" mode line column "a" "b" "c")`. */
function rewritePath(path: hbs.AST.PathExpression, locals: Locals, mode: string): hbs.AST.SubExpression {
  const { loc } = path;
  const [first = '', ...rest] = path.parts.map(String);
  if (path.data && !data.includes(first)) {
    throw new TemplateMistake(
      `@${first} is not known; allowed: ${data.map((one) => `@${one}`).join(', ')}`,
      loc,
    );
  }
  const local = path.depth === 0 && !path.original.startsWith('this') && locals.includes(first);
  const whole = path.data || local;
  const base: hbs.AST.PathExpression = whole
    ? { ...path, parts: [first], original: path.data ? `@${first}` : first }
    : { ...path, parts: [], original: path.depth === 0 ? 'this' : '..' };
  const steps = whole ? rest : path.parts.map(String);
  const place = [number(loc.start.line, loc), number(loc.start.column, loc)];
  return {
    type: 'SubExpression',
    path: name(inner.find, loc),
    params: [
      base,
      word(path.original, loc),
      word(mode, loc),
      ...place,
      ...steps.map((step) => word(step, loc)),
    ],
    // The compiler reads `hash` only when there is one.
    hash: { type: 'Hash', pairs: [], loc },
    loc,
  };
}

function name(original: string, loc: hbs.AST.SourceLocation): hbs.AST.PathExpression {
  return { type: 'PathExpression', data: false, depth: 0, parts: [original], original, loc };
}

function word(value: string, loc: hbs.AST.SourceLocation): hbs.AST.StringLiteral {
  return { type: 'StringLiteral', value, original: value, loc };
}

function number(value: number, loc: hbs.AST.SourceLocation): hbs.AST.NumberLiteral {
  return { type: 'NumberLiteral', value, original: value, loc };
}

function isMustache(node: hbs.AST.Node): node is hbs.AST.MustacheStatement {
  return node.type === 'MustacheStatement';
}

function isBlock(node: hbs.AST.Node): node is hbs.AST.BlockStatement {
  return node.type === 'BlockStatement';
}

function isPath(node: hbs.AST.Node): node is hbs.AST.PathExpression {
  return node.type === 'PathExpression';
}

function isCall(node: hbs.AST.Node): node is hbs.AST.SubExpression {
  return node.type === 'SubExpression';
}
