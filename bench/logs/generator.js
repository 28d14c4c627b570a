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
      line: () => jsonLine(service, next, pick),
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

function jsonLine(service, next, pick) {
  const level = pick(LEVELS);
  return JSON.stringify({
    level,
    logger: `${service}.http`,
    message: pick(MESSAGES),
    trace_id: hex(32, next),
    user_id: `u${Math.floor(next() * 50_000)}`,
    route: pick(ROUTES),
    status: level === 'error' ? 500 : 200,
    duration_ms: Math.round(next() ** 4 * 2_000_000) / 1000,
    ...(level === 'error' ? { error: `upstream ${pick(SERVICES)} closed the connection` } : {}),
  });
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
