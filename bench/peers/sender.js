/**
 * Sends prepared remote-write bodies as fast as they are acknowledged. Bodies come in groups of
 * the same span of time; each sender has its own share of the series, so that the samples of one
 * series stay in order, and none runs further ahead than the next group.
 */
import { Agent, request } from 'node:http';

const REQUEST_MS_MAX = 120_000;
/** A server that is overloaded may say so; the body is sent again after a while. */
const RETRY_MS = 100;
const RETRIES_MAX = 100;

/** The server does not take this workload; the message says what it answered. */
export class Refusal extends Error {}

const HEADERS = {
  'Content-Type': 'application/x-protobuf',
  'Content-Encoding': 'snappy',
  'X-Prometheus-Remote-Write-Version': '0.1.0',
  'User-Agent': 'tyto-bench',
};

/**
 * @param {Agent} agent
 * @param {number} port
 * @param {Buffer} body
 * @returns {Promise<{ status: number, text: string }>}
 */
function post(agent, port, body) {
  return new Promise((resolve, reject) => {
    const message = request(
      {
        agent,
        host: '127.0.0.1',
        port,
        path: '/api/v1/write',
        method: 'POST',
        timeout: REQUEST_MS_MAX,
        headers: { ...HEADERS, 'Content-Length': body.length },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      },
    );
    message.on('timeout', () => message.destroy(new Error('no answer in time')));
    message.on('error', reject);
    message.end(body);
  });
}

/**
 * @typedef {object} Acknowledgements
 * @property {Float64Array} latenciesMs of each body, in the order of the spool; NaN: none came
 * @property {Float64Array} atMs when each body was acknowledged, as performance.now tells
 * @property {number} retried
 */

/**
 * @param {object} plan
 * @param {number} plan.port
 * @param {import('./spool.js').Spool} plan.spool
 * @param {number} plan.groupSize bodies of one span of time
 * @param {number} plan.from the first body, at the beginning of a group
 * @param {number} plan.to where the bodies end
 * @param {number} plan.senders
 * @param {() => boolean} [plan.isOver] asked before each body; what fails after a yes is no error
 * @param {(index: number) => void} [plan.acknowledged]
 * @returns {Promise<Acknowledgements>}
 */
export async function sendAll(plan) {
  const { port, spool, groupSize, from, to, senders, acknowledged } = plan;
  const isOver = plan.isOver ?? (() => false);
  const agent = new Agent({ keepAlive: true, maxSockets: senders });
  const latenciesMs = new Float64Array(spool.count).fill(NaN);
  const atMs = new Float64Array(spool.count).fill(NaN);
  /** The group that each sender is at, and who waits for the others. */
  const groups = new Array(senders).fill(0);
  /** @type {(() => void)[]} */
  let waiting = [];
  let retried = 0;
  let hasFailed = false;

  const enter = async (sender, group) => {
    groups[sender] = group;
    for (const wake of waiting.splice(0)) wake();
    while (group > Math.min(...groups) + 1) {
      await new Promise((resolve) => waiting.push(() => resolve(undefined)));
    }
  };
  const send = async (index) => {
    const body = spool.read(index);
    const startMs = performance.now();
    for (let attempt = 0; ; attempt++) {
      const { status, text } = await post(agent, port, body);
      if (status >= 200 && status < 300) break;
      const isLoad = status === 429 || status === 503;
      if (!isLoad || attempt === RETRIES_MAX) {
        throw new Refusal(`body ${index}: HTTP ${status} ${text.trim().slice(0, 200)}`);
      }
      retried++;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    atMs[index] = performance.now();
    latenciesMs[index] = atMs[index] - startMs;
    acknowledged?.(index);
  };
  const work = async (sender) => {
    try {
      for (let group = 0; from + group * groupSize < to; group++) {
        await enter(sender, group);
        const start = from + group * groupSize;
        for (let i = start + sender; i < Math.min(start + groupSize, to); i += senders) {
          if (hasFailed || isOver()) return;
          await send(i);
        }
      }
    } catch (error) {
      hasFailed = true;
      if (!isOver()) throw error;
    } finally {
      groups[sender] = Infinity;
      for (const wake of waiting.splice(0)) wake();
    }
  };
  try {
    await Promise.all(Array.from({ length: senders }, (_, sender) => work(sender)));
  } finally {
    waiting = [];
    agent.destroy();
  }
  return { latenciesMs, atMs, retried };
}
