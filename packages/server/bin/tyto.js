#!/usr/bin/env node
/** The `tyto` command. In a checkout it builds first what is not built yet. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const bundle = join(here, '..', 'dist', 'tyto.js');
const build = join(here, '..', '..', '..', 'scripts', 'build.js');

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`tyto: needs Node.js 20.19 or newer, this is ${process.versions.node}\n`);
  process.exit(1);
}
if (existsSync(build) && process.env.TYTO_NO_BUILD !== '1') {
  const { status } = spawnSync(process.execPath, [build], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
}
await import(pathToFileURL(bundle).href);
