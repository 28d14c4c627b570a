/** What the workloads that write share: a server at rest, and the cost of sending bodies to it. */
import { join } from 'node:path';
import { sendAll } from '../sender.js';
import { removeDirectory, Server, temporaryDirectory } from '../servers.js';
import { Spool } from '../spool.js';

export const SENDERS = 2;
const REST_QUIET_MS = 1500;
const REST_MS_MAX = 20_000;

/**
 * Runs `fill` on a new spool; `dispose` of the answer removes it.
 * @template T
 * @param {(spool: Spool) => T} fill
 * @returns {T & { spool: Spool, dispose: () => void }}
 */
export function spooled(fill) {
  const directory = temporaryDirectory();
  const spool = new Spool(join(directory, 'bodies'));
  const dispose = () => {
    spool.close();
    removeDirectory(directory);
  };
  return { ...fill(spool), spool, dispose };
}

/**
 * Runs `work` with a server that has started and come to rest, and removes it afterwards.
 * @template T
 * @param {import('../servers.js').ServerKind} kind
 * @param {string | undefined} config
 * @param {(server: Server) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withServer(kind, config, work) {
  const server = new Server(kind, config);
  try {
    await server.start();
    await server.meter.untilIdle(REST_QUIET_MS, REST_MS_MAX);
    return await work(server);
  } catch (error) {
    if (!server.isRunning && server.output !== '') {
      process.stderr.write(`${kind.name} said:\n${server.output.slice(-2000)}\n`);
    }
    throw error;
  } finally {
    await server.remove();
  }
}

/**
 * Sends bodies of a spool and measures until the last acknowledgement.
 * @param {Server} server
 * @param {{ spool: Spool, groupSize: number }} bodies
 * @param {number} from
 * @param {number} to
 */
export async function ingest(server, { spool, groupSize }, from, to) {
  const startCpu = server.meter.cpuSeconds();
  const startMs = performance.now();
  const plan = { port: server.port, spool, groupSize, from, to, senders: SENDERS };
  const { latenciesMs, retried } = await sendAll(plan);
  const seconds = (performance.now() - startMs) / 1000;
  const cpuSeconds = server.meter.cpuSeconds() - startCpu;
  return { seconds, cpuSeconds, startCpu, latenciesMs, retried };
}
