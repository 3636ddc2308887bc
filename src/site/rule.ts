import type { Finding } from '../model/finding.ts';
import type { Picture } from './picture.ts';

/** What a rule says of one misfit; its code and level are the rule's. */
export type Misfit = Omit<Finding, 'rule' | 'level' | 'suspect'>;

/** One thing that must hold across the inventory. */
export interface Rule {
  /** `export-admits-client` */
  readonly code: string;
  readonly level: 'error' | 'warning';
  /** What must hold, in a sentence. */
  readonly about: string;
  /** What happens otherwise. */
  readonly why: string;
  /** The two places that are held against each other. */
  readonly compares: readonly [string, string];
  judge(picture: Picture): readonly Finding[];
}

/** A rule from its texts and a pure function from the picture to what does not fit. */
export function defineRule(
  texts: Omit<Rule, 'judge'>,
  misfits: (picture: Picture) => readonly Misfit[],
): Rule {
  return {
    ...texts,
    judge: (picture) =>
      misfits(picture).map((misfit) => ({ rule: texts.code, level: texts.level, ...misfit })),
  };
}
