/** `explain`: a query is run, and what is told is not its result but how it came about. */
import type { QueryExplanation, QueryExplanationStep } from '@tyto/api';
import type { Clock } from '@tyto/base';
import { formatMatcher } from '@tyto/model';
import type { QueryStep } from '@tyto/promql';
import type { FastifyInstance } from 'fastify';
import type { QueryRunner, TimedResult } from '../queries.ts';
import { sendData } from './envelope.ts';
import { paramsOf } from './params.ts';
import { queryOptions } from './prometheusApi.ts';

export interface ExplainApiOptions {
  readonly clock: Clock;
  readonly queries: QueryRunner;
}

/** With the parameters of `query`, or with `start`, `end` and `step` those of `query_range`. */
export function registerExplainApi(app: FastifyInstance, options: ExplainApiOptions): void {
  const { clock, queries } = options;
  app.route({
    method: ['GET', 'POST'],
    url: '/tyto/api/v1/explain',
    handler: async (request, reply) => {
      const params = paramsOf(request);
      const text = params.text('query');
      const watched = queryOptions(params, reply);
      if (params.text('step') === '') {
        const result = await queries.instant(text, params.time('time', clock.nowMs()), watched);
        return sendData(reply, explanation(text, result));
      }
      const { startMs, endMs, stepMs } = params.range();
      return sendData(
        reply,
        explanation(text, await queries.range(text, startMs, endMs, stepMs, watched)),
      );
    },
  });
}

function explanation(query: string, { timings, usage }: TimedResult): QueryExplanation {
  const reads = usage?.reads ?? [];
  return {
    query,
    queueSeconds: timings.queueMs / 1000,
    preparationSeconds: timings.preparationMs / 1000,
    evaluationSeconds: timings.evaluationMs / 1000,
    samplesRead: usage?.readSamples ?? 0,
    samplesPeak: usage?.peakSamples ?? 0,
    reads: reads.map(({ matchers, minTimeMs, maxTimeMs, seriesCount }) => ({
      selector: `{${matchers.map(formatMatcher).join()}}`,
      start: minTimeMs / 1000,
      end: maxTimeMs / 1000,
      series: seriesCount,
    })),
    steps: (usage?.steps ?? []).map(explainedStep),
  };
}

function explainedStep(step: QueryStep): QueryExplanationStep {
  return {
    text: step.text,
    notes: step.notes,
    seconds: step.elapsedMs / 1000,
    samplesRead: step.readSamples,
    series: step.seriesCount,
    steps: step.steps.map(explainedStep),
  };
}
