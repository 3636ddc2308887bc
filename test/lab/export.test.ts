import { afterAll, beforeAll, expect, test } from 'vitest';
import { nfsExport } from '../../src/resources/export.ts';
import { have, lookAt, make } from './drive.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { describeLab } from './suite.ts';

// The kernel here has no NFS server: exportfs keeps the table of exports, and nothing is served.
describeLab('export', () => {
  let host: LabHost;
  const look = async (...specs: unknown[]) => lookAt(host, nfsExport, specs);
  const main = {
    export: '/srv/nfs',
    clients: [
      {
        client: '10.10.0.0/255.255.255.0',
        options: ['insecure', 'rw', 'sync', 'no_root_squash', 'crossmnt'],
      },
      { client: '*', options: ['ro'] },
      { client: 'fe80:0::1', options: ['rw', 'mp', 'fsid=root', 'anonuid=1000', 'sec=sys'] },
    ],
  };
  const odd = { export: '/srv/odd # "name"', clients: [{ client: '10.0.0.5', options: ['rw', 'async'] }] };

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'export1' });
    await host.sh('mkdir -p /srv/nfs "/srv/odd # \\"name\\"" /srv/by-hand');
  });
  afterAll(stopAll);

  test('exported, and seen as the same set whatever its form', async () => {
    expect((await look(main, odd)).map((seen) => seen.observed)).toEqual([{ have: null }, { have: null }]);
    for (const spec of [main, odd])
      expect(await make(host, nfsExport, spec)).toMatchObject({ outcome: 'done', after: { differs: [] } });
    expect(have((await look(main))[0])?.clients).toBe(
      '*(ro) 10.10.0.0/24(rw,crossmnt,insecure,no_root_squash) fe80::1(rw,anonuid=1000,fsid=0,mountpoint)',
    );
    expect(await host.sh('exportfs -s')).toContain('/srv/odd\\040#\\040"name"  10.0.0.5(async');
  });

  test('several together print what each prints alone', async () => {
    const specs = [main, odd, { export: '/srv/none', state: 'absent' }];
    const together = await look(...specs);
    for (const [index, spec] of specs.entries()) {
      expect(together[index]?.text).not.toBe('');
      expect((await look(spec))[0]?.text).toBe(together[index]?.text);
    }
  });

  test('changed on the running server by hand: seen, and put right', async () => {
    await host.sh(
      'exportfs -u "10.10.0.0/255.255.255.0:/srv/nfs"; exportfs -o rw,no_subtree_check 10.9.9.9:/srv/nfs',
    );
    expect((await look(main))[0]?.differs).toEqual(['clients']);
    const made = await make(host, nfsExport, main);
    expect(made.about).toEqual(['exportfs -ra']);
    expect(made.after.differs).toEqual([]);
  });

  test('a client that cannot be resolved is a failure although exportfs says 0; the others keep theirs', async () => {
    const before = await host.sh('exportfs -s');
    const made = await make(host, nfsExport, {
      export: '/srv/nfs',
      clients: [{ client: 'nobody.lan', options: ['rw'] }],
    });
    expect(made.outcome).toMatch(/^failed/);
    expect(made.said).toContain('nobody.lan does not resolve');
    expect(await host.sh('exportfs -s')).toBe(before);
    // One that a foreign file names is told by exportfs alone.
    await host.writeFile('/etc/exports.d/foreign.exports', '/srv/by-hand nobody.lan(ro)\n');
    const beside = await make(host, nfsExport, { ...main, clients: main.clients.slice(1) });
    expect(beside.said).toContain('Failed to resolve');
    await host.sh('rm /etc/exports.d/foreign.exports');
    expect((await make(host, nfsExport, main)).after.differs).toEqual([]);
  });

  test('remarks about other files do not fail it; a directory that another file exports is refused', async () => {
    await host.sh('printf "%s\\n" "# none" "/srv/by-hand \\\\" "  10.0.0.7(rw)" >>/etc/exports');
    expect(
      await make(host, nfsExport, { ...odd, clients: [{ client: '10.0.0.6', options: ['ro'] }] }),
    ).toMatchObject({
      outcome: 'done',
      after: { differs: [] },
    });
    const [seen] = await look({ export: '/srv/by-hand', clients: odd.clients });
    expect(seen?.refused).toContain('also exported by /etc/exports');
    await host.sh(': >/etc/exports');
  });

  test('removal leaves nothing', async () => {
    for (const { export: path } of [main, odd]) {
      const made = await make(host, nfsExport, { export: path, state: 'absent' });
      expect(made).toMatchObject({ outcome: 'done', after: { observed: { have: null } } });
    }
    expect(await host.sh('exportfs -s; ls /etc/exports.d')).toBe('');
  });
});
