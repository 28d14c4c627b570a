/** The queries of Q over the data of W1 and one shape of W2: names, requests, who is in the mix. */
import { HANDLERS, INSTANCES_PER_ZONE } from './dataBackfill.js';

const REQUESTS_PER_INSTANCE = HANDLERS * 5;
const CORES = 10;
const BUCKETS = 12;
const MINUTE = 60;
const HOUR = 3600;
const INSTANCE = '10.1.0.0:8080';
const ONE = `{instance="${INSTANCE}"}`;
const ZONE = '{zone="zone-0"}';

/**
 * @typedef {object} Query
 * @property {string} name
 * @property {string} path with parameters
 * @property {boolean} [isMixed] whether concurrent clients ask it too
 */

/** Makes requests over the times that the data covers. */
class Requests {
  #instantAt;
  #rangeEnd;

  /** @param {number} lastMs of the newest sample */
  constructor(lastMs) {
    this.#instantAt = lastMs / 1000;
    // All steps divide this moment, so that no server has to align it.
    this.#rangeEnd = Math.floor(lastMs / 300_000) * 300;
  }

  #query(name, path, parameters, isMixed) {
    return { name, path: `/api/v1/${path}?${new URLSearchParams(parameters)}`, isMixed };
  }

  instant(name, query, isMixed = false) {
    const parameters = { query, time: String(this.#instantAt) };
    return this.#query(`instant ${name}`, 'query', parameters, isMixed);
  }

  range(name, query, seconds, step, isMixed = false) {
    const parameters = {
      query,
      start: String(this.#rangeEnd - seconds),
      end: String(this.#rangeEnd),
      step: String(step),
    };
    return this.#query(`${name}, ${seconds / HOUR}h/${step}s`, 'query_range', parameters, isMixed);
  }

  /** Of the last hour. */
  metadata(name, path, selector, isMixed = false) {
    const parameters = {
      start: String(this.#instantAt - HOUR),
      end: String(this.#instantAt),
      ...(selector === '' ? {} : { 'match[]': selector }),
    };
    return this.#query(name, path, parameters, isMixed);
  }
}

/**
 * @param {import('./dataBackfill.js').Backfill} data
 * @param {number} liveSeries
 * @returns {Query[]}
 */
export function queryList(data, liveSeries) {
  const requests = new Requests(data.lastMs);
  const all = data.instances * REQUESTS_PER_INSTANCE;
  const zone = Math.min(data.instances, INSTANCES_PER_ZONE) * REQUESTS_PER_INSTANCE;
  const list = [
    ...instantQueries(requests, all),
    ...rateQueries(requests, zone, all),
    ...windowQueries(requests, data.instances, zone, all),
    ...joinQueries(requests, zone, all, liveSeries),
    ...metadataQueries(requests, liveSeries),
  ];
  // On a small scale a zone may be all that there is.
  return list.filter(({ name }, i) => list.findIndex((other) => other.name === name) === i);
}

function instantQueries(requests, all) {
  const one = `{instance="${INSTANCE}",handler="/api/v1/resource3",method="GET",status="200"}`;
  return [
    requests.instant('1 series', `http_requests_total${one}`, true),
    requests.instant('100 series', `http_requests_total${ONE}`, true),
    requests.instant(`${all} series`, 'http_requests_total'),
    requests.instant(`sum by (zone) of ${all}`, 'sum by (zone) (http_requests_total)', true),
  ];
}

function rateQueries(requests, zone, all) {
  const selections = [
    [REQUESTS_PER_INSTANCE, ONE],
    [zone, ZONE],
    [all, ''],
  ];
  return selections.flatMap(([count, selector]) => {
    const name = `sum by (rate[5m]) of ${count}`;
    const query = `sum by (handler) (rate(http_requests_total${selector}[5m]))`;
    return [
      requests.range(name, query, HOUR, 15, count !== all),
      requests.range(name, query, 24 * HOUR, MINUTE),
      requests.range(name, query, 24 * HOUR, 5 * MINUTE, count === REQUESTS_PER_INSTANCE),
    ];
  });
}

function windowQueries(requests, instances, zone, all) {
  const cores = instances * CORES;
  const buckets = `${instances}x${BUCKETS}`;
  const total = 'http_requests_total';
  const usage = 'cpu_usage_percent';
  const histogram = 'rate(http_request_duration_seconds_bucket[5m])';
  const quantileBy = (labels) => `histogram_quantile(0.9, sum by (${labels}) (${histogram}))`;
  return [
    requests.instant(`sum(increase[24h]) of ${all}`, `sum(increase(${total}[24h]))`),
    requests.instant(`sum(count_over_time[24h]) of ${all}`, `sum(count_over_time(${total}[24h]))`),
    requests.range(
      `avg by (avg_over_time[1h]) of ${cores}`,
      `avg by (zone) (avg_over_time(${usage}[1h]))`,
      24 * HOUR,
      5 * MINUTE,
    ),
    requests.instant('avg_over_time[1h], one zone', `avg_over_time(${usage}${ZONE}[1h])`, true),
    requests.range(
      `max by (quantile_over_time(0.95)[15m]) of ${cores}`,
      `max by (zone) (quantile_over_time(0.95, ${usage}[15m]))`,
      6 * HOUR,
      MINUTE,
    ),
    requests.range(
      `max_over_time(sum(rate[5m])[1h:1m]) of ${zone}`,
      `max_over_time(sum(rate(${total}${ZONE}[5m]))[1h:1m])`,
      6 * HOUR,
      5 * MINUTE,
    ),
    requests.range(`histogram_quantile by (le), ${buckets}`, quantileBy('le'), HOUR, 15, true),
    requests.range(
      `histogram_quantile by (le, zone), ${buckets}`,
      quantileBy('le, zone'),
      24 * HOUR,
      5 * MINUTE,
    ),
  ];
}

function joinQueries(requests, zone, all, liveSeries) {
  const rate = `rate(http_requests_total${ZONE}[5m])`;
  return [
    requests.instant(
      `topk(10, sum by (instance, handler) (rate[5m])) of ${all}`,
      'topk(10, sum by (instance, handler) (rate(http_requests_total[5m])))',
    ),
    requests.range(
      `topk(5, sum by (handler) (rate[5m])) of ${zone}`,
      `topk(5, sum by (handler) (${rate}))`,
      HOUR,
      MINUTE,
      true,
    ),
    requests.range(
      `rate of ${zone} * on (instance) group_left (version)`,
      `${rate} * on (instance) group_left (version) build_info`,
      HOUR,
      15,
    ),
    requests.instant(
      `count by (pod) over ${liveSeries}`,
      'count by (pod) ({__name__=~"container_.+"})',
    ),
    requests.instant(
      `count by (container_id) of ${all}`,
      'count by (container_id) (http_requests_total)',
    ),
  ];
}

function metadataQueries(requests, liveSeries) {
  const byPatterns =
    '{__name__=~"http_requests_.*",handler=~"/api/v1/resource[12]",instance=~".*:8080",' +
    'zone="zone-0"}';
  const stored = `${liveSeries} series stored`;
  const kubelet = '{job="kubelet"}';
  return [
    requests.metadata(`label_values(pod), ${stored}`, 'label/pod/values', ''),
    requests.metadata(
      `label_values({k8s}, container_id) over ${liveSeries}`,
      'label/container_id/values',
      kubelet,
    ),
    requests.metadata('label_values(__name__)', 'label/__name__/values', '', true),
    requests.metadata('/series with regexes', 'series', byPatterns),
    requests.metadata('/series, exact matchers', 'series', `http_requests_total${ONE}`, true),
  ];
}
