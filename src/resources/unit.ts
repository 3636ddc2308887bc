import { type Change, defineType, type Step } from '../model/resource.ts';
import { at, sh } from '../shell/sh.ts';
import { pathSchema } from './properties.ts';
import { lookUnits } from './systemd-look.ts';
import { dropinNamePattern, unitNameSchema } from './systemd-names.ts';
import {
  daemonReload,
  disable,
  enable,
  load,
  removeUnit,
  start,
  stop,
  writeUnitFile,
} from './systemd-steps.ts';
import { unitValidator, verifyUnit } from './systemd-verify.ts';
import { configuration, named, owned, runsMatters, texts, type UnitSpec } from './unit-spec.ts';
import { ask, read, refuse, wanted } from './unit-state.ts';

/** A systemd unit. That it runs what is on disk is a property like any other, so an interrupted run cannot lose a restart. */
export const unit = defineType<UnitSpec>({
  name: 'unit',
  about:
    'A systemd unit: its text, its drop-ins, whether it is enabled and active, and whether it runs the configuration now on disk. What is not asked for is left alone. A masked unit is never unmasked.',
  example: `unit: pushgateway.service
template: metrics/pushgateway.service.hbs
dropins: {10-limits.conf: "[Service]\\nMemoryMax=256M\\n"}
enabled: true
active: true
config: [/etc/default/pushgateway]
`,
  schema: {
    type: 'object',
    required: ['unit'],
    minProperties: 2,
    additionalProperties: false,
    // A template has no state of its own.
    if: { properties: { unit: { pattern: '@\\.' } } },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    then: { properties: { enabled: false, active: false } },
    properties: {
      unit: { ...unitNameSchema, description: 'Full name with its type: `vzdump-hook.timer`.' },
      content: {
        type: 'string',
        description: 'The whole unit file, in /etc/systemd/system. Usually given as `template:` instead.',
      },
      dropins: {
        type: 'object',
        propertyNames: { pattern: dropinNamePattern },
        additionalProperties: { type: ['string', 'null'] },
        description:
          'Text of drop-ins by file name; null: must not exist. Drop-ins not named here are left alone.',
      },
      enabled: { type: 'boolean', description: 'Started at boot (or by what it is wanted by).' },
      active: { type: 'boolean', description: 'Running now.' },
      config: {
        type: 'array',
        items: pathSchema,
        description:
          'Files that the unit reads when it starts. When one changes, the unit is restarted or reloaded.',
      },
      on_change: {
        enum: ['restart', 'reload', 'none'],
        description:
          'What makes an active service run changed configuration (default restart). A changed unit file or drop-in always needs a restart, unless `none`.',
      },
      state: {
        enum: ['present', 'absent'],
        description: '`absent` stops and removes a unit of ours with all its traces (default present).',
      },
    },
  },
  // A service may take 90 s to stop and 90 s to start before systemd gives up.
  stepLimit: 300,
  identity: (spec) => spec.unit,
  provides: (spec) => [
    `unit:${spec.unit}`,
    ...owned(spec).flatMap(({ path }) =>
      spec.state === 'absent' ? [`path:${path}`] : [`path:${path}`, `content:${path}`],
    ),
  ],
  needs: (spec) => [...(spec.config ?? []).map((path) => `path:${path}`), ...named(spec)],
  follows: (spec) => (spec.config ?? []).map((path) => `content:${path}`),
  want: (spec, context) => (spec.state === 'absent' ? null : wanted(spec, context)),
  observe: (specs) => lookUnits(specs.map(ask)),
  read,
  after: (have, spec) => (have?.runs === 'current' && runsMatters(spec) ? { ...have, runs: 'stale' } : have),
  refuse,
  steps,
  text: (spec) => {
    const file = texts(spec)[0];
    return file ? { path: file.path, content: file.content } : null;
  },
  validator: (spec) =>
    spec.content === undefined || spec.state === 'absent' ? null : unitValidator(spec.unit, spec.content),
});

function steps(change: Change<UnitSpec>): Step[] {
  const { spec, want, context } = change;
  if (want === null) return removeUnit(spec.unit, context.live);
  const files = fileSteps(change);
  const reload = context.live && (files.length > 0 || change.differs.includes('reload_needed'));
  return [...files, ...(reload ? [daemonReload] : []), ...enablementSteps(change), ...activitySteps(change)];
}

/** Unit files that differ, checked together before the first of them is put in place. */
function fileSteps({ spec, want, differs, context }: Change<UnitSpec>): Step[] {
  const changed = texts(spec).filter(({ kind }) => differs.includes(kind));
  const removed = owned(spec).filter(({ kind }) => differs.includes(kind) && want?.[kind] === null);
  const textSteps = changed.map(({ path, content }) => writeUnitFile(path, content));
  const own = texts(spec).find(({ kind }) => kind === 'text');
  if (own && !differs.includes('text') && (differs.includes('mode') || differs.includes('owner')))
    textSteps.push(writeUnitFile(own.path, own.content));
  const dropins = Object.entries(spec.dropins ?? {}).flatMap(([name, text]) =>
    text === null ? [] : [[name, text] as const],
  );
  return [
    ...(changed.length > 0 && context.live ? [verifyUnit(spec.unit, spec.content, dropins)] : []),
    ...textSteps,
    ...removed.map(({ path }) => ({
      about: `remove ${path} (a copy is kept)`,
      run: sh`take_away ${at(path)}`,
    })),
  ];
}

function enablementSteps({ spec, want, differs, context }: Change<UnitSpec>): Step[] {
  const newText = spec.content !== undefined && differs.includes('text');
  if (want?.enabled === 'enabled') {
    if (!differs.includes('enabled') && !differs.includes('wanted_by') && !newText) return [];
    return [enable(spec.unit, context.live, spec.content !== undefined)];
  }
  return want?.enabled === 'disabled' && differs.includes('enabled')
    ? [disable(spec.unit, context.live)]
    : [];
}

function activitySteps({ spec, have, want, differs }: Change<UnitSpec>): Step[] {
  if (want?.active === 'inactive') return differs.includes('active') ? [stop(spec.unit)] : [];
  if (want?.active !== 'active') return [];
  if (!runsMatters(spec)) return differs.includes('active') ? [start(spec.unit)] : [];
  const newUnit = owned(spec).some(({ kind }) => differs.includes(kind)) || have?.runs === 'stale unit';
  if (!newUnit && !differs.includes('active') && !differs.includes('runs')) return [];
  // A reload does not take a new unit file: its ExecStart counts only for a new process.
  const reload = spec.on_change === 'reload' && have?.active === 'active' && !newUnit;
  const paths = configuration(spec).map(({ path }) => path);
  return [load(spec.unit, reload ? 'reload' : 'restart', paths)];
}
