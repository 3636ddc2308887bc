import { inspect } from 'node:util';
import type { Secret } from '../model/host.ts';

const dots = '••••••';

/** A value that must not be seen. Text, console and debugger show dots; JSON refuses it, so it cannot slip into a report or plan. */
export function secret(name: string, reveal: () => string): Secret {
  const shape = {
    name,
    toString: () => dots,
    [Symbol.toPrimitive]: () => dots,
    toJSON: () => {
      throw new TypeError(`the secret ${name} must not be written as JSON`);
    },
    [inspect.custom]: () => dots,
  };
  // Not enumerable: a copy with {...} or Object.values() finds nothing to call.
  return Object.defineProperty(shape, 'reveal', { value: reveal, enumerable: false }) as typeof shape &
    Secret;
}

export function isSecret(value: unknown): value is Secret {
  return (
    typeof value === 'object' && value !== null && 'reveal' in value && typeof value.reveal === 'function'
  );
}
