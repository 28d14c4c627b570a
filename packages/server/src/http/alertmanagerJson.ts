/** What Alertmanager's API answers: alerts, groups and silences, and long lists in pieces. */
import { Readable } from 'node:stream';
import type { AlertGroup as GroupJson, NotifiedAlert, Silence as SilenceJson } from '@tyto/api';
import type { AlertGroup, AlertStatus, Silence, SilenceState, StoredAlert } from '@tyto/alerting';
import type { FastifyReply } from 'fastify';

export function alertJson(
  alert: StoredAlert,
  status: AlertStatus,
  receivers: readonly string[],
  mutedBy: readonly string[] = [],
): NotifiedAlert {
  const state = mutedBy.length > 0 ? 'suppressed' : status.state;
  return {
    annotations: alert.annotations.toRecord(),
    endsAt: new Date(alert.endsAtMs).toISOString(),
    fingerprint: alert.fingerprint,
    receivers: receivers.map((name) => ({ name })),
    startsAt: new Date(alert.startsAtMs).toISOString(),
    status: { inhibitedBy: status.inhibitedBy, mutedBy, silencedBy: status.silencedBy, state },
    updatedAt: new Date(alert.updatedAtMs).toISOString(),
    ...(alert.generatorUrl === '' ? {} : { generatorURL: alert.generatorUrl }),
    labels: alert.labels.toRecord(),
  };
}

export function groupJson(
  group: AlertGroup,
  alerts: readonly NotifiedAlert[],
  routeLabels: Readonly<Record<string, string>>,
): GroupJson {
  const receiver = { name: group.route.receiver };
  return { alerts, labels: group.labels.toRecord(), receiver, routeLabels };
}

export function silenceJson(silence: Silence, state: SilenceState): SilenceJson {
  return {
    id: silence.id,
    status: { state },
    updatedAt: new Date(silence.updatedAtMs).toISOString(),
    annotations: silence.annotations ?? {},
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: new Date(silence.endsAtMs).toISOString(),
    matchers: silence.matchers,
    startsAt: new Date(silence.startsAtMs).toISOString(),
  };
}

const STATE_ORDER: readonly SilenceState[] = ['active', 'pending', 'expired'];

/** Active ones by their end, pending ones by their start, then those that ended last. */
export function compareSilences(a: SilenceJson, b: SilenceJson): number {
  const { state } = a.status;
  const order = STATE_ORDER.indexOf(state) - STATE_ORDER.indexOf(b.status.state);
  if (order !== 0) return order;
  const [left, right] = state === 'pending' ? [a.startsAt, b.startsAt] : [a.endsAt, b.endsAt];
  const byTime = left < right ? -1 : left > right ? 1 : 0;
  return state === 'expired' ? -byTime : byTime;
}

/** Of a long list, so much is sent at once; between the pieces other requests have their turn. */
const PIECE_LENGTH_MIN = 128 * 1024;

/** Sends the items as a JSON list. A short one goes at once. */
export async function sendList(
  reply: FastifyReply,
  items: AsyncIterable<unknown> | Iterable<unknown>,
): Promise<FastifyReply> {
  const pieces = listPieces(items);
  const { value: first, done } = await pieces.next();
  reply.type('application/json');
  if (done === true || first.endsWith(']\n')) return reply.send(first);
  return reply.send(Readable.from(behind(first, pieces)));
}

async function* behind(first: string, rest: AsyncIterator<string>): AsyncGenerator<Buffer> {
  yield Buffer.from(first);
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    yield Buffer.from(next.value);
  }
}

async function* listPieces(
  items: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncGenerator<string, string> {
  let piece = '[';
  let separator = '';
  for await (const item of items) {
    piece += separator + JSON.stringify(item);
    separator = ',';
    if (piece.length < PIECE_LENGTH_MIN) continue;
    yield piece;
    piece = '';
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  yield `${piece}]\n`;
  return '';
}
