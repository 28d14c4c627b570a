/**
 * The series of W1: instances of a web service of 140 series each: 66 counters of whole numbers,
 * 35 constants, a histogram, 14 gauges with two decimals, 5 small whole numbers, 7 counters with
 * full mantissas. One instance in ten restarts once, and all its counters begin at 0 again.
 */
import { Random } from './random.js';
import {
  BUCKET,
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

export const STEP_MS = 15_000;
export const SERIES_PER_INSTANCE = 140;
export const HANDLERS = 20;
export const INSTANCES_PER_ZONE = 10;
const OUTCOMES = [
  ['GET', '200'],
  ['GET', '404'],
  ['POST', '200'],
  ['POST', '400'],
  ['POST', '500'],
];
const MOVING_REQUESTS = 66;
const BOUNDS = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10'];
const FLOAT_COUNTERS = ['process_cpu_seconds', 'gc_seconds', 'lock_wait_seconds', 'io_seconds'];
const DECIMAL_GAUGES = ['load1', 'temperature_celsius', 'heap_used_percent', 'cache_hit_percent'];
const SMALL_INTEGERS = ['threads', 'open_connections', 'queue_length', 'workers', 'leaders'];
const CORES = 10;

const SERIES_PER_REQUEST = 500;
export const SAMPLES_PER_SERIES = 20;

/**
 * @typedef {object} Shape a series: its labels and how it moves
 * @property {import('./series.js').LabelPairs} labels
 * @property {number} kind
 * @property {number} pace
 */

/**
 * @param {number} number
 * @param {Random} random
 * @returns {Shape[]}
 */
function instanceShapes(number, random) {
  const pod = `shop-${random.hex(9)}-${random.hex(5)}`;
  const common = {
    job: 'shop',
    instance: `10.1.${number >> 8}.${number & 255}:8080`,
    zone: `zone-${Math.floor(number / INSTANCES_PER_ZONE)}`,
    cluster: 'production-1',
    environment: 'production',
    namespace: 'shop',
    pod,
    container_id: random.hex(64),
  };
  const shapes = [];
  const add = (name, kind, pace, more = {}) => {
    shapes.push({ labels: labelPairs({ __name__: name, ...common, ...more }), kind, pace });
  };
  for (let i = 0; i < HANDLERS * OUTCOMES.length; i++) {
    const [method, status] = OUTCOMES[i % OUTCOMES.length];
    const handler = `/api/v1/resource${Math.floor(i / OUTCOMES.length)}`;
    // Which ones move is the same in all instances, in no order of handlers or outcomes.
    const isMoving = (i * 37) % 100 < MOVING_REQUESTS;
    const pace = isMoving ? 0.2 * 1.08 ** ((i * 61) % 100) * (0.5 + random.next()) : 0;
    add('http_requests_total', isMoving ? COUNTER : CONSTANT, pace, { handler, method, status });
  }
  const buckets = [...BOUNDS, '+Inf'];
  const shares = buckets.map((_, i) => Math.exp(-((i - 4) ** 2) / 6) * 20);
  buckets.forEach((le, i) => {
    add('http_request_duration_seconds_bucket', BUCKET, shares[i], { le });
  });
  add('http_request_duration_seconds_count', BUCKET, 0);
  add('http_request_duration_seconds_sum', FLOAT_COUNTER, 10);
  for (const name of FLOAT_COUNTERS) add(`${name}_total`, FLOAT_COUNTER, 2);
  for (const mode of ['user', 'system']) add('cpu_seconds_total', FLOAT_COUNTER, 15, { mode });
  for (const name of DECIMAL_GAUGES) add(name, DECIMAL_GAUGE, 100);
  for (let core = 0; core < CORES; core++) {
    add('cpu_usage_percent', DECIMAL_GAUGE, 100, { core: String(core) });
  }
  for (const name of SMALL_INTEGERS) add(name, SMALL_INTEGER, 1);
  add('build_info', CONSTANT, 0, { version: `1.${number % 7}.0` });
  return shapes;
}

/** Values of all series, step after step. */
class Values {
  #shapes;
  #random;
  #values;
  #instances;
  #restartSteps;
  #step = 0;

  constructor(shapes, steps, random) {
    this.#shapes = shapes;
    this.#random = random;
    this.#values = Float64Array.from(shapes, ({ kind, pace }) => firstValue(kind, pace, random));
    this.#instances = shapes.length / SERIES_PER_INSTANCE;
    for (let i = 0; i < this.#instances; i++) {
      // The version of a build is 1; buckets begin as a histogram does, each above the one below.
      this.#values[(i + 1) * SERIES_PER_INSTANCE - 1] = 1;
      this.#fillBuckets(i, () => 0);
    }
    this.#restartSteps = Array.from({ length: this.#instances }, (_, i) =>
      i % 10 === 3 ? random.below(steps) : -1,
    );
  }

  get now() {
    return this.#values;
  }

  advance() {
    this.#step++;
    const values = this.#values;
    const random = this.#random;
    this.#shapes.forEach(({ kind, pace }, i) => {
      if (kind !== BUCKET && kind !== CONSTANT)
        values[i] = nextValue(kind, values[i], pace, random);
    });
    for (let i = 0; i < this.#instances; i++) {
      this.#fillBuckets(i, (pace) => nextValue(BUCKET, 0, pace, random));
      if (this.#restartSteps[i] === this.#step) this.#restart(i);
    }
  }

  /** Raises each bucket by its own observations and those of the buckets below. */
  #fillBuckets(instance, observations) {
    const first = instance * SERIES_PER_INSTANCE + HANDLERS * OUTCOMES.length;
    const inf = first + BOUNDS.length;
    let sum = 0;
    for (let i = first; i <= inf; i++) {
      sum += observations(this.#shapes[i].pace);
      this.#values[i] = this.#step === 0 ? 0 : this.#values[i] + sum;
    }
    this.#values[inf + 1] = this.#values[inf];
  }

  #restart(instance) {
    const first = instance * SERIES_PER_INSTANCE;
    for (let i = first; i < first + SERIES_PER_INSTANCE; i++) {
      const { kind } = this.#shapes[i];
      if (kind === COUNTER || kind === BUCKET || kind === FLOAT_COUNTER) this.#values[i] = 0;
    }
  }
}

/**
 * @typedef {object} Backfill
 * @property {number} instances
 * @property {number} seriesCount
 * @property {number} sampleCount
 * @property {number} groupSize bodies of the same 5 minutes
 * @property {number} firstMs
 * @property {number} lastMs of the newest sample
 */

/**
 * Writes all bodies into the spool, time moving forward over all series.
 * @param {object} plan
 * @param {number} plan.seed
 * @param {number} plan.instances
 * @param {number} plan.hours
 * @param {number} plan.endMs
 * @param {import('./spool.js').Spool} plan.spool
 * @returns {Backfill}
 */
export function prepareBackfill({ seed, instances, hours, endMs, spool }) {
  const random = new Random(seed);
  const shapes = [];
  /** Instances are scraped at their own moments of the interval. */
  const offsetsMs = [];
  for (let i = 0; i < instances; i++) {
    shapes.push(...instanceShapes(i, random));
    offsetsMs.push(random.below(STEP_MS));
  }
  const steps = Math.round((hours * 3600_000) / STEP_MS);
  const values = new Values(shapes, steps, random);
  const requests = [];
  for (let i = 0; i < shapes.length; i += SERIES_PER_REQUEST) {
    const labels = shapes.slice(i, i + SERIES_PER_REQUEST).map((shape) => shape.labels);
    requests.push(new WriteRequest(labels, SAMPLES_PER_SERIES));
  }
  const firstMs = (Math.floor(endMs / STEP_MS) - steps) * STEP_MS;
  for (let step = 0; step < steps; step++) {
    const sample = step % SAMPLES_PER_SERIES;
    const atMs = firstMs + step * STEP_MS;
    for (let i = 0; i < shapes.length; i++) {
      const request = requests[Math.floor(i / SERIES_PER_REQUEST)];
      const offsetMs = offsetsMs[Math.floor(i / SERIES_PER_INSTANCE)];
      request.set(i % SERIES_PER_REQUEST, sample, atMs + offsetMs, values.now[i]);
    }
    if (sample === SAMPLES_PER_SERIES - 1) {
      for (const request of requests) spool.add(request.compressed());
    }
    values.advance();
  }
  return {
    instances,
    seriesCount: shapes.length,
    sampleCount: shapes.length * steps,
    groupSize: requests.length,
    firstMs,
    lastMs: firstMs + steps * STEP_MS,
  };
}
