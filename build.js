#!/usr/bin/env node
// Bundles src/cli/main.ts to dist/provision.js. Split into chunks, so that what is imported with `await import()` is read
// from disk only when a command needs it: `provision --version` loads one small file.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * `const { Ajv } = await import('ajv')` must give the same from the bundle as from source. esbuild alone gives a CommonJS
 * package only its default export then, so each such import goes over a module that names what Node would name.
 */
const namedExports = {
  name: 'named-exports',
  setup(bundle) {
    bundle.onResolve({ filter: /^[a-z@]/ }, ({ path, kind, resolveDir }) =>
      kind === 'dynamic-import' && !path.startsWith('node:') && !resolveDir.includes('node_modules')
        ? { path, namespace: 'named', pluginData: resolveDir }
        : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'named' }, async ({ path, pluginData }) => {
      const names = Object.keys(await import(path)).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
      return { contents: `export { ${names.join(', ')} } from '${path}'`, resolveDir: pluginData };
    });
  },
};

const built = build({
  entryPoints: { provision: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  chunkNames: 'chunks/[name]-[hash]',
  // Optional native parts of ssh2: it does without them, and they cannot be in a bundle.
  external: ['cpu-features', './crypto/build/Release/sshcrypto.node', '*.node'],
  banner: {
    // Bundled CommonJS packages call require, __filename and __dirname, which a module does not have.
    js: `import { createRequire as createRequire_ } from 'node:module';
import { fileURLToPath as fileURLToPath_ } from 'node:url';
import { dirname as dirname_ } from 'node:path';
const require = createRequire_(import.meta.url);
const __filename = fileURLToPath_(import.meta.url);
const __dirname = dirname_(__filename);`,
  },
  plugins: [namedExports],
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
});
// esbuild has said by then what is wrong.
const { metafile } = await built.catch(() => process.exit(1));
// Chunks of earlier builds go last: a `provision` that runs now still finds its own until this one is complete.
for (const entry of readdirSync('dist', { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && !(path in metafile.outputs)) rmSync(path);
}
writeFileSync('dist/provision.js', `#!/usr/bin/env node\n${readFileSync('dist/provision.js', 'utf8')}`);
chmodSync('dist/provision.js', 0o755);
