import { cell } from './resource-docs.ts';

/** As much of a rule as its page shows. */
export interface RuleTexts {
  readonly code: string;
  readonly level: 'error' | 'warning';
  readonly about: string;
  readonly why: string;
  readonly compares: readonly [string, string];
}

/** docs/rules.md, from the rules themselves, so that it cannot say something else. */
export function rulesPage(rules: readonly RuleTexts[]): string {
  const parts = [
    '<!-- Made from src/site/rules by `npm run docs`; do not edit. -->',
    '# Rules of the site',
    intro,
    ['| rule | level | what must hold |', '|---|---|---|', ...rules.map(row)].join('\n'),
    silencing,
    ...rules.map(section),
  ];
  return `${parts.join('\n\n')}\n`;
}

const intro = `A site whose files are each in order can still be one that cannot work: a mount that the server does not admit, a job whose
storage may hold no backups. Each rule holds two places of the inventory against each other, on all hosts, before any of them is
contacted; no secret is decrypted for it.

    provision rules
    provision rules --rule guest-in-job --format json

Errors end \`diff\`, \`apply\` and \`check\` with exit code 1 when they concern a selected host. Procedures run all the same: they may be
what mends it. The report of a host names the rules that warn of it. \`provision rules\` ends with 1 when there is an error, and
with 0 when there are warnings only. What the inventory cannot tell (members of a pool, a server that is no host of the site) is
not judged.`;

const silencing = `## Silencing

In \`inventory/site.yaml\`, with a reason. \`host\` and \`about\` narrow it to what \`provision rules\` shows in the last line of a finding:

\`\`\`yaml
silence:
  - rule: pbs-own-copy
    host: pihanga
    about: guest:101
    reason: a copy of it is made by hand on the first of each month
\`\`\`

A silenced error stops nothing. A silence that is about nothing is told as a warning.`;

function row({ code, level, about }: RuleTexts): string {
  return `| [${code}](#${code}) | ${level} | ${cell(about)} |`;
}

function section({ code, level, about, why, compares: [one, other] }: RuleTexts): string {
  return `## ${code}\n\n${about} Otherwise: ${why}\n\nCompares ${one} with ${other}. Level: ${level}.`;
}
