/** GET /api/v1/notifications, and …/live, which tells of them as server-sent events. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Notifications } from '../notifications.ts';
import { sendData } from './envelope.ts';

export interface NotificationsApiOptions {
  readonly notifications: Notifications;
}

/** Of what a client has not read yet; more is dropped. */
const UNREAD_BYTES_MAX = 64 * 1024;
/** How soon a client that vanished is noticed. */
const KEEP_ALIVE_MS = 30_000;

export function registerNotificationsApi(
  app: FastifyInstance,
  { notifications }: NotificationsApiOptions,
): void {
  app.get('/api/v1/notifications', async (_, reply) => sendData(reply, notifications.all));
  // A HEAD would never end.
  app.get('/api/v1/notifications/live', { exposeHeadRoute: false }, (_, reply) => {
    follow(notifications, reply);
  });
}

function follow(notifications: Notifications, reply: FastifyReply): void {
  const { raw } = reply;
  let isOpen = false;
  const early: string[] = [];
  const end = notifications.follow((notification) => {
    const text = `data: ${JSON.stringify(notification)}\n\n`;
    if (!isOpen) early.push(text);
    else if (raw.writableLength > UNREAD_BYTES_MAX) return false;
    else raw.write(text);
    return true;
  });
  if (end === undefined) {
    reply.code(204).send();
    return;
  }
  raw.once('close', end);
  reply.hijack();
  raw.socket?.setKeepAlive(true, KEEP_ALIVE_MS);
  const headers = { ...reply.getHeaders(), ...EVENT_HEADERS };
  raw.writeHead(200, headers as Record<string, string>);
  raw.flushHeaders();
  isOpen = true;
  for (const text of early) raw.write(text);
}

const EVENT_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
};
