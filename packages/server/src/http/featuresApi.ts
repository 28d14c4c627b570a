/**
 * GET /api/v1/features: what this server can do, under Prometheus' names, and what of it is
 * enabled. Clients take what is absent for false.
 */
import { RULE_TEMPLATE_FUNCTIONS } from '@tyto/alerting';
import { UNSUPPORTED_DISCOVERIES } from '@tyto/collect';
import type { FeaturesData } from '@tyto/api';
import { AGGREGATORS, functionSignatures } from '@tyto/syntax';
import type { FastifyInstance } from 'fastify';
import type { Features } from '../features.ts';
import { sendData } from './envelope.ts';

export interface FeaturesApiOptions {
  readonly features: Features;
  readonly lifecycle: boolean;
  readonly isAdminApiEnabled: boolean;
  readonly receivesWrites: boolean;
  readonly receivesOtlp: boolean;
}

type Category = FeaturesData[string];

const OPERATORS = [
  ...['!=', '!~', '%', '*', '+', '-', '/', '<', '<=', '==', '=~', '>', '>=', '@', '^', '</', '>/'],
  ...['and', 'atan2', 'or', 'unless'],
];
/** Aggregations that only an experiment's flag allows. */
const EXPERIMENTAL_AGGREGATORS = new Set(['limitk', 'limit_ratio']);

const PROVIDERS =
  'aws azure consul digitalocean dns docker dockerswarm ec2 ecs eureka file gce hetzner http ' +
  'ionos kubernetes kuma lightsail linode marathon msk nerve nomad oci openstack outscale ' +
  'ovhcloud puppetdb scaleway serverset stackit static triton uyuni vultr';

export function registerFeaturesApi(app: FastifyInstance, options: FeaturesApiOptions): void {
  const features = featuresData(options);
  app.get('/api/v1/features', async (_, reply) => sendData(reply, features));
}

function featuresData(options: FeaturesApiOptions): FeaturesData {
  const { syntax, extraScrapeMetrics } = options.features;
  return {
    api: apiFeatures(options),
    otlp_receiver: { delta_conversion: true, native_delta_ingestion: false },
    prometheus: { agent_mode: false, auto_reload_config: false, server_mode: true },
    promql: {
      ...all('at_modifier bool by delayed_name_removal duration_expr group_left group_right'),
      ...all('ignoring negative_offset offset on per_query_lookback_delta subqueries without'),
      anchored: syntax.extendedSelectors,
      smoothed: syntax.extendedSelectors,
      fill: syntax.fillModifiers,
      fill_left: syntax.fillModifiers,
      fill_right: syntax.fillModifiers,
      per_step_stats: false,
      type_and_unit_labels: false,
    },
    promql_functions: byName(functionSignatures, ([name, { experimental }]) => {
      return [name, !experimental || syntax.functions];
    }),
    promql_operators: {
      ...byName(OPERATORS, (name) => [name, true]),
      ...byName(AGGREGATORS, (name) => {
        return [name, !EXPERIMENTAL_AGGREGATORS.has(name) || syntax.functions];
      }),
    },
    rules: { concurrent_rule_eval: false, keep_firing_for: true, query_offset: true },
    scrape: {
      extra_scrape_metrics: true,
      extra_scrape_metrics_by_default: extraScrapeMetrics,
      start_timestamp_zero_ingestion: false,
      type_and_unit_labels: false,
    },
    service_discovery_providers: byName(PROVIDERS.split(' '), (name) => {
      return [name, !Object.hasOwn(UNSUPPORTED_DISCOVERIES, `${name}_sd_configs`)];
    }),
    templating_functions: byName(RULE_TEMPLATE_FUNCTIONS, (name) => [name, true]),
    tsdb: {
      ...all('exemplar_storage isolation native_histograms'),
      delayed_compaction: false,
      use_uncached_io: false,
    },
    ui: { ui_v2: false, ui_v3: true },
  };
}

function apiFeatures(options: FeaturesApiOptions): Category {
  return {
    ...all('exclude_alerts label_values_match openapi_3.1 openapi_3.2 query_stats query_warnings'),
    ...all('time_range_labels time_range_series'),
    admin: options.isAdminApiEnabled,
    lifecycle: options.lifecycle,
    otlp_write_receiver: options.receivesOtlp,
    remote_write_receiver: options.receivesWrites,
    search: options.features.searchApi,
    search_fuzz_alg_jarowinkler: options.features.searchApi,
    search_fuzz_alg_subsequence: options.features.searchApi,
  };
}

function all(names: string): Category {
  return byName(names.split(' '), (name) => [name, true]);
}

function byName<T>(items: Iterable<T>, entry: (item: T) => [string, boolean]): Category {
  return Object.fromEntries([...items].map(entry).sort(([a], [b]) => (a < b ? -1 : 1)));
}
