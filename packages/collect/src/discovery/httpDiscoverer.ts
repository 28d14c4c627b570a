/**
 * Targets from an HTTP endpoint that answers with the JSON of a discovery file. While it fails,
 * the last good targets stay.
 */
import { type Clock, errorMessage, type Logger, type Timer, TytoError, yaml } from '@tyto/base';
import {
  type HttpDiscoveryConfig,
  staticConfigSchema,
  type TargetGroup,
} from '../config/discoveryConfig.ts';
import type { HttpClient } from '../http/httpClient.ts';
import { DISCOVERY_BYTES_MAX } from '../limits.ts';
import { type Discoverer, type PublishGroups, toGroup } from './discoverer.ts';

const groupsSchema = yaml.list(staticConfigSchema);

export class HttpDiscoverer implements Discoverer {
  readonly #config: HttpDiscoveryConfig;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #client: HttpClient;
  readonly #userAgent: string;
  readonly #stopping = new AbortController();
  #timer: Timer | undefined;
  #groupCount = 0;

  constructor(
    config: HttpDiscoveryConfig,
    clock: Clock,
    logger: Logger,
    client: HttpClient,
    userAgent: string,
  ) {
    this.#config = config;
    this.#clock = clock;
    this.#logger = logger;
    this.#client = client;
    this.#userAgent = userAgent;
  }

  start(publish: PublishGroups): void {
    void this.#refresh(publish);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#stopping.abort();
    this.#client.close();
  }

  async #refresh(publish: PublishGroups): Promise<void> {
    const { url } = this.#config;
    try {
      const groups = await this.#fetch();
      if (!this.#stopping.signal.aborted) publish(groups);
    } catch (error) {
      const reason = errorMessage(error);
      this.#logger.warn('cannot read targets from URL; its last good ones stay', { url, reason });
    }
    if (this.#stopping.signal.aborted) return;
    const delayMs = this.#config.refreshIntervalMs || 1000;
    this.#timer = this.#clock.schedule(delayMs, () => void this.#refresh(publish));
  }

  async #fetch(): Promise<TargetGroup[]> {
    const { url, refreshIntervalMs } = this.#config;
    const timeout = new AbortController();
    const timer = this.#clock.schedule(refreshIntervalMs || 1000, () => timeout.abort());
    try {
      const response = await this.#client.get({
        url,
        signal: AbortSignal.any([timeout.signal, this.#stopping.signal]),
        bodyBytesMax: DISCOVERY_BYTES_MAX,
        headers: {
          'User-Agent': this.#userAgent,
          Accept: 'application/json',
          'X-Prometheus-Refresh-Interval-Seconds': String(refreshIntervalMs / 1000),
        },
      });
      if (response.status !== 200) {
        const status = `${response.status} ${response.statusText}`;
        throw new TytoError('unavailable', `server returned HTTP status ${status}`);
      }
      if (!/^application\/json\s*(;|$)/i.test(response.contentType.trim())) {
        const message = `unsupported content type ${JSON.stringify(response.contentType)}`;
        throw new TytoError('bad_data', message);
      }
      return this.#groups(Buffer.from(response.body).toString('utf8'));
    } finally {
      timer.cancel();
    }
  }

  #groups(text: string): TargetGroup[] {
    const { url } = this.#config;
    const { value, problems } = yaml.decodeYaml(text, url, groupsSchema);
    if (value === undefined || yaml.hasErrors(problems)) {
      throw new TytoError('bad_data', yaml.formatProblems(problems));
    }
    const groups = value.map((group, i) => toGroup(group, `${url}:${i}`, { __meta_url: url }));
    for (let i = value.length; i < this.#groupCount; i++) {
      groups.push({ source: `${url}:${i}`, targets: [], labels: {} });
    }
    this.#groupCount = value.length;
    return groups;
  }
}
