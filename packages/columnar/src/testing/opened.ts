/** Stores for tests: the real engine, built from its sources, on directories of their own. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger, systemClock } from '@tyto/base';
import { type Columnar, type ColumnarOptions, openColumnar } from '@tyto/columnar';
import { buildSync } from 'esbuild';

/** Inside of the package, because the bundle looks for chDB from where it lies. */
const BUILD = new URL('../../build/', import.meta.url);

/** The bundle of the engine, made anew. */
function engineScript(): URL {
  mkdirSync(BUILD, { recursive: true });
  const script = new URL(`engine-${process.pid}.mjs`, BUILD);
  buildSync({
    entryPoints: [fileURLToPath(new URL('../engine/main.ts', import.meta.url))],
    outfile: fileURLToPath(script),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    external: ['re2js', 'yaml'],
    logLevel: 'warning',
  });
  return script;
}

export class OpenedStores {
  readonly script = engineScript();
  readonly #directories: string[] = [];
  readonly #stores: Columnar[] = [];

  directory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'tyto-columnar-'));
    this.#directories.push(directory);
    return directory;
  }

  open(options: Partial<ColumnarOptions> = {}): Columnar {
    const store = openColumnar({
      directory: options.directory ?? this.directory(),
      engineScript: this.script,
      clock: systemClock,
      logger: silentLogger,
      ...options,
    });
    this.#stores.push(store);
    return store;
  }

  async close(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close();
    for (const directory of this.#directories.splice(0)) {
      rmSync(directory, { recursive: true, force: true });
    }
    rmSync(this.script, { force: true });
  }
}
