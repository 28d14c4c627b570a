/**
 * Remote write: sees what the store takes, through the port CommitTap, and sends it on to the
 * endpoints of `remote_write`, each through a queue on disk of its own.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { errorMessage } from '@tyto/base';
import type { CommitTap, CommittedSamples, Labels, SeriesRef } from '@tyto/model';
import { type RemoteWriteConfig, shownUrl } from './config.ts';
import { Endpoint, type ForwarderOptions } from './endpoint.ts';

export class Forwarder implements CommitTap {
  readonly #options: ForwarderOptions;
  #endpoints = new Map<string, Endpoint>();
  /** The newest sample that the store took since the start. */
  highestTimestampMs = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  get isTapped(): boolean {
    return this.#endpoints.size > 0;
  }

  get endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  async committed(samples: CommittedSamples, labelsOf: (ref: SeriesRef) => Labels): Promise<void> {
    const { timestamps, from, end } = samples;
    if (end > from && timestamps[end - 1] > this.highestTimestampMs) {
      this.highestTimestampMs = timestamps[end - 1];
    }
    const taken = [...this.#endpoints.values()].map(async ({ intake, config }) => {
      try {
        await intake.take(samples, labelsOf);
      } catch (error) {
        // A mistake in sending must not keep samples from the store.
        const stack = error instanceof Error ? error.stack : undefined;
        const url = shownUrl(config.url);
        this.#options.logger.error('BUG: samples were not taken for remote write', { url, stack });
      }
    });
    await Promise.all(taken);
  }

  /**
   * Makes the endpoints those of the configuration. One that is known by its name, or else by its
   * URL, keeps its queue; the queues of those that are gone are deleted unsent.
   */
  async apply(configs: readonly RemoteWriteConfig[], externalLabels: Labels): Promise<void> {
    const { logger } = this.#options;
    const wanted = new Map<string, RemoteWriteConfig>();
    for (const config of configs) wanted.set(keyOf(config, wanted), config);
    for (const [key, endpoint] of this.#endpoints) {
      if (wanted.has(key)) continue;
      this.#endpoints.delete(key);
      await endpoint.remove();
      const url = shownUrl(endpoint.config.url);
      logger.info('remote write: an endpoint was removed, with what waited for it', { url });
    }
    await this.#removeForeign(wanted);
    for (const [key, config] of wanted) {
      const endpoint = this.#endpoints.get(key);
      if (endpoint !== undefined) {
        await endpoint.reconfigure(config, externalLabels);
        continue;
      }
      this.#endpoints.set(key, await Endpoint.open(this.#options, key, config, externalLabels));
    }
  }

  async close(): Promise<void> {
    const endpoints = [...this.#endpoints.values()];
    this.#endpoints = new Map();
    await Promise.all(endpoints.map((endpoint) => endpoint.close()));
  }

  /** Deletes the queues of endpoints that went while Tyto was not running. */
  async #removeForeign(wanted: ReadonlyMap<string, unknown>): Promise<void> {
    const { disk, directory, logger } = this.#options;
    for (const key of await disk.list(directory)) {
      if (wanted.has(key) || this.#endpoints.has(key) || !/^[0-9a-f]{12}$/.test(key)) continue;
      const path = join(directory, key);
      try {
        await disk.remove(path);
        logger.warn('remote write: the queue of an endpoint that is gone was deleted', { path });
      } catch (error) {
        logger.warn('remote write: a queue cannot be deleted', {
          path,
          error: errorMessage(error),
        });
      }
    }
  }
}

/** The name of an endpoint's directory: of equal URLs without names each has its own. */
function keyOf({ name, url }: RemoteWriteConfig, taken: ReadonlyMap<string, unknown>): string {
  for (let count = 0; ; count++) {
    const text = name === '' ? `url ${count} ${url}` : `name ${name}`;
    const key = createHash('sha256').update(text).digest('hex').slice(0, 12);
    if (!taken.has(key)) return key;
  }
}
