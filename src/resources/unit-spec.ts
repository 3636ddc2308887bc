import type { UnitFile } from './systemd-look.ts';
import { dropinPath, settings, unitPath } from './systemd-names.ts';

export interface UnitSpec {
  readonly unit: string;
  readonly content?: string;
  readonly dropins?: Readonly<Record<string, string | null>>;
  readonly enabled?: boolean;
  readonly active?: boolean;
  readonly config?: readonly string[];
  readonly on_change?: 'restart' | 'reload' | 'none';
  readonly state?: 'present' | 'absent';
}

/** Files of ours in /etc/systemd/system, those to be removed included. */
export function owned(spec: UnitSpec): UnitFile[] {
  return [
    ...(spec.content !== undefined || spec.state === 'absent'
      ? [{ kind: 'text', path: unitPath(spec.unit) }]
      : []),
    ...Object.keys(spec.dropins ?? {}).map((name) => ({
      kind: `dropin ${name}`,
      path: dropinPath(spec.unit, name),
    })),
  ];
}

/** Those of them that have a text. */
export function texts(spec: UnitSpec): (UnitFile & { content: string })[] {
  return owned(spec).flatMap((file) => {
    const content = file.kind === 'text' ? spec.content : spec.dropins?.[file.kind.slice('dropin '.length)];
    return typeof content === 'string' ? [{ ...file, content }] : [];
  });
}

/** Files whose bytes the running service should have read. A unit file that is not ours counts when it lies where ours would. */
export function configuration(spec: UnitSpec): UnitFile[] {
  const own = owned(spec).filter((file) => file.kind !== 'text');
  const config = (spec.config ?? []).map((path) => ({ kind: 'config', path }));
  return [{ kind: 'text', path: unitPath(spec.unit) }, ...own, ...config];
}

/** Only a service has a process that read something; a timer takes its new text from daemon-reload. */
export function runsMatters(spec: UnitSpec): boolean {
  return (
    spec.unit.endsWith('.service') &&
    spec.active === true &&
    spec.on_change !== 'none' &&
    (owned(spec).length > 0 || (spec.config ?? []).length > 0)
  );
}

/** Places that the text of the unit names: programs it runs, units it cannot do without. Their changes come first. */
export function named(spec: UnitSpec): string[] {
  if (spec.content === undefined || spec.state === 'absent') return [];
  const places = settings(spec.content, 'Service').flatMap(([key, value]) => {
    const program = /^[-@:+!|]*(\/[^\s%]+)(\s|$)/.exec(value)?.[1];
    return key.startsWith('Exec') && program !== undefined ? [`path:${program}`] : [];
  });
  for (const [key, value] of settings(spec.content, 'Unit')) {
    if (!['Requires', 'Requisite', 'BindsTo'].includes(key)) continue;
    places.push(...value.split(/\s+/).map((name) => `unit:${name}`));
  }
  const [, stem = '', kind = ''] = /^(.*)\.(timer|path)$/.exec(spec.unit) ?? [];
  if (kind !== '') {
    const other = settings(spec.content, kind === 'timer' ? 'Timer' : 'Path').find(([key]) => key === 'Unit');
    places.push(`unit:${other?.[1] ?? `${stem}.service`}`);
  }
  return [...new Set(places)];
}
