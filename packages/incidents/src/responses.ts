/**
 * Automatic responses: a command or a webhook for incidents that match. That one begins is kept
 * before it does, so that none runs twice for one firing, whatever happens to the process.
 */
import { errorMessage } from '@tyto/base';
import { matchesAll } from '@tyto/model';
import type { ResponseConfig } from './config.ts';
import { type Incident, labelsOf, note, shorten } from './incident.ts';
import { RESPONSES_AT_ONCE, RESPONSES_WAITING } from './limits.ts';
import type { IncidentContext } from './ports.ts';

interface Task {
  readonly incident: Incident;
  readonly response: ResponseConfig;
  /** Which of the incident's firings it is for. */
  readonly firing: number;
}

export class Responses {
  readonly #context: IncidentContext;
  readonly #waiting: Task[] = [];
  /** By name, when it was run lately. */
  readonly #runs = new Map<string, number[]>();
  #running = 0;
  #stopped = false;

  constructor(context: IncidentContext) {
    this.#context = context;
  }

  /** Runs what matches an incident that was triggered. */
  run(incident: Incident): void {
    // The flag for it is off: nothing is done to anything outside.
    if (this.#context.ports.run === undefined) return;
    const labels = labelsOf(incident);
    for (const response of this.#context.config().responses) {
      if (!matchesAll(response.matchers, labels)) continue;
      if (incident.responses[response.name] !== undefined) continue;
      if (!this.#takeTurn(response)) {
        const limit = `more than ${response.rateMax} in ${response.rateMs / 1000} s`;
        this.#note(incident, response, `not run: ${limit}`);
      } else if (this.#waiting.length >= RESPONSES_WAITING) {
        this.#note(incident, response, `not run: ${RESPONSES_WAITING} others wait`);
      } else {
        this.#waiting.push({ incident, response, firing: incident.firings });
      }
    }
    this.#next();
  }

  /** What an earlier process began is not begun again, and said so. */
  resume(incident: Incident): void {
    for (const [name, state] of Object.entries(incident.responses)) {
      if (state !== 'started') continue;
      incident.responses[name] = 'done';
      const atMs = this.#context.ports.clock.nowMs();
      const text = `${name}: what came of it is not known: Tyto ended meanwhile; not run again`;
      note(incident, { atMs, kind: 'response', text });
      this.#context.store.saveLater(incident);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.length = 0;
  }

  #takeTurn({ name, rateMax, rateMs }: ResponseConfig): boolean {
    const nowMs = this.#context.ports.clock.nowMs();
    const recent = (this.#runs.get(name) ?? []).filter((atMs) => atMs > nowMs - rateMs);
    const isFree = recent.length < rateMax;
    if (isFree) recent.push(nowMs);
    this.#runs.set(name, recent);
    return isFree;
  }

  #next(): void {
    while (this.#running < RESPONSES_AT_ONCE && !this.#stopped) {
      const task = this.#waiting.shift();
      if (task === undefined) return;
      this.#running++;
      void this.#do(task)
        .catch((error: unknown) => {
          this.#note(task.incident, task.response, `failed: ${errorMessage(error)}`);
        })
        .finally(() => {
          this.#running--;
          this.#next();
        });
    }
  }

  async #do({ incident, response, firing }: Task): Promise<void> {
    const { store, ports } = this.#context;
    const { name } = response;
    const isCurrent = () => incident.firings === firing;
    if (!isCurrent() || incident.responses[name] !== undefined) return;
    incident.responses[name] = 'started';
    const { atMs, shown } = { atMs: ports.clock.nowMs(), shown: shownCommand(response) };
    note(incident, { atMs, kind: 'response', text: shorten(`${name}: runs ${shown}`) });
    await store.save(incident);
    const started = ports.clock.monotonicMs();
    const outcome = await this.#outcome(incident, response);
    const took = ((ports.clock.monotonicMs() - started) / 1000).toFixed(1);
    if (isCurrent()) incident.responses[name] = 'done';
    this.#note(incident, response, `${outcome} (${took} s)`);
  }

  async #outcome(incident: Incident, response: ResponseConfig): Promise<string> {
    const { ports } = this.#context;
    const { timeoutMs, outputBytesMax, command } = response;
    const about = aboutOf(incident, ports.externalUrl);
    if (command.length === 0) {
      try {
        return `the webhook took it: ${await ports.post(response.webhook, about, timeoutMs)}`;
      } catch (error) {
        return `the webhook failed: ${errorMessage(error)}`;
      }
    }
    const { run } = ports;
    if (run === undefined) return 'not run: commands are off';
    const result = await run({
      command,
      environment: { ...environmentOf(about), ...response.environment },
      directory: response.directory,
      timeoutMs,
      outputBytesMax,
    });
    const end = result.error === '' ? `ended with ${result.exitCode}` : result.error;
    return result.output === '' ? end : `${end}: ${result.output}`;
  }

  #note(incident: Incident, { name }: ResponseConfig, text: string): void {
    const atMs = this.#context.ports.clock.nowMs();
    note(incident, { atMs, kind: 'response', text: shorten(`${name}: ${text}`, 2000) });
    this.#context.store.saveLater(incident);
  }
}

/** Addresses may hold a secret in their path: only where it goes is shown. */
function shownCommand({ command, webhook }: ResponseConfig): string {
  if (command.length > 0) return JSON.stringify(command);
  return URL.canParse(webhook) ? `a webhook at ${new URL(webhook).host}` : 'a webhook';
}

interface About {
  readonly incident: string;
  readonly title: string;
  readonly severity: string;
  readonly priority: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly triggeredAt: string;
  readonly externalURL: string;
}

function aboutOf(incident: Incident, externalUrl: string): About {
  return {
    incident: incident.id,
    title: incident.title,
    severity: incident.severity,
    priority: incident.priority,
    labels: incident.alerts[0]?.labels ?? incident.labels,
    annotations: incident.annotations,
    triggeredAt: new Date(incident.triggeredAtMs).toISOString(),
    externalURL: externalUrl,
  };
}

/** Values come from labels, that is from anybody: they are data, and no part of a command. */
function environmentOf({ labels, ...about }: About): Record<string, string> {
  return {
    TYTO_INCIDENT: about.incident,
    TYTO_TITLE: about.title,
    TYTO_SEVERITY: about.severity,
    TYTO_PRIORITY: about.priority,
    TYTO_LABELS: JSON.stringify(labels),
    TYTO_TRIGGERED_AT: about.triggeredAt,
  };
}
