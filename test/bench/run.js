// Runs the benchmark: `npm run bench`. Node 20 does not run TypeScript, so the module goes through vite, which vitest brings along.
// ROUNDS=9 says how often each contender runs; PEERS=none leaves ansible out and writes no page; PROVISION=FILE measures another build.
import { execFileSync } from 'node:child_process';
import { createServer } from 'vite';

const root = new URL('../..', import.meta.url).pathname;
if (process.env.PEERS !== 'none') {
  const packages = ['ansible', 'ansible-mitogen', 'openssh-client'];
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
const server = await createServer({
  root,
  configFile: false,
  server: { middlewareMode: true, ws: false },
  logLevel: 'error',
});
try {
  await server.ssrLoadModule('/test/bench/bench.ts');
} finally {
  await server.close();
}
