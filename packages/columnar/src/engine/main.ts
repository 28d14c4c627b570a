/**
 * The engine's process: chDB on one data directory behind a Unix socket. Its standard input is the
 * life line to the server: when that ends, so does this process, because an orphan would keep the
 * directory from the next one.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, systemClock } from '@tyto/base';
import type { EngineArguments } from './arguments.ts';
import { createHttpInterface } from './httpInterface.ts';
import { Sessions } from './sessions.ts';
import { QUERY_BYTES_MAX } from '../limits.ts';

/** What a clean end may take: running queries and inserts are waited for. */
const CLOSE_MS = 3000;
/** Exit codes that the server knows. */
const EXIT_UNUSABLE = 3;

const options = JSON.parse(process.argv[2]) as EngineArguments;

try {
  start();
} catch (error) {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exit(EXIT_UNUSABLE);
}

function start(): void {
  const spoolDirectory = join(options.directory, 'spool');
  rmSync(spoolDirectory, { recursive: true, force: true });
  mkdirSync(spoolDirectory, { recursive: true, mode: 0o700 });
  const configuration = join(options.directory, 'engine.xml');
  writeFileSync(configuration, configurationText(options.memoryBytes), { mode: 0o600 });
  const sessions = new Sessions(join(options.directory, 'data'), [
    `--config-file=${configuration}`,
    `--max_query_size=${QUERY_BYTES_MAX}`,
    // By default a thread more wants a gigabyte more of free memory, and all would run on one core.
    '--max_threads_min_free_memory_per_thread=0',
  ]);
  const server = createHttpInterface({ sessions, spoolDirectory });
  rmSync(options.socketPath, { force: true });
  server.listen(options.socketPath, () => {
    chmodSync(options.socketPath, 0o600);
    process.stdout.write('ready\n');
  });
  let isClosing = false;
  const close = () => {
    if (isClosing) return;
    isClosing = true;
    server.close();
    server.closeIdleConnections();
    const endMs = systemClock.monotonicMs() + CLOSE_MS;
    const look = () => {
      if (sessions.running === 0) {
        sessions.close();
        process.exit(0);
      }
      if (systemClock.monotonicMs() >= endMs) die();
      systemClock.schedule(10, look);
    };
    look();
  };
  process.on('SIGTERM', close);
  process.on('SIGINT', () => undefined);
  process.stdin.on('end', close);
  process.stdin.on('error', close);
  process.stdin.resume();
}

/** Running queries would keep `exit` waiting; what was acknowledged is on disk. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

function configurationText(memoryBytes: number): string {
  return `<clickhouse>
  <max_server_memory_usage>${memoryBytes}</max_server_memory_usage>
  <mark_cache_size>${Math.floor(memoryBytes / 10)}</mark_cache_size>
  <index_mark_cache_size>${Math.floor(memoryBytes / 40)}</index_mark_cache_size>
  <background_pool_size>2</background_pool_size>
</clickhouse>
`;
}
