import type { Context } from '../model/host.ts';
import type { Change, Facts } from '../model/resource.ts';
import type { Observed, State } from '../model/state.ts';
import { sha256 } from '../shell/sh.ts';
import type { UnitAsk } from './systemd-look.ts';
import { installTargets, isTemplate, settings, unitPath } from './systemd-names.ts';
import { residue, seenEnablement, seenFile, seenTargets, unitExists } from './systemd-read.ts';
import { configuration, owned, runsMatters, texts, type UnitSpec } from './unit-spec.ts';

export function ask(spec: UnitSpec): UnitAsk {
  const absent = spec.state === 'absent';
  const runs = !absent && runsMatters(spec);
  return {
    identity: spec.unit,
    unit: spec.unit,
    // The unit file is looked at even when its text is not ours: a mask is a link there.
    files: configuration(spec).filter((file) => runs || file.kind !== 'config'),
    active: spec.active !== undefined,
    runs,
    absent,
  };
}

export function wanted(spec: UnitSpec, context: Context): State {
  const want: Record<string, string | null> = {};
  if (spec.content !== undefined) {
    want.text = sha256(spec.content);
    want.mode = '0644';
    want.owner = 'root:root';
  }
  for (const [name, text] of Object.entries(spec.dropins ?? {})) {
    want[`dropin ${name}`] = text === null ? null : sha256(text);
  }
  if (spec.enabled !== undefined) want.enabled = spec.enabled ? 'enabled' : 'disabled';
  const targets = spec.enabled && spec.content !== undefined ? installTargets(spec.content) : null;
  if (targets !== null) want.wanted_by = targets;
  if (!context.live) return want;
  if (spec.active !== undefined) want.active = spec.active ? 'active' : 'inactive';
  if (owned(spec).length > 0 && !isTemplate(spec.unit)) want.reload_needed = 'no';
  if (runsMatters(spec)) want.runs = 'current';
  return want;
}

export function read(facts: Facts, spec: UnitSpec): Observed {
  const text = seenFile(facts, 'text');
  if (spec.state === 'absent') return { have: residue(facts, text) };
  const exists = unitExists(facts, text);
  const asksForIt = texts(spec).length > 0 || spec.enabled === true || spec.active === true;
  if (!exists && asksForIt) return { have: null };
  const have: Record<string, string | null> = {};
  if (text !== null) {
    have.text = text.sha256;
    have.mode = text.mode;
    have.owner = text.owner;
  }
  for (const name of Object.keys(spec.dropins ?? {})) {
    const dropin = seenFile(facts, `dropin ${name}`);
    if (dropin === null) continue;
    const plain = dropin.mode === '0644' && dropin.owner === 'root:root';
    have[`dropin ${name}`] = plain ? dropin.sha256 : `${dropin.sha256} ${dropin.mode} ${dropin.owner}`;
  }
  have.enabled = enablement(seenEnablement(facts, text), spec);
  have.wanted_by = seenTargets(facts);
  const active = facts.get('active');
  if (active !== undefined) have.active = activity(active, spec);
  have.reload_needed = facts.get('reload_needed') ?? 'no';
  const runs = facts.get('runs');
  if (runs !== undefined) have.runs = runs;
  return { have };
}

/** A unit without [Install] cannot be enabled: where `enabled: false` is wanted it is as good as disabled. */
function enablement(said: string, spec: UnitSpec): string {
  const never = ['', 'static', 'indirect', 'generated', 'transient'];
  return spec.enabled === false && never.includes(said) ? 'disabled' : said;
}

function activity(said: string, spec: UnitSpec): string {
  if (said === 'reloading') return 'active';
  return said === 'failed' && spec.active === false ? 'inactive' : said;
}

export function refuse({ spec, have, differs }: Change<UnitSpec>): string | null {
  const text = typeof have?.text === 'string' ? have.text : '';
  if (text === 'masked' || String(have?.enabled ?? '').startsWith('masked'))
    return `${spec.unit} is masked, which somebody did on purpose; if it should run: systemctl unmask ${spec.unit}`;
  if (/^(link|a) /.test(text) && (differs.includes('text') || spec.state === 'absent'))
    return `${unitPath(spec.unit)} is ${text.startsWith('link') ? `a ${text}` : text}, not a file; remove it yourself if it is not needed`;
  if (spec.state === 'absent')
    return have?.from !== undefined && have.text === undefined
      ? `${spec.unit} comes from ${have.from}, which is not ours to remove; use enabled: false and active: false`
      : null;
  if (spec.enabled === true && differs.includes('enabled')) {
    const reason = cannotEnable(spec, String(have?.enabled ?? ''));
    if (reason !== null) return reason;
  }
  return spec.active === true && spec.content !== undefined && endsByItself(spec.content)
    ? `${spec.unit} is a oneshot service without RemainAfterExit=yes: it ends by itself and cannot be kept active; keep its timer active instead`
    : null;
}

function cannotEnable(spec: UnitSpec, said: string): string | null {
  const noInstall = `${spec.unit} has no [Install] section, so it cannot be enabled`;
  if (spec.content !== undefined) return settings(spec.content, 'Install').length === 0 ? noInstall : null;
  if (said === 'static') return noInstall;
  if (said === 'alias') return `${spec.unit} is another name of a unit; use the name of its own`;
  return ['generated', 'transient', 'bad'].includes(said)
    ? `${spec.unit} is ${said} and cannot be enabled`
    : null;
}

function endsByItself(text: string): boolean {
  const service = settings(text, 'Service');
  const last = (name: string) => service.filter(([key]) => key === name).at(-1)?.[1];
  return last('Type') === 'oneshot' && !/^(yes|true|on|1)$/i.test(last('RemainAfterExit') ?? 'no');
}
