import { exitCodes } from '../model/errors.ts';
import { rulesJson, rulesText } from '../report/rules.ts';
import { allRules } from '../site/judge.ts';
import { paletteFor } from './colours.ts';
import { pictureOf, verdicts } from './judged.ts';
import type { ReportOptions } from './options.ts';
import { placesOf } from './places.ts';
import { unknownName } from './selection.ts';
import { openSite } from './site.ts';
import type { Terminal } from './terminal.ts';

interface RulesOptions extends ReportOptions {
  readonly rule: readonly string[];
}

/** All rules of the site with what they find, without contacting anyone. Errors give the exit code of bad input. */
export async function rulesCommand(terminal: Terminal, options: RulesOptions): Promise<number> {
  const codes = allRules.map(({ code }) => code);
  const strange = options.rule.find((code) => !codes.includes(code));
  if (strange !== undefined) throw unknownName('rule', strange, codes);
  const [site, { textsBelow }] = await Promise.all([
    openSite(options, terminal),
    import('../inventory/texts.ts'),
  ]);
  const { inventory, roles, templates } = placesOf(options.inventory);
  const texts = await textsBelow([inventory, roles, templates]);
  const all = await verdicts(await pictureOf(site, [], texts));
  const asked = all.filter(({ rule }) => options.rule.length === 0 || options.rule.includes(rule.code));
  const wrong = asked.some(({ findings }) => findings.some(({ level }) => level === 'error'));
  const exit = wrong ? exitCodes.input : exitCodes.ok;
  const text =
    options.format === 'json'
      ? rulesJson(asked, exit)
      : rulesText(asked, paletteFor('out', options.color, terminal));
  terminal.out(text);
  return exit;
}
