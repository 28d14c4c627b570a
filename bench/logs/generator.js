/**
 * Seeded log lines as applications write them: JSON of services, nginx' access log, and Java with
 * stack traces. One seed gives the same lines on every machine.
 */
import { Random } from '../peers/random.js';

const SERVICES = [
  'checkout',
  'cart',
  'payment',
  'search',
  'inventory',
  'shipping',
  'users',
  'mail',
  'catalog',
  'gateway',
];
const LEVELS = ['debug', 'info', 'info', 'info', 'info', 'info', 'info', 'warn', 'error'];
const MESSAGES = [
  'request handled',
  'cache miss',
  'order placed',
  'payment accepted',
  'retrying upstream call',
  'session refreshed',
  'item reserved',
  'connection pool is nearly full',
  'query took long',
];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT'];
const PLACES = ['http', 'db', 'cache', 'client', 'queue', 'auth'];
const ROUTES = ['/api/orders', '/api/cart', '/api/items', '/login', '/healthz', '/api/search'];
const CLASSES = ['OrderService', 'CartController', 'PaymentClient', 'StockRepository'];
const FRAMES = 12;
const HEX = '0123456789abcdef';

/** Endless batches of about `batchEntries` entries; times go on by `stepNs` an entry. */
export function* generateLogs({ seed, startNs, stepNs, batchEntries }) {
  const randomness = new Random(seed);
  const next = () => randomness.next();
  const pick = (list) => list[Math.floor(next() * list.length)];
  const streams = SERVICES.flatMap((service) =>
    ['a', 'b', 'c', 'd'].map((pod) => ({
      labels: { service, pod: `${service}-${pod}`, env: 'prod', format: 'json' },
      line: jsonLines(service, pod, next, pick),
    })),
  );
  for (const pod of ['a', 'b']) {
    const labels = { pod: `edge-${pod}`, env: 'prod' };
    streams.push({
      labels: { ...labels, service: 'nginx', format: 'nginx' },
      line: (timeNs) => nginxLine(timeNs, next, pick),
    });
    streams.push({
      labels: { ...labels, service: 'billing', format: 'java' },
      line: (timeNs) => javaLines(timeNs, next, pick),
    });
  }
  let timeNs = startNs;
  for (;;) {
    const batch = streams.map(({ labels }) => ({ labels, entries: [] }));
    for (let i = 0; i < batchEntries; i++) {
      timeNs += stepNs;
      // Some streams are much busier than others.
      const index = Math.floor(next() ** 2 * streams.length);
      batch[index].entries.push({ timestampNs: timeNs, line: streams[index].line(timeNs) });
    }
    yield batch.filter(({ entries }) => entries.length > 0);
  }
}

/**
 * Lines with the fields of a structured logger: several for each request, which has an id of its
 * own, as many as a handler writes.
 */
function jsonLines(service, pod, next, pick) {
  let left = 0;
  let request = {};
  return (timeNs) => {
    if (left-- <= 0) {
      left = Math.floor(next() * 6);
      request = {
        request_id: uuid(next),
        user_id: `u${Math.floor(next() * 50_000)}`,
        method: pick(METHODS),
        path: pick(ROUTES),
      };
    }
    const level = pick(LEVELS);
    const place = Math.floor(next() * PLACES.length);
    const isLast = left === 0;
    return JSON.stringify({
      timestamp: new Date(Number(timeNs / 1_000_000n)).toISOString(),
      level,
      logger: `${service}.${PLACES[place]}`,
      message: MESSAGES[(place * 3 + Math.floor(next() * 3)) % MESSAGES.length],
      module: PLACES[place],
      function: `handle_${PLACES[place]}`,
      line: 40 + place * 31,
      host: `${service}-${pod}`,
      version: '2.14.3',
      ...request,
      ...(isLast ? { status: level === 'error' ? 500 : 200 } : {}),
      ...(isLast ? { duration_ms: Math.round(next() ** 4 * 2_000_000) / 1000 } : {}),
      ...(level === 'error' ? { error: `upstream ${pick(SERVICES)} closed the connection` } : {}),
    });
  };
}

function uuid(next) {
  return [8, 4, 4, 4, 12].map((length) => hex(length, next)).join('-');
}

function nginxLine(timeNs, next, pick) {
  const address = `10.${byte(next)}.${byte(next)}.${byte(next)}`;
  const date = new Date(Number(timeNs / 1_000_000n)).toISOString();
  const status = next() < 0.97 ? 200 : 502;
  const bytes = Math.floor(next() * 20_000);
  const request = `"GET ${pick(ROUTES)}?id=${byte(next)} HTTP/1.1"`;
  return `${address} - - [${date}] ${request} ${status} ${bytes} "-" "Mozilla/5.0 (X11; Linux)"`;
}

function javaLines(timeNs, next, pick) {
  const date = new Date(Number(timeNs / 1_000_000n)).toISOString();
  const thread = `http-${byte(next)}`;
  const name = pick(CLASSES);
  if (next() < 0.9) return `${date} INFO [${thread}] c.e.billing.${name} - ${pick(MESSAGES)}`;
  const frames = Array.from(
    { length: FRAMES },
    () => `\tat com.example.billing.${pick(CLASSES)}.call(${name}.java:${byte(next)})`,
  );
  const head = `${date} ERROR [${thread}] c.e.billing.${name} - failed`;
  return [head, `java.lang.IllegalStateException: ${pick(MESSAGES)}`, ...frames].join('\n');
}

function byte(next) {
  return Math.floor(next() * 256);
}

function hex(length, next) {
  let text = '';
  for (let i = 0; i < length; i++) text += HEX[Math.floor(next() * 16)];
  return text;
}
