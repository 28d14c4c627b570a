/** Makes one file of JavaScript of the reader thread, for Node.js runs no TypeScript. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** @returns the address of the file, in a directory that the caller removes */
export async function bundleReaderThread(): Promise<URL> {
  const path = join(mkdtempSync(join(tmpdir(), 'tyto-reader-')), 'reader.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('../readers/readerThread.ts', import.meta.url))],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Dependencies that are CommonJS ask for Node.js' modules with it.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire('/');" },
    logLevel: 'warning',
  });
  return pathToFileURL(path);
}
