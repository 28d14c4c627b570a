/** What tests of receivers share: a server that records, and one notification to deliver. */
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger, systemClock, yaml } from '@tyto/base';
import { Labels } from '@tyto/model';
import type { StoredAlert } from '../routing/alertStore.ts';
import { parseAlertmanagerConfig } from '../routing/config.ts';
import type { Environment } from './http/proxy.ts';
import type { Integration, Notification, NotifyData } from './notification.ts';
import { NotifyTemplates } from './notifyTemplate.ts';
import { buildIntegrations } from './receiverConfig.ts';

export const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
export const GROUP_KEY = '{}:{alertname="PoolEmpty"}';
/** sha256 of the key, as `sha256sum` gives it. */
export const KEY_HASH = 'c05fe9c84b2fab70fd4713a532a481ce649f05e29a5f486609399618946de937';

export interface Recorded {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The JSON of the text; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it untyped.
  readonly body: any;
}

export interface Recorder {
  /** Without a slash at its end. */
  readonly url: string;
  readonly requests: Recorded[];
}

export type Reply = (
  request: Recorded,
  index: number,
) => { status?: number; text?: string } & {
  headers?: Record<string, string>;
};

const servers: Server[] = [];

/** Ends what the tests of a file began; for `afterEach`. */
export function stopServers(): void {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
}

export async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What a server does that keeps what it is sent and answers what `reply` says. */
export function recording(requests: Recorded[], reply: Reply): RequestListener {
  return (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const recorded = { method, path, headers, text, body: parsed(text) };
      requests.push(recorded);
      const {
        status = 200,
        text: answer = '{"ok":true,"success":true}',
        ...more
      } = reply(recorded, requests.length - 1);
      response.writeHead(status, { 'content-type': 'application/json', ...more.headers });
      response.end(answer);
    });
  };
}

export async function record(reply: Reply = () => ({})): Promise<Recorder> {
  const requests: Recorded[] = [];
  const port = await listen(createServer(recording(requests, reply)));
  return { url: `http://127.0.0.1:${port}`, requests };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function alert(
  labels: Readonly<Record<string, string>> = {},
  annotations: Readonly<Record<string, string>> = { summary: '풀이 비었다' },
): StoredAlert {
  return {
    labels: Labels.of({ alertname: 'PoolEmpty', severity: 'critical', ...labels }),
    annotations: Labels.of(annotations),
    startsAtMs: NOW_MS - 60_000,
    endsAtMs: NOW_MS - 1000,
    generatorUrl: 'http://tyto:9090/graph?g0.expr=pool+%3D%3D+0',
    fingerprint: 'c0ffee',
    updatedAtMs: NOW_MS,
  };
}

export function notification(more: Partial<Notification> = {}): Notification {
  return {
    receiver: 'team',
    groupKey: GROUP_KEY,
    groupLabels: Labels.of({ alertname: 'PoolEmpty' }),
    firing: [alert()],
    resolved: [],
    reason: 'first notification',
    externalUrl: 'http://tyto:9090/',
    nowMs: NOW_MS,
    data: {},
    links: undefined,
    ...more,
  };
}

/** The notification of the end. */
export const ended: Partial<Notification> = { firing: [], resolved: [alert()] };

/** What `alertmanager.yml` with this receiver's fields makes; `global` is the section. */
export function integrationsOf(
  receiver: string,
  global = '{}',
  templates = '',
  environment: Environment = {},
): Integration[] {
  const text =
    `global: ${global}\nroute: {receiver: team}\nreceivers:\n- {name: team, ` + `${receiver}}\n`;
  const { config, problems } = parseAlertmanagerConfig(text, '/etc/tyto/alertmanager.yml');
  if (config === undefined) throw new Error(yaml.formatProblems(problems));
  const files: [string, string][] = templates === '' ? [] : [['team.tmpl', templates]];
  const expander = new NotifyTemplates(files, systemClock);
  return buildIntegrations(config.receivers[0], config.global, expander, silentLogger, environment);
}

/** Delivers with the first of the receiver's integrations. */
export async function deliver(
  receiver: string,
  more: Partial<Notification> = {},
  global = '{}',
  signal = AbortSignal.timeout(20_000),
): Promise<NotifyData | undefined> {
  return await integrationsOf(receiver, global)[0].notify(notification(more), signal);
}

/** What a refusal says, and whether another attempt may help. */
export async function refusalOf(
  delivery: Promise<unknown>,
): Promise<{ message: string; retry: boolean }> {
  const error = await delivery.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('it was delivered');
  return { message: error.message, retry: 'retry' in error && error.retry === true };
}
