import { didYouMean, listed } from '../inventory/wording.ts';
import { ProvisionError } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import type { Silence } from './declared.ts';
import type { Picture } from './picture.ts';
import { defineRule, type Rule } from './rule.ts';
import { rules } from './rules/index.ts';
import { noPlainSecret } from './rules/no-plain-secret.ts';

/** What one rule came to. */
export interface Verdict {
  readonly rule: Rule;
  /** What does not fit and nobody has silenced. */
  readonly findings: readonly Finding[];
  readonly silenced: readonly { readonly finding: Finding; readonly reason: string }[];
}

/** The rule about silences themselves; it cannot be silenced. */
const silenceMatches = defineRule(
  {
    code: 'silence-matches',
    level: 'warning',
    about: 'Every silence in site.yaml is about something that is found.',
    why: 'A silence that is no longer needed would hide the next finding of its kind.',
    compares: ['the silence', 'what the rules find'],
  },
  () => [],
);

/** All rules, that about silences last. */
export const allRules: readonly Rule[] = [...rules, silenceMatches];

/** Judges the whole site by all rules. */
export function judge(picture: Picture): Verdict[] {
  const used = new Set<Silence>();
  const verdicts = rules.map((rule): Verdict => {
    const found = rule.judge(picture).map((finding) => {
      const silences = picture.silences.filter((silence) => isAbout(silence, finding));
      for (const silence of silences) used.add(silence);
      return { finding, silence: silences[0] };
    });
    return {
      rule,
      findings: found.flatMap(({ finding, silence }) => (silence === undefined ? [finding] : [])),
      silenced: found.flatMap(({ finding, silence }) =>
        silence === undefined ? [] : [{ finding, reason: silence.reason }],
      ),
    };
  });
  const idle = picture.silences
    .filter((silence) => !used.has(silence))
    // Where no files were read, nothing can be found in them.
    .filter(({ rule }) => picture.texts !== null || rule !== noPlainSecret.code)
    .map(useless);
  return [...verdicts, { rule: silenceMatches, findings: idle, silenced: [] }];
}

function isAbout({ rule, host, about }: Silence, finding: Finding): boolean {
  if (rule !== finding.rule) return false;
  if (host !== undefined && !finding.hosts.includes(host)) return false;
  return about === undefined || about === finding.about;
}

function useless({ rule, host, about, where }: Silence): Finding {
  const of = [host, about].filter((word) => word !== undefined).join(', ');
  return {
    rule: silenceMatches.code,
    level: silenceMatches.level,
    hosts: host === undefined ? [] : [host],
    message: `nothing is found that this silence of ${rule}${of === '' ? '' : ` (${of})`} would be about`,
    hint: 'remove it; `provision rules` shows what is found, and what about',
    where,
  };
}

/** Rules and hosts that a silence or data set names and that are not there. */
export function unknownNames({ silences, dataSets, hosts }: Picture): ProvisionError[] {
  const codes = rules.map(({ code }) => code);
  const names = hosts.map(({ name }) => name);
  const unknown = (kind: string, word: string, known: readonly string[], where: Silence['where']) =>
    known.includes(word)
      ? []
      : [
          new ProvisionError('input', `unknown ${kind} ${JSON.stringify(word)}; allowed: ${listed(known)}`, {
            where,
            hint: didYouMean(word, known),
          }),
        ];
  return [
    ...silences.flatMap(({ rule, host, where }) => [
      ...unknown('rule', rule, codes, where),
      ...(host === undefined ? [] : unknown('host', host, names, where)),
    ]),
    ...dataSets.flatMap((set) => set.hosts.flatMap((host) => unknown('host', host, names, set.where))),
  ];
}
