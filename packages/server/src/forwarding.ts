/** Remote write as the server runs it: its queues in the data directory, and what it asks for. */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Clock, Logger } from '@tyto/base';
import { NodeHttpClient, type ScrapeManager, type WriteReceiver } from '@tyto/collect';
import { Forwarder } from '@tyto/forward';
import { nodeDisk } from '@tyto/tsdb';
import type { FamilyMetadata } from '@tyto/wire';
import { VERSION } from './version.ts';

interface ForwardingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dataDirectory: string;
  readonly logFsyncIntervalMs: number;
  readonly remoteWriteQueueBytes: number;
}

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
    userAgent: `Tyto/${VERSION}`,
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
