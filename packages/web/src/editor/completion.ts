/** Completion from the server's own names; each list is asked for once a minute at most. */

import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { MetadataData } from '@tyto/api';
import { api } from '../state/connection.ts';
import { completionContextAt } from './completionContext.ts';
import { AGGREGATIONS, DURATION_UNITS, DURATIONS, FUNCTIONS, KEYWORDS } from './promqlWords.ts';

const CACHE_MS = 60_000;
/** More than this nobody scrolls through; typing narrows it. */
const NAMES_MAX = 20_000;

interface Cached {
  readonly atMs: number;
  readonly names: Promise<readonly string[]>;
}

const cache = new Map<string, Cached>();
let metadata: Promise<MetadataData> | undefined;

const WORDS: readonly Completion[] = [
  ...FUNCTIONS.map(([label, parameters]) => ({
    label,
    type: 'function',
    detail: `(${parameters})`,
  })),
  ...AGGREGATIONS.map((label) => ({ label, type: 'keyword', detail: 'aggregation' })),
  ...KEYWORDS.map((label) => ({ label, type: 'keyword', boost: -10 })),
];

export async function completePromql(context: CompletionContext): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const found = completionContextAt(text, context.pos);
  switch (found.kind) {
    case 'nothing':
      return null;
    case 'duration': {
      const typed = text.slice(found.from, context.pos);
      const options = typed === '' ? DURATIONS : DURATION_UNITS.map((unit) => typed + unit);
      return { from: found.from, options: options.map((label) => ({ label, type: 'constant' })) };
    }
    case 'labelName': {
      const names = await labelNames(found.metric);
      const options = names
        .filter((name) => name !== '__name__')
        .map((label) => ({ label, type: 'property' }));
      return { from: found.from, options, validFor: /^[a-zA-Z0-9_]*$/ };
    }
    case 'labelValue': {
      const values = await labelValues(found.label, found.metric);
      const options = values.map((value) => ({
        label: value,
        apply: JSON.stringify(value).slice(1, -1),
        type: 'text',
      }));
      return { from: found.from, options, validFor: /^[^"'`]*$/ };
    }
    case 'expression': {
      if (found.from === context.pos && !context.explicit) return null;
      const options = [...(await metricOptions()), ...WORDS];
      return { from: found.from, options, validFor: /^[a-zA-Z0-9_:]*$/ };
    }
  }
}

async function metricOptions(): Promise<Completion[]> {
  metadata ??= api.metadata().then(
    (answer) => answer.data,
    () => ({}),
  );
  const [names, known] = await Promise.all([
    cached('metrics', async () => (await api.labelValues('__name__')).data),
    metadata,
  ]);
  return names.slice(0, NAMES_MAX).map((label) => {
    const about = known[label]?.[0] ?? known[label.replace(/_(?:bucket|sum|count)$/, '')]?.[0];
    if (about === undefined) return { label, type: 'variable' };
    return { label, type: 'variable', detail: about.type, info: about.help };
  });
}

function labelNames(metric: string | undefined): Promise<readonly string[]> {
  return cached(`names ${metric ?? ''}`, async () => {
    const match = metric === undefined ? undefined : [metric];
    return (await api.labelNames({ match })).data;
  });
}

function labelValues(label: string, metric: string | undefined): Promise<readonly string[]> {
  return cached(`values ${label} ${metric ?? ''}`, async () => {
    const match = metric === undefined ? undefined : [metric];
    return (await api.labelValues(label, { match })).data;
  });
}

/** Completion is help, not duty: where the server does not answer, nothing is offered. */
function cached(key: string, load: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const known = cache.get(key);
  if (known !== undefined && Date.now() - known.atMs < CACHE_MS) return known.names;
  const names = load().catch(() => {
    cache.delete(key);
    return [];
  });
  cache.set(key, { atMs: Date.now(), names });
  return names;
}
