import { defineType, type Facts, type Step } from '../model/resource.ts';
import type { Observed } from '../model/state.ts';
import { sh } from '../shell/sh.ts';
import { call, change, entries, midcltLimit, query, valueIn } from './midclt.ts';

export interface TruenasServiceSpec {
  readonly truenas_service: string;
  readonly enabled?: boolean;
  readonly active?: boolean;
}

/** A service of TrueNAS. Its middleware starts it, not systemd: what systemd is told is undone at the next restart. */
export const truenasService = defineType<TruenasServiceSpec>({
  name: 'truenas_service',
  about:
    'A service of TrueNAS, such as its NFS server: whether it runs and whether it starts with the machine. Through the middleware; nothing is ever stopped that does not have to be.',
  example: `truenas_service: nfs
enabled: true
active: true
`,
  needsLive: true,
  tools: ['midclt'],
  schema: {
    type: 'object',
    required: ['truenas_service'],
    minProperties: 2,
    additionalProperties: false,
    properties: {
      truenas_service: {
        type: 'string',
        pattern: '^[a-z][a-z0-9_]{0,31}$',
        description: 'Name of the service in the API: `nfs`, `ssh`.',
      },
      enabled: { type: 'boolean', description: 'Starts with the machine.' },
      active: { enum: [true], description: 'Runs. A service is never stopped.' },
    },
  },
  limit: () => midcltLimit + 2,
  stepLimit: 180,
  identity: (spec) => spec.truenas_service,
  provides: (spec) => [`unit:truenas/${spec.truenas_service}`],
  want: (spec) => ({
    ...(spec.enabled === undefined ? {} : { enabled: spec.enabled }),
    ...(spec.active === undefined ? {} : { active: spec.active }),
  }),
  observe: (specs) => {
    const names = [...new Set(specs.map((spec) => spec.truenas_service))];
    const args = [JSON.stringify([['service', 'in', names]])];
    return query(
      { method: 'service.query', args, by: ['service'], keys: ['id', 'service', 'enable', 'state'] },
      names,
    );
  },
  read,
  refuse: ({ spec, have, context }) => {
    if (context.platform !== 'truenas') return `${context.host} is no TrueNAS; use unit there`;
    return have === null ? `this TrueNAS has no service ${spec.truenas_service}` : null;
  },
  symptoms: (observed, spec) =>
    spec.truenas_service === 'nfs' && spec.active && 'have' in observed && observed.have?.active === false
      ? [{ code: 'nfs-down', of: 'service:nfs', says: 'the middleware calls its service nfs stopped' }]
      : [],
  steps: ({ spec, have, differs }) => steps(spec, Number(have?.id), differs),
});

function read(facts: Facts, { truenas_service: name }: TruenasServiceSpec): Observed {
  const own = entries(facts)?.find((entry) => valueIn(entry, 'service') === name);
  if (own === undefined)
    return entries(facts) === null ? { unknown: 'service.query was not answered' } : { have: null };
  const [id, enable, state] = ['id', 'enable', 'state'].map((key) => valueIn(own, key));
  if (typeof id !== 'number' || typeof enable !== 'boolean' || typeof state !== 'string')
    return { unknown: 'service.query answered in a form that is not known' };
  return { have: { id, enabled: enable, active: state === 'RUNNING' } };
}

function steps(spec: TruenasServiceSpec, id: number, differs: readonly string[]): Step[] {
  const name = spec.truenas_service;
  const found: Step[] = [];
  if (differs.includes('enabled'))
    found.push({
      about: `service.update: ${name} ${spec.enabled ? 'starts' : 'does not start'} with the machine`,
      run: change('service.update', [id, { enable: spec.enabled }]),
    });
  // `service.control` is a job, and new in 25.04; `service.start` is gone in later ones.
  if (differs.includes('active'))
    found.push({
      about: `service.control: start ${name}`,
      run: sh`said=$(${call('service.control', ['START', name], true)} 2>&1) && rc=0 || rc=$?
case $rc:$said in
  0:*) ;;
  *[Mm]ethod*) ${change('service.start', [name])} ;;
  *) say "$said"; exit 1 ;;
esac`,
    });
  return found;
}
