#!/usr/bin/env node
// Bundles src/cli/main.ts to dist/program.cjs, makes V8's code cache for it, and bundles what starts it to dist/provision.js.
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { makeCache } from './build-cache.js';

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  legalComments: 'none',
  logLevel: 'warning',
  write: false,
};

/** The text of one bundle. esbuild has said by then what is wrong. */
async function bundled(options) {
  const { outputFiles } = await build({ ...common, ...options }).catch(() => process.exit(1));
  return outputFiles[0].text;
}

const program = await bundled({
  entryPoints: ['src/cli/main.ts'],
  format: 'cjs',
  // One function expression: src/cli/boot.ts runs it with the code cache and gives it these.
  banner: { js: '(function (require, module, exports, __filename, __dirname, bundleUrl) {' },
  footer: { js: '\n})' },
  define: { 'import.meta.url': 'bundleUrl' },
  supported: { 'dynamic-import': false },
  minifyWhitespace: true,
  minifySyntax: true,
  // Optional native parts of ssh2: it does without them, and they cannot be in a bundle.
  external: ['cpu-features', './crypto/build/Release/sshcrypto.node', '*.node'],
});
const boot = await bundled({ entryPoints: ['src/cli/boot.ts'], format: 'esm' });

/** A `provision` that starts during a build finds the old file or the new one, never half of one. */
function put(file, content, mode = 0o644) {
  writeFileSync(`${file}.new`, content);
  chmodSync(`${file}.new`, mode);
  renameSync(`${file}.new`, file);
}

mkdirSync('dist', { recursive: true });
rmSync('dist/program.cjs.cache', { force: true });
put('dist/program.cjs', program);
put('dist/provision.js', `#!/usr/bin/env node\n${boot}`, 0o755);
if (existsSync('dist/chunks')) rmSync('dist/chunks', { recursive: true });
const cache = await makeCache('dist/program.cjs');
if (cache) put('dist/program.cjs.cache', cache);
