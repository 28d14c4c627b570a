/**
 * The series of W2, M and R: containers of a cluster, 20 series of 12 labels for each pod, 100
 * pods a node. A body holds one sample of all series of a node.
 */
import { Random } from './random.js';
import {
  CONSTANT,
  COUNTER,
  DECIMAL_GAUGE,
  FLOAT_COUNTER,
  firstValue,
  labelPairs,
  nextValue,
  SMALL_INTEGER,
} from './series.js';
import { WriteRequest } from './writeRequest.js';

export const ROUND_MS = 15_000;
export const SERIES_PER_REQUEST = 2000;
/** What each pod has: name, kind, pace. Names begin alike, so that one pattern finds them all. */
const METRICS = [
  ['container_cpu_usage_seconds_total', FLOAT_COUNTER, 10],
  ['container_cpu_cfs_periods_total', COUNTER, 150],
  ['container_cpu_cfs_throttled_periods_total', COUNTER, 2],
  ['container_fs_reads_total', COUNTER, 30],
  ['container_fs_writes_total', COUNTER, 60],
  ['container_fs_reads_bytes_total', COUNTER, 100_000],
  ['container_fs_writes_bytes_total', COUNTER, 400_000],
  ['container_network_receive_bytes_total', COUNTER, 50_000],
  ['container_network_transmit_bytes_total', COUNTER, 90_000],
  ['container_network_receive_packets_total', COUNTER, 80],
  ['container_network_receive_errors_total', CONSTANT, 0],
  ['container_memory_limit_bytes', CONSTANT, 0],
  ['container_cpu_limit', CONSTANT, 0],
  ['container_restarts_total', CONSTANT, 0],
  ['container_start_time_seconds', CONSTANT, 0],
  ['container_cpu_percent', DECIMAL_GAUGE, 100],
  ['container_memory_percent', DECIMAL_GAUGE, 100],
  ['container_disk_percent', DECIMAL_GAUGE, 100],
  ['container_threads', SMALL_INTEGER, 1],
  ['container_sockets', SMALL_INTEGER, 1],
];
const PODS_PER_NODE = SERIES_PER_REQUEST / METRICS.length;
const PODS_PER_SERVICE = 25;

/** A matcher for the series of one body. */
export function nodeName(request) {
  return `node-${String(request).padStart(5, '0')}`;
}

/** A selector of the first series of a body. */
export function firstSeriesSelector(request) {
  const pod = podNumber(request, 0);
  return `${METRICS[0][0]}{node="${nodeName(request)}",pod=~".*-${pod}"}`;
}

function podNumber(request, index) {
  return request * PODS_PER_NODE + index;
}

function nodeLabels(request, random) {
  const all = [];
  const node = nodeName(request);
  for (let i = 0; i < PODS_PER_NODE; i++) {
    const number = podNumber(request, i);
    const service = `service-${Math.floor(number / PODS_PER_SERVICE)}`;
    const common = {
      job: 'kubelet',
      instance: `10.2.${request >> 8}.${request & 255}:10250`,
      zone: `zone-${request % 3}`,
      cluster: 'production-1',
      namespace: `team-${Math.floor(number / 500)}`,
      node,
      service,
      pod: `${service}-${random.hex(5)}-${number}`,
      container: 'main',
      container_id: random.hex(64),
      image: `registry.example.com/${service}:1.${number % 9}.0`,
    };
    for (const [name] of METRICS) all.push(labelPairs({ __name__: name, ...common }));
  }
  return all;
}

/**
 * @typedef {object} Live
 * @property {number} seriesCount
 * @property {number} rounds
 * @property {number} groupSize bodies of a round
 * @property {number} firstMs of the first round; all of its samples have this timestamp
 * @property {Float64Array} firstValues of the first series of each body in the spool
 */

/**
 * Writes all bodies into the spool, round after round.
 * @param {object} plan
 * @param {number} plan.seed
 * @param {number} plan.seriesCount rounded up to whole bodies
 * @param {number} plan.rounds
 * @param {number} plan.endMs
 * @param {import('./spool.js').Spool} plan.spool
 * @returns {Live}
 */
export function prepareLive({ seed, seriesCount, rounds, endMs, spool }) {
  const random = new Random(seed);
  const groupSize = Math.max(1, Math.ceil(seriesCount / SERIES_PER_REQUEST));
  const firstMs = (Math.floor(endMs / ROUND_MS) - rounds + 1) * ROUND_MS;
  const firstValues = new Float64Array(groupSize * rounds);
  const values = new Float64Array(groupSize * SERIES_PER_REQUEST);
  /** @type {Uint8Array[][]} bodies by round; they are made node by node, which takes less memory */
  const bodies = Array.from({ length: rounds }, () => []);
  for (let request = 0; request < groupSize; request++) {
    const template = new WriteRequest(nodeLabels(request, random), 1);
    const first = request * SERIES_PER_REQUEST;
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < SERIES_PER_REQUEST; i++) {
        const [, kind, pace] = METRICS[i % METRICS.length];
        values[first + i] =
          round === 0
            ? firstValue(kind, pace, random)
            : nextValue(kind, values[first + i], pace, random);
        template.set(i, 0, firstMs + round * ROUND_MS, values[first + i]);
      }
      firstValues[round * groupSize + request] = values[first];
      bodies[round].push(template.compressed());
    }
  }
  for (const round of bodies) for (const body of round) spool.add(body);
  return {
    seriesCount: groupSize * SERIES_PER_REQUEST,
    rounds,
    groupSize,
    firstMs,
    firstValues,
  };
}
