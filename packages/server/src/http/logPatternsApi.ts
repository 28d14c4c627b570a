/**
 * Patterns of lines: /loki/api/v1/patterns as Loki has it, and Tyto's own: all of a query with
 * their counts, and those that are new since a time.
 */
import { TytoError } from '@tyto/base';
import { parseLogSelector } from '@tyto/syntax';
import type { FastifyInstance } from 'fastify';
import { findNewPatterns, findPatterns, type FoundPatterns } from '../logs/logPatterns.ts';
import { sendData } from './envelope.ts';
import { orderedRangeOf, parseLokiDuration, parseLokiTime, queryOf } from './lokiParams.ts';
import { limited, type LokiQueryOptions } from './lokiQueryApi.ts';
import type { Params } from './params.ts';

const STEP_MS_DEFAULT = 10_000;
const STEP_MS_MIN = 1000;
const DAY_MS = 24 * 3_600_000;
const PATTERNS_SHOWN_MAX = 1000;

interface Asked {
  readonly params: Params;
  readonly tenant: string;
  readonly signal: AbortSignal;
}

export function registerLokiPatternsApi(scope: FastifyInstance, options: LokiQueryOptions): void {
  scope.route({
    method: ['GET', 'POST'],
    url: '/loki/api/v1/patterns',
    handler: async (request, reply) => {
      const { patterns } = await limited(request, reply, options, (asked) =>
        findPatterns(options.logs.store, requestOf(asked, options)),
      );
      const data = patterns.slice(0, PATTERNS_SHOWN_MAX).map(({ pattern, level, samples }) => ({
        pattern,
        level,
        samples: samples.map(({ timestampMs, count }) => [timestampMs / 1000, count]),
      }));
      return sendData(reply, data);
    },
  });
}

export function registerLogPatternsApi(app: FastifyInstance, options: LokiQueryOptions): void {
  app.get('/tyto/api/v1/logs/patterns', async (request, reply) =>
    sendData(
      reply,
      shown(
        await limited(request, reply, options, (asked) =>
          findPatterns(options.logs.store, requestOf(asked, options)),
        ),
      ),
    ),
  );
  app.get('/tyto/api/v1/logs/new', async (request, reply) =>
    sendData(
      reply,
      shown(
        await limited(request, reply, options, (asked) => {
          const text = asked.params.text('since');
          const message = 'since parameter is required: the time from which patterns are new';
          if (text === '') throw new TytoError('bad_data', message);
          const since = parseLokiTime(text);
          return findNewPatterns(options.logs.store, newRequestOf(asked, options, since), since);
        }),
      ),
    ),
  );
}

function requestOf({ params, tenant, signal }: Asked, { clock }: LokiQueryOptions) {
  const range = orderedRangeOf(params.without('since'), clock.nowMs());
  const step = params.text('step');
  const stepMs = step === '' ? STEP_MS_DEFAULT : Number(parseLokiDuration(step)) / 1e6;
  const matchers = parseLogSelector(queryOf(params));
  return { ...range, tenant, signal, matchers, stepMs: Math.max(STEP_MS_MIN, stepMs) };
}

/** From a day before `since`, where no start is given. */
function newRequestOf(asked: Asked, options: LokiQueryOptions, sinceNs: bigint) {
  const request = requestOf(asked, options);
  const isGiven = asked.params.text('start') !== '';
  const startNs = isGiven ? request.startNs : sinceNs - BigInt(DAY_MS) * 1_000_000n;
  if (startNs < sinceNs && sinceNs <= request.endNs) return { ...request, startNs };
  throw new TytoError('bad_data', 'since must be after start and not after end');
}

function shown({ patterns, lines, isPartial }: FoundPatterns) {
  return {
    lines,
    isPartial,
    patterns: patterns.slice(0, PATTERNS_SHOWN_MAX).map(({ level, pattern, count, samples }) => ({
      level,
      pattern,
      count,
      first: (samples[0]?.timestampMs ?? 0) / 1000,
      last: (samples.at(-1)?.timestampMs ?? 0) / 1000,
    })),
  };
}
