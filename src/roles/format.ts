import { namePattern } from '../inventory/formats.ts';
import { platforms } from '../model/host.ts';
import type { Schema } from '../model/resource.ts';
import { conditionSchema } from './conditions.ts';

const name = { type: 'string', pattern: namePattern, maxLength: 63 } as const;
const about = { type: 'string', minLength: 1, maxLength: 500 } as const;
/** Ids of checks may hold `${item...}`; they are judged again once it is replaced. */
const id = { type: 'string', minLength: 1, maxLength: 200 } as const;
const argv = { type: 'array', minItems: 1, items: { type: ['string', 'number'] } } as const;
const proof = { type: 'array', items: { type: 'object' } } as const;

const groupBy = { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } } as const;

const step = {
  type: 'object',
  additionalProperties: false,
  required: ['about', 'run'],
  properties: {
    about,
    each: {},
    group_by: groupBy,
    when: conditionSchema,
    guard: proof,
    run: argv,
    verify: proof,
    limit: { type: 'integer', minimum: 1, maximum: 86400 },
  },
} as const;

const procedure = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'about', 'steps'],
  properties: {
    id: name,
    about,
    parameters: {
      type: 'object',
      propertyNames: { pattern: '^[a-z][a-z0-9_]*$' },
      additionalProperties: { type: 'object' },
    },
    steps: { type: 'array', minItems: 1, items: step },
  },
} as const;

/** role.yaml. What a resource or check holds besides these keys is judged by its type. */
export const roleSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['role', 'about', 'platforms'],
  properties: {
    role: { ...name, description: 'Name of the role, as its folder is called.' },
    about: { ...about, description: 'What it is for, in a sentence.' },
    platforms: { type: 'array', minItems: 1, uniqueItems: true, items: { enum: platforms } },
    variables: {
      type: 'object',
      propertyNames: { pattern: '^[a-z][a-z0-9_]*$' },
      additionalProperties: { type: 'object' },
    },
    resources: {
      type: 'array',
      items: { type: 'object', minProperties: 1, properties: { when: conditionSchema, group_by: groupBy } },
    },
    checks: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'about'],
        properties: { id, about, when: conditionSchema, group_by: groupBy },
      },
    },
    procedures: { type: 'array', items: procedure },
  },
};
