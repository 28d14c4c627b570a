/** Loki's HTTP API: bodies that are pushed, parameters of queries, and the shape of answers. */
import { readFileSync } from 'node:fs';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { TytoError } from '@tyto/base';
import { LOKI_LIMITS } from '@tyto/collect';
import { Labels } from '@tyto/model';
import type { LogqlValue } from '@tyto/logql';
import { walkLokiPushJson } from '@tyto/wire';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LOGS } from '../packages/server/src/config/logsConfig.ts';
import { lokiDataPieces } from '../packages/server/src/http/lokiJson.ts';
import {
  parseLokiDuration,
  parseLokiTime,
  orderedRangeOf,
  stepOf,
} from '../packages/server/src/http/lokiParams.ts';
import { logFixture } from '../packages/server/src/testing/logFixture.ts';
import { Params } from '../packages/server/src/http/params.ts';
import { sharedCases, sharedPath } from './shared.ts';

const NOW_MS = Date.parse('2019-10-12T00:00:00Z');
const ALL_TIME_MS = 1e13;

interface BodyCase {
  readonly name: string;
  readonly valid: boolean;
  readonly body: string;
}

interface PushCase {
  readonly path: string;
  readonly body: string;
  readonly body_actually_encoded_as: 'identity' | 'gzip' | 'deflate';
  readonly content_type: string;
  readonly content_encoding: string | null;
  readonly service_name_discovery: boolean;
  readonly valid: boolean;
  readonly expected_stream_labels: Record<string, string>[] | null;
}

interface Parameters {
  readonly parameters: readonly {
    readonly request: string;
    readonly valid: boolean | null;
    readonly name?: string;
    readonly expected_step_seconds?: number;
    readonly expected_interval_seconds?: number;
  }[];
  readonly timestamps: readonly {
    readonly value: string;
    readonly instant: string | null;
    readonly valid: boolean;
  }[];
  readonly bounds: readonly {
    readonly start: string;
    readonly end: string;
    readonly since: string;
    readonly now?: string;
    readonly expect_start?: string;
    readonly expect_end?: string;
    readonly valid?: boolean;
  }[];
}

interface ResponseCase {
  readonly where: string;
  readonly json: { readonly data?: { readonly resultType?: string; readonly stats?: object } };
}

const bodies = sharedCases<BodyCase>('loki', 'http', 'push_bodies.json');
const pushes = sharedCases<PushCase>('loki', 'http', 'push_requests.json');
const responses = sharedCases<ResponseCase>('loki', 'http', 'response_bodies.json');
const path = sharedPath('loki', 'http', 'query_parameters.json');
const none: Parameters = { parameters: [], timestamps: [], bounds: [] };
const queries: Parameters = path === undefined ? none : JSON.parse(readFileSync(path, 'utf8'));

const suite = describe.skipIf(path === undefined);
const ns = (instant: string) => parseLokiTime(instant);

suite('bodies of JSON', () => {
  it.each(bodies)('$name', ({ body, valid }) => {
    const visitor = { streamText() {}, stream() {}, entry() {} };
    const read = () => walkLokiPushJson(body, visitor);
    if (valid) read();
    else expect(read).toThrow(TytoError);
  });
});

suite('push requests', () => {
  it.each(pushes.map((push, i) => ({ ...push, i })))(
    '$i: $content_type, $content_encoding',
    async (push) => {
      const fixture = logFixture(NOW_MS);
      const { serviceNameLabels } = LOKI_LIMITS;
      const limits = {
        ...LOKI_LIMITS,
        serviceNameLabels: push.service_name_discovery ? serviceNameLabels : [],
      };
      fixture.logs.apply({ ...DEFAULT_LOGS, limits });
      const encode = { identity: Buffer.from, gzip: gzipSync, deflate: deflateRawSync };
      const { content_type: type, content_encoding: encoding } = push;
      const answer = await fixture.app.inject({
        method: 'POST',
        url: push.path,
        headers: {
          ...(type === '' ? {} : { 'content-type': type }),
          ...(encoding === null ? {} : { 'content-encoding': encoding }),
        },
        payload: encode[push.body_actually_encoded_as](push.body),
      });
      if (!push.valid) {
        expect(answer.statusCode).toBeGreaterThanOrEqual(400);
        expect(answer.statusCode).toBeLessThan(500);
        return;
      }
      expect(answer.statusCode).toBe(204);
      const range = { startNs: 0n, endNs: BigInt(ALL_TIME_MS) * 1_000_000n };
      const request = { ...range, tenant: 'fake', matcherSets: [] };
      const streams = await fixture.store.streams(request);
      const sorted = (all: readonly Labels[]) => all.map(({ key }) => key).sort();
      const expected = (push.expected_stream_labels ?? []).map((labels) => Labels.of(labels));
      expect(sorted(streams)).toEqual(sorted(expected));
    },
  );
});

suite('parameters', () => {
  const paramsOf = (request: string) => {
    const search = request.slice(request.indexOf('?') + 1).replaceAll('+', '%2B');
    return new Params(new URLSearchParams(search));
  };

  it.each(queries.parameters.map((one) => ({ ...one, name: one.name ?? '' })))(
    '$request $name',
    async ({
      request,
      valid,
      expected_step_seconds: step,
      expected_interval_seconds: interval,
    }) => {
      const params = paramsOf(request);
      if (step !== undefined) {
        const range = orderedRangeOf(params, NOW_MS);
        expect(Number(stepOf(params, range)) / 1e9).toBe(step);
      }
      if (interval !== undefined && valid === true) {
        expect(Number(parseLokiDuration(params.text('interval'))) / 1e9).toBe(interval);
      }
      // A WebSocket is needed for a tail; its tests are beside it.
      if (valid !== false || request.includes('/tail')) return;
      const { app } = logFixture(NOW_MS);
      const search = new URLSearchParams(request.slice(request.indexOf('?') + 1));
      if (!search.has('query')) search.set('query', '{foo="bar"}');
      const answer = await app.inject({ url: `${request.split('?', 1)[0]}?${search}` });
      expect([answer.statusCode, answer.body]).toEqual([400, expect.any(String)]);
    },
  );

  it.each(queries.timestamps)('time $value', ({ value, instant }) => {
    if (instant === null) expect(() => parseLokiTime(value)).toThrow(TytoError);
    else expect(parseLokiTime(value)).toBe(ns(instant));
  });

  it.each(queries.bounds)('start "$start", end "$end", since "$since"', (bounds) => {
    const params = new Params(
      new URLSearchParams({ start: bounds.start, end: bounds.end, since: bounds.since }),
    );
    const read = () =>
      orderedRangeOf(params, bounds.now === undefined ? NOW_MS : Date.parse(bounds.now));
    if (bounds.valid === false) {
      expect(read).toThrow(TytoError);
      return;
    }
    expect(read()).toEqual({
      startNs: ns(bounds.expect_start ?? ''),
      endNs: ns(bounds.expect_end ?? ''),
    });
  });
});

suite('answers', () => {
  const wanted = responses.filter(({ where }) => where === 'queryTests');

  /** The value behind an answer. */
  function logqlValue({
    resultType,
    result,
  }: {
    resultType: string;
    result: unknown[];
  }): LogqlValue {
    type Raw = Record<string, never> & { values: [string, string][]; value: [number, string] };
    const raw = result as Raw[];
    const sample = ([seconds, value]: readonly [unknown, string]) => ({
      timestampMs: Math.round(Number(seconds) * 1000),
      value: Number(value),
    });
    if (resultType === 'streams') {
      const streams = raw.map(({ stream, values }) => ({
        labels: Labels.of(stream),
        entries: values.map(([timestamp, line]) => ({
          timestampNs: BigInt(timestamp),
          line,
          metadata: Labels.empty,
          parsed: Labels.empty,
        })),
      }));
      return { type: 'streams', streams };
    }
    if (resultType === 'vector') {
      const samples = raw.map(({ metric, value }) => ({
        labels: Labels.of(metric),
        ...sample(value),
      }));
      return { type: 'vector', samples };
    }
    const series = raw.map(({ metric, values }) => ({
      labels: Labels.of(metric),
      samples: values.map(sample),
    }));
    return { type: 'matrix', series };
  }

  it.each(wanted)('have the shape of Loki: $json.data.resultType', ({ json }) => {
    const data = json.data as { resultType: string; result: unknown[]; stats: object };
    const result = {
      value: logqlValue(data),
      read: { entries: 0, bytes: 0 },
      entries: 0,
      warnings: [],
    };
    const timing = { queueMs: 0, executionMs: 0 };
    const text = [...lokiDataPieces(result, false, timing)].join('');
    expect(JSON.parse(text)).toEqual(data);
  });
});
