/** What the tests of logs under stress share: pushing, asking, and the process of the store. */
import { readFileSync } from 'node:fs';
import type { Tyto } from '../harness.ts';

/** Numbers from 0 up to 1, the same in every run. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

export type LogValues = readonly (readonly [timeNs: string, line: string])[];

export interface LogStream {
  readonly stream: Readonly<Record<string, string>>;
  readonly values: LogValues;
}

export interface PushAnswer {
  readonly status: number;
  readonly text: string;
}

/** Rejects where the server does not answer. */
export async function push(
  { baseUrl }: Pick<Tyto, 'baseUrl'>,
  streams: readonly LogStream[],
  tenant?: string,
): Promise<PushAnswer> {
  const response = await fetch(`${baseUrl}loki/api/v1/push`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(tenant === undefined ? {} : { 'x-scope-orgid': tenant }),
    },
    body: JSON.stringify({ streams }),
  });
  return { status: response.status, text: await response.text() };
}

/** Now in nanoseconds, for entries. */
export function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

export async function lokiGet(
  { baseUrl }: Pick<Tyto, 'baseUrl'>,
  path: string,
  params: Readonly<Record<string, string>>,
  tenant?: string,
): Promise<PushAnswer> {
  const response = await fetch(`${baseUrl}${path}?${new URLSearchParams(params)}`, {
    headers: tenant === undefined ? {} : { 'x-scope-orgid': tenant },
  });
  return { status: response.status, text: await response.text() };
}

const PAGE = 5000;

/** All lines of a log query from a time on, page by page. Rejects for any answer but 200. */
export async function allLines(
  tyto: Pick<Tyto, 'baseUrl'>,
  query: string,
  startNs: bigint,
  tenant?: string,
): Promise<string[]> {
  const lines: string[] = [];
  for (let start = startNs; ; ) {
    const params = { query, start: `${start}`, limit: `${PAGE}`, direction: 'forward' };
    const answer = await lokiGet(tyto, 'loki/api/v1/query_range', params, tenant);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    const streams: LogStream[] = JSON.parse(answer.text).data.result;
    const entries = streams.flatMap(({ values }) => values);
    lines.push(...entries.map(([, line]) => line));
    if (entries.length < PAGE) return lines;
    // Tests give each entry a time of its own, so that a page ends between two of them.
    start = entries.reduce((last, [time]) => (BigInt(time) > last ? BigInt(time) : last), 0n) + 1n;
  }
}

/** The process of the store below a server; undefined while there is none. */
export function enginePid({ pid }: Pick<Tyto, 'pid'>): number | undefined {
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/);
  return pids.map(Number).find((child) => child > 0 && commandOf(child).includes('engine.sock'));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
