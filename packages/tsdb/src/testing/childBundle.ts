/** JavaScript in one file of what runs in a process or thread of its own, in tests. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** @returns the path of crashChild.ts as a file, in a directory that the caller removes */
export function bundleCrashChild(): Promise<string> {
  return bundle('./crashChild.ts');
}

/** @returns the address of readerThread.ts as a file, in a directory that the caller removes */
export async function bundleReaderThread(): Promise<URL> {
  return pathToFileURL(await bundle('../readers/readerThread.ts'));
}

async function bundle(entry: string): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), 'tyto-child-')), 'child.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Dependencies that are CommonJS ask for Node.js' modules with it.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire('/');" },
    logLevel: 'warning',
  });
  return path;
}
