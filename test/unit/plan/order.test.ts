import { describe, expect, it } from 'vitest';
import { order } from '../../../src/plan/order.ts';
import { context, resource } from './types.ts';

const names = (resources: Parameters<typeof order>[0]): string[] =>
  order(resources, context).resources.map(({ id }) => id.slice('fake:'.length));

describe('order', () => {
  it('keeps file order where nothing else decides', () => {
    expect(names([resource({ name: 'c' }), resource({ name: 'a' }), resource({ name: 'b' })])).toEqual([
      'c',
      'a',
      'b',
    ]);
  });

  it('puts a file after the nearest directory or mount above it', () => {
    const file = resource({ name: 'file', needs: ['path:/mnt/backup/a/b/c.conf'] });
    const mount = resource({ name: 'mount', provides: ['path:/mnt/backup'] });
    const other = resource({ name: 'other', provides: ['path:/mnt/backup/ab'] });
    expect(names([file, other, mount])).toEqual(['mount', 'file', 'other']);
  });

  it('does not take a name that only begins alike for a directory above', () => {
    const ordered = order(
      [
        resource({ name: 'file', needs: ['path:/srv/nfs-ssd/x'] }),
        resource({ name: 'dir', provides: ['path:/srv/nfs'] }),
      ],
      context,
    );
    expect(ordered.before.get('fake:file')).toEqual([]);
  });

  it('turns round among things to be removed: the file goes before its directory', () => {
    const directory = resource({ name: 'directory', provides: ['path:/etc/x'], want: null });
    const file = resource({ name: 'file', needs: ['path:/etc/x'], want: null });
    expect(names([directory, file])).toEqual(['file', 'directory']);
  });

  it('follows and after are order too', () => {
    const unit = resource({ name: 'unit', follows: ['path:/etc/a.conf'] });
    const late = resource({ name: 'late' }, { after: ['fake:unit'] });
    const config = resource({ name: 'config', provides: ['path:/etc/a.conf'] });
    expect(names([late, unit, config])).toEqual(['config', 'unit', 'late']);
  });

  it('a unit that follows a file follows every line kept in it', () => {
    const unit = resource({ name: 'unit', follows: ['content:/etc/a.conf'] });
    const lines = ['x', 'y'].map((key) => resource({ name: key, provides: [`part:/etc/a.conf#${key}`] }));
    expect(order([unit, ...lines], context).follows.get('fake:unit')).toEqual(['fake:x', 'fake:y']);
  });

  it('lines of one file do not wait for each other', () => {
    const lines = ['x', 'y'].map((key) =>
      resource({ name: key, provides: [`part:/etc/a.conf#${key}`], follows: ['path:/etc/a.conf'] }),
    );
    expect(names(lines)).toEqual(['x', 'y']);
  });

  it('prints the chain of a cycle with its places', () => {
    const a = resource({ name: 'a' }, { after: ['fake:b'] });
    const b = resource({ name: 'b' }, { after: ['fake:a'] });
    expect(() => order([a, b], context)).toThrow(
      /fake:a \(roles\/demo\/role.yaml:1:1\)[\s\S]*waits for[\s\S]*fake:b/,
    );
  });

  it('orders 2,000 resources in a chain without exhausting the stack', () => {
    const chain = Array.from({ length: 2000 }, (_, index) =>
      resource({ name: `r${index}` }, { after: index < 1999 ? [`fake:r${index + 1}`] : [] }),
    );
    expect(names(chain)[0]).toBe('r1999');
  });
});
