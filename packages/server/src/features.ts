/**
 * `--enable-feature`: Prometheus' and Alertmanager's names of features. Those that Tyto switches
 * are off unless named; the others are accepted and say what they change here: nothing, because
 * it is so always or never.
 */
import type { MatcherMode } from '@tyto/alerting';
import { nearestName } from '@tyto/base';
import type { ExperimentalSyntax } from '@tyto/syntax';

export interface Features {
  /** What of PromQL's experimental parts may be written, by people and in rules. */
  readonly syntax: ExperimentalSyntax;
  /** Whether /api/v1/search/… answers. */
  readonly searchApi: boolean;
  /** Whether targets get the further series of their scrapes where no configuration says so. */
  readonly extraScrapeMetrics: boolean;
  /** Whether start times of samples are stored. */
  readonly keepsStartTimes: boolean;
  /** Whether rate and its like go by them. */
  readonly useStartTimes: boolean;
  /** How matchers of alertmanager.yml and of its API are read. */
  readonly matcherMode: MatcherMode;
}

const SWITCHED = [
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-binop-fill-modifiers',
  'search-api',
  'extra-scrape-metrics',
  'st-storage',
  'use-start-timestamps',
  'classic-mode',
  'utf8-strict-mode',
] as const;

/** Always on here; the text says how. */
const ALWAYS: Readonly<Record<string, string>> = {
  'promql-delayed-name-removal': 'metric names go at the end of every query',
  'promql-duration-expr': 'durations may be arithmetic',
  'promql-at-modifier': 'it is a part of PromQL',
  'promql-negative-offset': 'it is a part of PromQL',
  'utf8-names': 'all names are UTF-8',
  'native-histograms': 'scrape_native_histograms says which targets are asked for them',
  'exemplar-storage': 'storage.exemplars says how many are kept',
  'memory-snapshot-on-shutdown': 'a checkpoint of the head is written at every end',
  'metadata-wal-records': 'remote write sends metadata',
  'otlp-deltatocumulative': 'deltas are added up',
  'remote-write-receiver': 'see --web.enable-remote-write-receiver',
  'otlp-write-receiver': 'see --web.enable-otlp-receiver',
};

/** Not in Tyto; the text says what happens instead. */
const NEVER: Readonly<Record<string, string>> = {
  'auto-reload-config': 'reload with POST /-/reload or SIGHUP',
  'concurrent-rule-eval': 'the rules of a group are evaluated in their order',
  'created-timestamp-zero-ingestion': 'st-storage keeps start timestamps beside samples',
  'st-synthesis': 'st-storage keeps the start timestamps that samples come with',
  'histograms-st-encoding': 'Tyto has chunks of its own',
  'xor2-encoding': 'Tyto has chunks of its own',
  'delayed-compaction': 'blocks are written when they are due',
  'use-uncached-io': 'files are written through the page cache',
  'fast-startup': 'a start reads a checkpoint of the head',
  'old-ui': 'Tyto has its own page',
  'otlp-native-delta-ingestion': 'deltas are added up',
  'promql-per-step-stats': 'samples are counted for a query as a whole',
  'type-and-unit-labels': 'types and units are metadata only',
  'receiver-name-in-metrics': 'metrics have the integration only',
  'alert-names-in-metrics': 'metrics have the integration only',
  'auto-gomemlimit': 'there is no Go runtime to configure',
  'auto-gomaxprocs': 'there is no Go runtime to configure',
  agent: 'Tyto stores what it scrapes, and sends it on by remote_write',
};

/** Nothing is enabled that is off by default. */
export const DEFAULT_FEATURES: Features = featuresOf(new Set());

function featuresOf(names: ReadonlySet<string>): Features {
  return {
    syntax: {
      functions: names.has('promql-experimental-functions'),
      extendedSelectors: names.has('promql-extended-range-selectors'),
      fillModifiers: names.has('promql-binop-fill-modifiers'),
    },
    searchApi: names.has('search-api'),
    extraScrapeMetrics: names.has('extra-scrape-metrics'),
    keepsStartTimes: names.has('st-storage'),
    useStartTimes: names.has('use-start-timestamps'),
    matcherMode: names.has('classic-mode')
      ? 'classic'
      : names.has('utf8-strict-mode')
        ? 'utf8'
        : 'fallback',
  };
}

export interface FeatureNote {
  /** `warn` for a name that does not do what somebody hoped for. */
  readonly level: 'info' | 'warn';
  readonly message: string;
}

/** What a list of names separated by commas enables, and what is to be said of it at a start. */
export function parseFeatures(text: string): { features: Features; notes: FeatureNote[] } {
  const given = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const names = new Set(given);
  return { features: featuresOf(names), notes: [...names].map(noteOf) };
}

function noteOf(name: string): FeatureNote {
  const flag = `--enable-feature=${name}`;
  if ((SWITCHED as readonly string[]).includes(name)) {
    return { level: 'info', message: `${flag}: enabled` };
  }
  if (Object.hasOwn(ALWAYS, name)) {
    return { level: 'info', message: `${flag}: this is always on: ${ALWAYS[name]}` };
  }
  if (Object.hasOwn(NEVER, name)) {
    return { level: 'warn', message: `${flag} changes nothing: ${NEVER[name]}` };
  }
  const nearest = nearestName(name, [...SWITCHED, ...Object.keys({ ...ALWAYS, ...NEVER })]);
  const hint = nearest === undefined ? 'see docs/http-api.md' : `did you mean ${nearest}?`;
  return { level: 'warn', message: `${flag}: there is no such feature; ${hint}` };
}
