/** What a query is refused or ended with, in Loki's words where tools look for them. */
import { TytoError } from '@tyto/base';
import type { Labels } from '@tyto/model';

/** An entry of a metric query failed in the pipeline, and nothing filters its error. */
export function pipelineError(error: string, labels: Labels): TytoError {
  return new TytoError(
    'bad_data',
    `pipeline error: '${error}' for series: '${labels.toString()}'.\n` +
      `Use a label filter to intentionally skip this error. (e.g | __error__!="${error}").\n` +
      'To skip all potential errors you can match empty errors.(e.g __error__="")\n' +
      'The label filter can also be specified after unwrap. ' +
      '(e.g | unwrap latency | __error__="" )\n',
  );
}

export function tooManySeries(limit: number): TytoError {
  return new TytoError(
    'bad_data',
    `maximum number of series (${limit}) reached for a single query; consider reducing query ` +
      'cardinality by adding more specific stream selectors, reducing the time range, or ' +
      'aggregating results with functions like sum(), count() or topk()',
  );
}
