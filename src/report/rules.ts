import { showWhere } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import { jsonDocument, schemaVersion } from './json.ts';
import type { Palette } from './palette.ts';
import { indent } from './paragraphs.ts';
import { plural } from './summary.ts';
import { visibleLine } from './visible.ts';

/** What one rule of the site came to. */
export interface ShownVerdict {
  readonly rule: { readonly code: string; readonly level: Finding['level']; readonly about: string };
  readonly findings: readonly Finding[];
  readonly silenced: readonly { readonly finding: Finding; readonly reason: string }[];
}

/** Rules with what they found, for people. Ends with a line break. */
export function rulesText(verdicts: readonly ShownVerdict[], palette: Palette): string {
  const width = Math.max(0, ...verdicts.map(({ rule }) => rule.code.length));
  const lines = verdicts.flatMap((verdict) => [
    head(verdict, width, palette),
    ...indent([
      ...verdict.findings.flatMap((finding) => found(finding, palette)),
      ...verdict.silenced.flatMap(({ finding, reason }) => quiet(finding, reason, palette)),
    ]),
  ]);
  return `${[...lines, '', summary(verdicts)].join('\n')}\n`;
}

function head({ rule, findings, silenced }: ShownVerdict, width: number, palette: Palette): string {
  const paint = rule.level === 'error' ? palette.bad : palette.unsure;
  const outcome =
    findings.length > 0
      ? paint(plural(findings.length, rule.level).padEnd(11))
      : (silenced.length > 0 ? palette.faint : palette.good)(
          (silenced.length > 0 ? 'silenced' : 'fine').padEnd(11),
        );
  return `${outcome} ${palette.strong(rule.code.padEnd(width))}  ${palette.faint(rule.about)}`;
}

/** The position starts the line: editors and terminals make a link of it. */
function found({ level, message, hint, where, against, hosts, about, procedure }: Finding, palette: Palette) {
  const place = where === undefined ? '' : `${visibleLine(showWhere(where))}: `;
  const named = [
    ...(hosts.length > 0 ? [`hosts: ${hosts.join(', ')}`] : []),
    ...(about === undefined || about === '' ? [] : [`about ${about}`]),
  ].join('; ');
  return [
    `${palette.strong(place)}${(level === 'error' ? palette.bad : palette.unsure)(`${level}:`)} ${visibleLine(message)}`,
    ...indent(
      [
        ...(against === undefined ? [] : [`${visibleLine(showWhere(against))}: what it is compared with`]),
        visibleLine(hint),
        ...(procedure === undefined ? [] : [`$ ${visibleLine(procedure)}`]),
        ...(named === '' ? [] : [palette.faint(visibleLine(named))]),
      ],
      4,
    ),
  ];
}

function quiet({ message, where }: Finding, reason: string, palette: Palette): string[] {
  const place = where === undefined ? '' : `${visibleLine(showWhere(where))}: `;
  return [
    palette.faint(`${place}silenced: ${visibleLine(message)}`),
    ...indent([palette.faint(`because: ${visibleLine(reason)}`)], 4),
  ];
}

function summary(verdicts: readonly ShownVerdict[]): string {
  const all = verdicts.flatMap(({ findings }) => findings);
  const of = (level: Finding['level']) => all.filter((finding) => finding.level === level).length;
  const silenced = verdicts.flatMap((verdict) => verdict.silenced).length;
  const parts = [
    ...(of('error') > 0 ? [plural(of('error'), 'error')] : []),
    ...(of('warning') > 0 ? [plural(of('warning'), 'warning')] : []),
    ...(silenced > 0 ? [`${silenced} silenced`] : []),
  ];
  return `${plural(verdicts.length, 'rule')}: ${parts.length > 0 ? parts.join(', ') : 'all fine'}`;
}

/** The same as one JSON document; docs/report.schema.json describes it. */
export function rulesJson(verdicts: readonly ShownVerdict[], exit: number): string {
  return jsonDocument({
    schema: schemaVersion,
    command: 'rules',
    exit,
    hosts: [],
    errors: [],
    rules: verdicts.map(({ rule, findings, silenced }) => ({
      rule: rule.code,
      level: rule.level,
      about: rule.about,
      outcome: findings.length > 0 ? 'found' : silenced.length > 0 ? 'silenced' : 'fine',
      findings: findings.map(findingObject),
      silenced: silenced.map(({ finding, reason }) => ({ ...findingObject(finding), reason })),
    })),
  });
}

function findingObject({ level, hosts, about, message, hint, where, against, procedure }: Finding) {
  return {
    level,
    hosts,
    about: about ?? null,
    message,
    hint,
    procedure: procedure ?? null,
    where: where ?? null,
    against: against ?? null,
  };
}
