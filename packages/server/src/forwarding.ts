/** Remote write as the server runs it: its queues in the data directory, and what it asks for. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Clock, Logger } from '@tyto/base';
import { NodeHttpClient, type ScrapeManager, type WriteReceiver } from '@tyto/collect';
import { Forwarder, READ_REQUEST_BYTES_MAX, RemoteReader } from '@tyto/forward';
import { BLOCK_RANGE_MS, nodeDisk, type Tsdb } from '@tyto/tsdb';
import type { FamilyMetadata } from '@tyto/wire';
import type { PrometheusConfig } from './config/prometheusConfig.ts';
import { HeldBodies } from './http/heldBodies.ts';
import { VERSION } from './version.ts';

interface ForwardingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dataDirectory: string;
  readonly logFsyncIntervalMs: number;
  readonly remoteWriteQueueBytes: number;
}

/** Remote read requests that are held at once; each is gone before it is answered. */
const READ_BODIES_BYTES_MAX = 16 * 1024 * 1024;
const USER_AGENT = `Tyto/${VERSION}`;
const RANDOM_STEPS = 2 ** 32;

export function createForwarder(
  options: ForwardingOptions,
  metadata: () => Iterable<FamilyMetadata>,
): Forwarder {
  return new Forwarder({
    disk: nodeDisk,
    clock: options.clock,
    logger: options.logger,
    directory: join(options.dataDirectory, 'remote-write'),
    queueBytesMax: Math.max(1, options.remoteWriteQueueBytes),
    fsyncIntervalMs: options.logFsyncIntervalMs,
    random: () => randomInt(RANDOM_STEPS) / RANDOM_STEPS,
    userAgent: USER_AGENT,
    createClient: (config) => new NodeHttpClient(config),
    metadata,
  });
}

/** What targets and senders say of their metrics. */
export function* familyMetadata(
  scrapes: ScrapeManager,
  receiver: WriteReceiver,
): Iterable<FamilyMetadata> {
  for (const metadata of [receiver.metadata, ...scrapes.metadata().map((t) => t.metadata)]) {
    for (const [family, { type, help, unit }] of metadata) yield { family, type, help, unit };
  }
}

/** The endpoints of `remote_read`. */
export function createReaders(
  { remoteReads, externalLabels }: PrometheusConfig,
  clock: Clock,
): RemoteReader[] {
  return remoteReads.map((config) => {
    const client = new NodeHttpClient(config.http);
    return new RemoteReader({ config, externalLabels, client, clock, userAgent: USER_AGENT });
  });
}

/** What is younger is here as a whole: as in Prometheus, two blocks behind the oldest sample. */
export function completeFromMs({ oldestMs }: Tsdb): number {
  return oldestMs + 2 * BLOCK_RANGE_MS;
}

export function readBodies(): HeldBodies {
  return new HeldBodies(READ_REQUEST_BYTES_MAX, READ_BODIES_BYTES_MAX);
}
