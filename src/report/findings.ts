import type { Finding } from '../model/finding.ts';
import type { HostRun } from '../model/run.ts';
import type { Case } from './cases.ts';
import type { Palette } from './palette.ts';
import { indent } from './paragraphs.ts';
import { severity } from './tally.ts';
import { visible, visibleLine } from './visible.ts';

/** Stands where the name of a host stands: these are about several. */
const head = 'across hosts';

/** What the hosts show together, for people; '' when there is nothing. */
export function findingsText(findings: readonly Finding[], palette: Palette): string {
  if (findings.length === 0) return '';
  const lines = findings.flatMap((finding) => findingLines(finding, palette));
  return [palette.strong(head), ...indent(lines)].join('\n');
}

function findingLines({ rule, hosts, suspect, message, hint, procedure }: Finding, palette: Palette) {
  const text = visible(message).trimEnd().split('\n');
  return [
    `${palette.bad(rule)}  ${palette.faint(visibleLine(hosts.join(', ')))}`,
    ...indent(
      [
        ...text,
        ...(suspect === undefined ? [] : [`suspect: ${visibleLine(suspect)}`]),
        `to do: ${visibleLine(hint)}`,
        ...(procedure === undefined ? [] : [`$ ${visibleLine(procedure)}`]),
      ],
      4,
    ),
  ];
}

/** The same for test report formats. Red only beside a host that is: what it explains must not make a good run a bad one. */
export function findingCases(findings: readonly Finding[], runs: readonly HostRun[]): Case[] {
  return findings.map(({ rule, hosts, suspect, message, hint, procedure }) => {
    const red = runs.some((run) => hosts.includes(run.host) && severity(run) > 0);
    const about = suspect ?? hosts[0] ?? '';
    return {
      host: head,
      role: head,
      id: `${rule} ${about}`.trimEnd(),
      status: red ? 'fail' : 'skip',
      message: [message, `hosts: ${hosts.join(', ')}`, hint, ...(procedure ? [`$ ${procedure}`] : [])].join(
        '\n',
      ),
    };
  });
}

/** Keys are always all there; what is missing is null. */
export function findingObject(finding: Finding) {
  const { rule, level, hosts, suspect, about, message, hint, procedure, where, against } = finding;
  return {
    rule,
    level,
    hosts,
    suspect: suspect ?? null,
    about: about ?? null,
    message,
    hint,
    procedure: procedure ?? null,
    where: where ?? null,
    against: against ?? null,
  };
}
