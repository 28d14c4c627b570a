/** Asks a server on this machine over HTTP; one connection for each port and question at a time. */
import { Agent, request } from 'node:http';

const ANSWER_MS_MAX = 180_000;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/**
 * @typedef {{ status: number, text: string, elapsedMs: number }} Answer
 */

/**
 * @param {number} port
 * @param {string} path
 * @returns {Promise<Answer>}
 */
export function ask(port, path) {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const options = { agent, host: '127.0.0.1', port, path, timeout: ANSWER_MS_MAX };
    const message = request(options, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const elapsedMs = performance.now() - startMs;
        const text = Buffer.concat(parts).toString('utf8');
        resolve({ status: response.statusCode ?? 0, text, elapsedMs });
      });
    });
    message.on('timeout', () => message.destroy(new Error('no answer in time')));
    message.on('error', reject);
    message.end();
  });
}

/**
 * The `data` of an answer of Prometheus' API; rejects for any other answer than success.
 * @param {number} port
 * @param {string} path below /api/v1/
 * @param {Readonly<Record<string, string>>} parameters
 */
export async function api(port, path, parameters = {}) {
  const { status, text } = await ask(port, `/api/v1/${path}?${new URLSearchParams(parameters)}`);
  if (status !== 200) throw new Error(`${path}: HTTP ${status} ${text.slice(0, 200)}`);
  return JSON.parse(text).data;
}

/** Ends idle connections, so that the process can end. */
export function closeConnections() {
  agent.destroy();
}
