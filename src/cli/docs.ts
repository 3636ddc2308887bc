import type { Command, Option } from 'commander';

/** docs/cli.md, from the definitions that the program itself runs on; a test says when the file is stale. */
export function cliDocs(root: Command): string {
  const commands = leaves(root);
  return [
    '# Command line',
    '',
    '<!-- Written from src/cli/program.ts by src/cli/docs.ts; do not edit. `npx vitest run test/unit/cli/docs.test.ts -u` writes it again. -->',
    '',
    root.description(),
    '',
    '## Options of every command',
    '',
    ...optionTable(root.options),
    ...commands.flatMap(commandDocs),
    '## Exit codes',
    '',
    '| code | means |',
    '|---|---|',
    ...exitRows.map(([code, means]) => `| ${code} | ${means} |`),
    '',
    'With several hosts the worst one decides. Errors are printed on standard error in every format;',
    'the report is all that is ever printed on standard output. The JSON document is described by',
    '[report.schema.json](report.schema.json).',
    '',
  ].join('\n');
}

const exitRows: readonly (readonly [number, string])[] = [
  [0, 'as wanted'],
  [1, 'bad input or usage; no host was contacted'],
  [2, 'differences (`diff`)'],
  [3, 'a host is unreachable'],
  [4, 'a change or a check failed'],
  [5, 'refused for safety'],
  [6, 'changed since the plan was made'],
  [7, 'locked by another run'],
  [8, 'unknown: something could not be looked at'],
  [130, 'interrupted with ^C; what runs on a host goes on there'],
];

function leaves(command: Command): Command[] {
  return command.commands.flatMap((child) => (child.commands.length > 0 ? leaves(child) : [child]));
}

function commandDocs(command: Command): string[] {
  const words = [command.name()];
  for (let up = command.parent; up !== null; up = up.parent) words.unshift(up.name());
  const args = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  const described = command.registeredArguments.map((argument) => {
    const fallback = argument.defaultValue === undefined ? '' : ` (default ${argument.defaultValue})`;
    return `\`${argument.name()}\`: ${cell(argument.description)}${fallback}.`;
  });
  return [
    `## ${words.slice(1).join(' ')}`,
    '',
    command.description(),
    '',
    `    ${[...words, ...args].join(' ')}${command.options.length > 0 ? ' [options]' : ''}`,
    '',
    ...described.flatMap((line) => [line, '']),
    ...optionTable(command.options),
  ];
}

function optionTable(options: readonly Option[]): string[] {
  if (options.length === 0) return [];
  return ['| option | means |', '|---|---|', ...options.map(optionRow), ''];
}

function optionRow(option: Option): string {
  const choices = option.argChoices ? `: ${option.argChoices.join(', ')}` : '';
  const plain = typeof option.defaultValue === 'string' || typeof option.defaultValue === 'number';
  const fallback = plain ? ` (default \`${option.defaultValue}\`)` : '';
  return `| \`${option.flags}\` | ${cell(option.description)}${choices}${fallback} |`;
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/<(?=[a-z])/g, '&lt;');
}
