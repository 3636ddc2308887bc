import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/**
 * Runs the bundled program beside this file, which is one function expression, with the code cache that the build made:
 * compiling it at every start would take longer than looking at a host. Without the cache, or with another version of Node,
 * it is only slower.
 */
function boot(): void {
  const url = new URL('./program.cjs', import.meta.url);
  const file = fileURLToPath(url);
  const cachedData = cacheOf(file);
  const script = new Script(readFileSync(file, 'utf8'), {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  const module: { exports: { main?: () => void } } = { exports: {} };
  const directory = fileURLToPath(new URL('.', url));
  script.runInThisContext()(createRequire(url), module, module.exports, file, directory, url.href);
  module.exports.main?.();
}

function cacheOf(file: string): Buffer | undefined {
  try {
    return readFileSync(`${file}.cache`);
  } catch {
    return undefined;
  }
}

boot();
