/** Incidents, wired to the dispatcher, the rules and the world outside. */
import { AlertingRule, type Dispatcher, type RuleManager, type StateStore } from '@tyto/alerting';
import type { Clock, Logger } from '@tyto/base';
import {
  Incidents,
  type IncidentPorts,
  type IncidentsConfig,
  type RuleFacts,
  SignedLinks,
} from '@tyto/incidents';
import { CommandRunner } from './commandRunner.ts';

export interface IncidentsWiring {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: StateStore;
  readonly externalUrl: string;
  readonly rules: RuleManager;
  /** Whether commands and webhooks of the configuration may run. */
  readonly runsResponses: boolean;
  /** Made after the incidents, which it tells of alerts. */
  dispatcher(): Dispatcher;
}

/** Of an answer to a webhook. */
const ANSWER_LENGTH_MAX = 500;

export interface WiredIncidents {
  readonly incidents: Incidents;
  /** No further step; ends commands that run. */
  stop(): void;
}

/** Rejects where the key of links cannot be kept. */
export async function openIncidentLinks(state: StateStore): Promise<SignedLinks> {
  return await SignedLinks.open(state);
}

export function wireIncidents(
  wiring: IncidentsWiring,
  links: SignedLinks,
  config: IncidentsConfig,
): WiredIncidents {
  const { clock, logger, state, externalUrl, rules, runsResponses, dispatcher } = wiring;
  const commands = new CommandRunner(clock);
  const ports: IncidentPorts = {
    clock,
    logger,
    state,
    externalUrl: externalUrl.replace(/\/$/, ''),
    tell: (receiver, alerts, about) => dispatcher().tell(receiver, alerts, about),
    alertOf: (fingerprint) => dispatcher().alerts.get(fingerprint),
    alerts: () => dispatcher().alerts.all(),
    silencedBy: (alert) => {
      const { silencedBy, inhibitedBy } = dispatcher().status(alert);
      return [...silencedBy, ...inhibitedBy];
    },
    rules: () => ruleFacts(rules),
    receivers: () => dispatcher().receivers(),
    raise: (alert) => void dispatcher().send([alert]),
    post,
    run: runsResponses ? (request) => commands.run(request) : undefined,
    probe,
  };
  const incidents = new Incidents(ports, links, config);
  const stop = () => {
    incidents.stop();
    commands.stop();
  };
  return { incidents, stop };
}

function ruleFacts(rules: RuleManager): RuleFacts[] {
  return rules.groups.flatMap(({ config, rules: statuses }) =>
    statuses.flatMap(({ rule }) => {
      if (!(rule instanceof AlertingRule)) return [];
      const { alert: name, labels, annotations } = rule.config;
      return [{ name, group: config.name, file: config.file, labels, annotations }];
    }),
  );
}

async function post(url: string, body: unknown, timeoutMs: number): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    // What authorises in an address is for this one only.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await beginningOf(response);
  if (!response.ok) throw new Error(`answers ${response.status}${text === '' ? '' : `: ${text}`}`);
  return `${response.status}${text === '' ? '' : ` ${text}`}`;
}

async function probe(url: string, method: 'HEAD' | 'GET', timeoutMs: number): Promise<number> {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(timeoutMs) });
  await response.body?.cancel();
  return response.status;
}

/** The rest is not read, however long it is. */
async function beginningOf({ body }: Response): Promise<string> {
  let text = '';
  for await (const chunk of body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString('utf8');
    if (text.length >= ANSWER_LENGTH_MAX) break;
  }
  return text.slice(0, ANSWER_LENGTH_MAX).trim();
}
