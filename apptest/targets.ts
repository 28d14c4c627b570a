/** Scrape targets in the process of the test: well-behaved ones that count, and hostile ones. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { atEnd, freePort } from './harness.ts';

export interface HttpTarget {
  /** host:port, as scrape configurations want it. */
  readonly address: string;
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

export interface Served {
  readonly timeMs: number;
  readonly value: number;
}

export interface CountingTarget extends HttpTarget {
  /** What was handed out, the oldest first. */
  readonly served: readonly Served[];
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on a free loopback port, closed at the end of the test file. */
export async function startHttp(listener: Listener): Promise<HttpTarget> {
  const server = createServer(listener);
  const port = await freePort();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const close = () => closeServer(server);
  atEnd(close);
  const address = `127.0.0.1:${port}`;
  return { address, port, url: `http://${address}/`, close };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** A counter that grows by one with every scrape, so that each sample has its own value. */
export async function startCountingTarget(): Promise<CountingTarget> {
  const served: Served[] = [];
  const target = await startHttp((_, response) => {
    served.push({ timeMs: Date.now(), value: served.length + 1 });
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`# TYPE scrapes_total counter\nscrapes_total ${served.length}\n`);
  });
  return { ...target, served };
}

export interface HostileTarget {
  /** What it does, for the name of the job. */
  readonly name: string;
  readonly listener: Listener;
}

const MEGABYTE = 1024 * 1024;
const GARBAGE = randomBytes(MEGABYTE);
/** Lines that are right, so that a parser has no early way out. */
const LINES = Buffer.from(
  'a_metric_of_a_target_that_never_stops{label="value"} 1\n'.repeat(20_000),
);

function plain(response: ServerResponse): void {
  response.setHeader('content-type', 'text/plain; version=0.0.4');
}

/** Writes `chunk` until `totalBytes` are out or the other side has had enough. */
function flood(response: ServerResponse, chunk: Buffer, totalBytes: number): void {
  let sentBytes = 0;
  const more = () => {
    while (sentBytes < totalBytes && !response.destroyed) {
      sentBytes += chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

/** 64 times `content` as many gzip members, made when it is first asked for. */
function gzipBomb(content: () => Buffer): Listener {
  let bomb: Buffer | undefined;
  return (_, response) => {
    bomb ??= Buffer.concat(new Array(64).fill(gzipSync(content())));
    plain(response);
    response.setHeader('content-encoding', 'gzip');
    response.end(bomb);
  };
}

export const HOSTILE_TARGETS: readonly HostileTarget[] = [
  {
    name: 'garbage',
    listener: (_, response) => {
      plain(response);
      flood(response, GARBAGE, 100 * MEGABYTE);
    },
  },
  {
    name: 'endless',
    listener: (_, response) => {
      plain(response);
      flood(response, LINES, Number.POSITIVE_INFINITY);
    },
  },
  {
    name: 'drip',
    listener: (_, response) => {
      plain(response);
      const timer = setInterval(() => response.write('a 1\n'), 100);
      response.on('close', () => clearInterval(timer));
    },
  },
  {
    name: 'silent',
    listener: () => undefined,
  },
  {
    name: 'cut',
    listener: (_, response) => {
      plain(response);
      response.setHeader('content-length', 1000);
      response.write('a_metric_that_is_cut 1\nanother_me');
      setTimeout(() => response.destroy(), 20);
    },
  },
  { name: 'bomb', listener: gzipBomb(() => Buffer.alloc(16 * MEGABYTE)) },
  {
    name: 'line_bomb',
    listener: gzipBomb(() => Buffer.concat(new Array(16).fill(LINES))),
  },
  {
    name: 'long_line',
    listener: (_, response) => {
      plain(response);
      flood(response, Buffer.alloc(MEGABYTE, 'a'), 100 * MEGABYTE);
    },
  },
  {
    name: 'redirecting',
    listener: (_, response) => {
      response.statusCode = 302;
      response.setHeader('location', '/again');
      response.end();
    },
  },
  {
    name: 'failing',
    listener: (_, response) => {
      response.statusCode = 500;
      response.end('no');
    },
  },
];
