/**
 * Packs answers for clients that take it: what is text, and long enough to be worth it. Zlib works
 * in threads of its own.
 */
import { Readable, pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createDeflate, createGzip, deflate, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** With shorter ones nothing is saved. */
const LENGTH_MIN = 512;
/** A third of the time of the default level, for a fifth more bytes. */
const OPTIONS = { level: 1 };
const TYPES = /^(application\/(json|yaml|openmetrics-text)|text\/plain)\b/;

const CODINGS = {
  gzip: { whole: promisify(gzip), stream: createGzip },
  deflate: { whole: promisify(deflate), stream: createDeflate },
};

export function registerCompression(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => pack(request, reply, payload));
}

async function pack(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  if (!TYPES.test(String(reply.getHeader('content-type') ?? ''))) return payload;
  const isLong = typeof payload === 'string' && payload.length >= LENGTH_MIN;
  if (!isLong && !(payload instanceof Readable)) return payload;
  if (reply.hasHeader('content-encoding')) return payload;
  addVary(reply, 'Accept-Encoding');
  const name = acceptedCoding(request.headers['accept-encoding']);
  if (name === undefined || request.method === 'HEAD') return payload;
  reply.header('content-encoding', name).removeHeader('content-length');
  const coding = CODINGS[name];
  if (payload instanceof Readable) {
    // An error of either end destroys the other; the client sees an answer that breaks off.
    return pipeline(payload, coding.stream(OPTIONS), () => {});
  }
  return await coding.whole(payload as string, OPTIONS);
}

function acceptedCoding(header: string | string[] | undefined): keyof typeof CODINGS | undefined {
  const accepted = new Set<string>();
  for (const part of String(header ?? '').split(',')) {
    const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    if (!parameters.some((text) => /^q=0(\.0*)?$/.test(text))) accepted.add(name);
  }
  if (accepted.has('gzip')) return 'gzip';
  return accepted.has('deflate') ? 'deflate' : undefined;
}

/** Says that the answer depends on a header of the request, beside what is said of that already. */
export function addVary(reply: FastifyReply, name: string): void {
  const before = reply.getHeader('vary');
  reply.header('vary', before === undefined ? name : `${String(before)}, ${name}`);
}
