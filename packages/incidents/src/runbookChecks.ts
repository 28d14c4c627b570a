/**
 * Whether the runbooks that rules name are there: each address is asked now and then, a few a
 * minute. Off unless the configuration says so, because it asks other people's servers.
 */
import { errorMessage, type Timer } from '@tyto/base';
import type { IncidentsConfig } from './config.ts';
import { shorten } from './incident.ts';
import type { IncidentPorts } from './ports.ts';

export interface RunbookState {
  readonly checkedAtMs: number;
  /** '' for one that is there. */
  readonly problem: string;
}

const TIMEOUT_MS = 10_000;
const AGAIN_MS = 24 * 3600_000;
/** One that did not answer may have been away for a moment. */
const AGAIN_FAILED_MS = 3600_000;
const RUNBOOKS_MAX = 5000;

export class RunbookChecks {
  readonly #ports: IncidentPorts;
  readonly #config: () => IncidentsConfig;
  readonly #states = new Map<string, RunbookState>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(ports: IncidentPorts, config: () => IncidentsConfig) {
    this.#ports = ports;
    this.#config = config;
  }

  start(): void {
    const { runbooksPerMinute } = this.#config().review;
    this.#timer = this.#ports.clock.schedule(60_000 / runbooksPerMinute, () => {
      void this.#checkNext().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Undefined for one that was not asked yet. */
  stateOf(url: string): RunbookState | undefined {
    return this.#states.get(url);
  }

  async #checkNext(): Promise<void> {
    if (!this.#config().review.checksRunbooks) return;
    const nowMs = this.#ports.clock.nowMs();
    const urls = new Set(runbookUrls(this.#ports));
    for (const url of this.#states.keys()) if (!urls.has(url)) this.#states.delete(url);
    const due = [...urls].slice(0, RUNBOOKS_MAX).find((url) => {
      const state = this.#states.get(url);
      if (state === undefined) return true;
      const againMs = state.problem === '' ? AGAIN_MS : AGAIN_FAILED_MS;
      return nowMs - state.checkedAtMs >= againMs;
    });
    if (due === undefined) return;
    this.#states.set(due, { checkedAtMs: nowMs, problem: await this.#problemOf(due) });
  }

  async #problemOf(url: string): Promise<string> {
    try {
      const head = await this.#ports.probe(url, 'HEAD', TIMEOUT_MS);
      // Many servers know no HEAD.
      const status = head < 400 ? head : await this.#ports.probe(url, 'GET', TIMEOUT_MS);
      return status < 400 ? '' : `answers ${status}`;
    } catch (error) {
      return shorten(`does not answer: ${errorMessage(error)}`);
    }
  }
}

/** Those that are no template and are addresses of the web. */
function runbookUrls(ports: IncidentPorts): string[] {
  return ports
    .rules()
    .map(({ annotations }) => annotations.get('runbook_url'))
    .filter((url) => /^https?:\/\//.test(url) && !url.includes('{{') && URL.canParse(url));
}
