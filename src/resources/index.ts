import type { ResourceType } from '../model/resource.ts';
import { directory } from './directory.ts';
import { file } from './file.ts';
import { link } from './link.ts';
import { unit } from './unit.ts';

/** All resource types, by name. */
export const resourceTypes: readonly ResourceType[] = [
  directory, //
  file,
  link,
  unit,
];
