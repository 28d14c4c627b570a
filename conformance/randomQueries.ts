/**
 * Random expressions of PromQL that are well typed, from a seed: over all functions, aggregations,
 * operators, ways of matching, modifiers and subqueries that Prometheus 2.42 knows.
 */

/** The metrics that expressions are made of, and the labels that their series have. */
export interface RandomMetric {
  readonly name: string;
  readonly labels: readonly string[];
  /** Values by label, for matchers. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly kind: 'counter' | 'gauge';
}

export interface RandomSource {
  readonly counters: readonly RandomMetric[];
  readonly gauges: readonly RandomMetric[];
  /** A classic histogram's buckets. */
  readonly buckets: RandomMetric;
  /** A metric with one series for each job and instance, for group_left. */
  readonly info: RandomMetric;
}

const MATH = ['abs', 'ceil', 'floor', 'sqrt', 'ln', 'log2', 'log10', 'sgn', 'deg', 'rad', 'atan'];
/** Of large numbers these make much of the last bit of their argument. */
const STEEP = [
  ...['exp', 'sin', 'cos', 'tan', 'asin', 'acos', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh'],
  'atanh',
];
const DATES = [
  ...['day_of_month', 'day_of_week', 'day_of_year', 'days_in_month', 'hour', 'minute', 'month'],
  'year',
];
const OVER_TIME = [
  ...['avg', 'min', 'max', 'sum', 'count', 'stddev', 'stdvar', 'last', 'present'].map(
    (name) => `${name}_over_time`,
  ),
  ...['changes', 'resets', 'delta', 'idelta', 'deriv'],
];
const COUNTER_RATES = ['rate', 'irate', 'increase'];
const AGGREGATORS = ['sum', 'min', 'max', 'avg', 'count', 'stddev', 'stdvar', 'group'];
const ARITHMETIC = ['+', '-', '*', '/', '%', '^', 'atan2'];
const COMPARISONS = ['==', '!=', '>', '<', '>=', '<='];
const RANGES = ['47s', '1m', '2m30s', '5m', '10m', '23m'];
/**
 * Steps and times are multiples of ten seconds, or end with a 7: the left end of a subquery is
 * at no step then. It would be in with 2.42, and out with 3.
 */
const SUBQUERY_RANGES = ['4m31s', '9m12s', '17m53s'];
const OFFSETS = ['30s', '1m', '7m', '-1m', '20m'];

export class RandomQueries {
  readonly #source: RandomSource;
  readonly #endS: number;
  #state: number;

  /** `endS` is about where times of `@` lie. */
  constructor(source: RandomSource, endS: number, seed: number) {
    this.#source = source;
    this.#endS = endS;
    this.#state = seed >>> 0;
  }

  next(): string {
    return this.#chance(0.05) ? this.#scalar(3) : this.#vector(1 + this.#below(3));
  }

  /** mulberry32 */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)];
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #some<T>(items: readonly T[]): T[] {
    return items.filter(() => this.#chance(0.5));
  }

  #metric(): RandomMetric {
    const { counters, gauges } = this.#source;
    return this.#pick([...counters, ...gauges, ...gauges]);
  }

  #selector(metric = this.#metric()): string {
    const matchers = metric.labels
      .filter(() => this.#chance(0.25))
      .map((label) => this.#matcher(label, metric.values[label]));
    if (this.#chance(0.05)) return `{__name__=~"${metric.name}|none"${this.#list(matchers)}}`;
    return matchers.length === 0 ? metric.name : `${metric.name}{${matchers.join(',')}}`;
  }

  #list(matchers: readonly string[]): string {
    return matchers.map((matcher) => `,${matcher}`).join('');
  }

  #matcher(label: string, values: readonly string[]): string {
    const value = JSON.stringify(this.#pick(values)).slice(1, -1);
    const plain = value.replace(/[.*+?^${}()|[\]\\]/g, '.');
    return this.#pick([
      `${label}="${value}"`,
      `${label}!="${value}"`,
      `${label}=~"${plain}|other"`,
      `${label}!~"${plain}.*"`,
      `${label}=~".+"`,
      `${label}=""`,
      `absent_label=""`,
    ]);
  }

  #modifiers(): string {
    const offset = this.#chance(0.2) ? ` offset ${this.#pick(OFFSETS)}` : '';
    if (!this.#chance(0.12)) return offset;
    const at = this.#pick(['start()', 'end()', String(this.#endS - 60 * this.#below(40))]);
    return ` @ ${at}${offset}`;
  }

  #leaf(): string {
    return this.#selector() + this.#modifiers();
  }

  #range(metric: RandomMetric, depth: number): string {
    if (depth > 0 && this.#chance(0.25)) return this.#subquery(this.#vector(depth - 1));
    return `${this.#selector(metric)}[${this.#pick(RANGES)}]${this.#modifiers()}`;
  }

  #subquery(inner: string): string {
    const step = this.#pick(['', '30s', '1m', '2m']);
    return `(${inner})[${this.#pick(SUBQUERY_RANGES)}:${step}]${this.#modifiers()}`;
  }

  #number(): string {
    return this.#pick(['0', '1', '2', '-1.5', '0.5', '1e3', '100', '0.1', '3e-2', '7']);
  }

  #scalar(depth: number): string {
    if (depth <= 0) return this.#chance(0.8) ? this.#number() : this.#pick(['time()', 'pi()']);
    const next = () => this.#scalar(depth - 1);
    return this.#pick([
      () => this.#number(),
      () => `(${next()} ${this.#pick(ARITHMETIC)} ${next()})`,
      () => `(${next()} ${this.#pick(COMPARISONS)} bool ${next()})`,
      () => `scalar(${this.#vector(depth - 1)})`,
      () => `-(${next()})`,
    ])();
  }

  #vector(depth: number): string {
    if (depth <= 0) return this.#leaf();
    const choice = this.#random();
    if (choice < 0.2) return this.#aggregation(depth);
    if (choice < 0.42) return this.#overTime(depth);
    if (choice < 0.62) return this.#binary(depth);
    if (choice < 0.68) return `${this.#pick(MATH)}(${this.#vector(depth - 1)})`;
    if (choice < 0.74) return this.#steep();
    return this.#otherCall(depth);
  }

  #aggregation(depth: number): string {
    const grouping = this.#chance(0.25) ? '' : this.#grouping();
    const choice = this.#random();
    const inner = this.#vector(depth - 1);
    if (choice < 0.7) return `${this.#pick(AGGREGATORS)}${grouping}(${inner})`;
    if (choice < 0.8) {
      const rank = this.#pick(['topk', 'bottomk']);
      const metric = this.#pick(this.#source.gauges.slice(0, 2));
      return `${rank}${grouping}(${1 + this.#below(4)}, ${this.#selector(metric)})`;
    }
    if (choice < 0.9) {
      const phi = this.#pick(['0', '0.25', '0.5', '0.9', '1', '-1', '2', 'scalar(vector(0.3))']);
      return `quantile${grouping}(${phi}, ${inner})`;
    }
    const metric = this.#selector(this.#source.gauges[0]) + this.#modifiers();
    return `count_values${grouping}("value", round(${metric}, 10))`;
  }

  #grouping(): string {
    const labels = this.#some(['job', 'instance', 'method', 'code', 'zone', 'le', 'none']);
    return ` ${this.#pick(['by', 'without'])} (${labels.join(', ')}) `;
  }

  #overTime(depth: number): string {
    const { counters, buckets } = this.#source;
    const choice = this.#random();
    // Of what is no counter, 2.42 guesses otherwise where a window begins near zero.
    if (choice < 0.35) {
      const metric = this.#pick([...counters, buckets]);
      const range = `${this.#selector(metric)}[${this.#pick(RANGES)}]${this.#modifiers()}`;
      return `${this.#pick(COUNTER_RATES)}(${range})`;
    }
    const range = this.#range(this.#metric(), depth);
    if (choice < 0.8) return `${this.#pick(OVER_TIME)}(${range})`;
    if (choice < 0.88) return `quantile_over_time(${this.#pick(['0.1', '0.5', '0.99'])}, ${range})`;
    if (choice < 0.95) return `predict_linear(${range}, ${this.#pick(['60', '-600', '3600'])})`;
    return `absent_over_time(${range})`;
  }

  #binary(depth: number): string {
    const left = () => this.#vector(depth - 1);
    const choice = this.#random();
    if (choice < 0.25) {
      const operator = this.#operator();
      const scalar = this.#scalar(depth - 1);
      return this.#chance(0.5)
        ? `(${left()} ${operator} ${scalar})`
        : `(${scalar} ${operator} ${left()})`;
    }
    if (choice < 0.5) return this.#setOperation(depth);
    if (choice < 0.75) return this.#grouped(depth);
    const metric = this.#metric();
    const [a, b] = [this.#selector(metric), this.#selector(metric)];
    const matching = this.#chance(0.5) ? '' : this.#matching();
    return `(${a}${this.#modifiers()} ${this.#operator()}${matching} ${b})`;
  }

  #operator(): string {
    if (this.#chance(0.65)) return this.#pick(ARITHMETIC);
    return this.#pick(COMPARISONS) + (this.#chance(0.4) ? ' bool' : '');
  }

  #matching(): string {
    const labels = this.#some(['job', 'instance', 'method', 'code', 'zone']);
    return ` ${this.#pick(['on', 'ignoring'])} (${labels.join(', ')})`;
  }

  #setOperation(depth: number): string {
    const operator = this.#pick(['and', 'or', 'unless']);
    const matching = this.#chance(0.5) ? '' : this.#matching();
    return `(${this.#vector(depth - 1)} ${operator}${matching} ${this.#vector(depth - 1)})`;
  }

  /** Many series of a metric beside one of the information about them. */
  #grouped(depth: number): string {
    const info = this.#source.info.name;
    const many = depth > 1 ? this.#overTime(0) : this.#leaf();
    const labels = this.#pick(['', 'version', 'version, region']);
    const on = this.#pick(['on (job, instance)', 'on (instance, job)', 'on (job)']);
    const operator = this.#operator();
    return this.#chance(0.7)
      ? `(${many} ${operator} ${on} group_left (${labels}) ${info})`
      : `(${info} ${operator} ${on} group_right (${labels}) ${many})`;
  }

  #steep(): string {
    const { gauges } = this.#source;
    const name = this.#pick(STEEP);
    const argument = this.#selector(gauges[0]) + this.#modifiers();
    return this.#chance(0.5) ? `${name}(${argument})` : `${name}(${argument} / 100)`;
  }

  #otherCall(depth: number): string {
    const inner = () => this.#vector(depth - 1);
    const scalar = () => this.#scalar(1);
    return this.#pick([
      () =>
        `histogram_quantile(${this.#pick(['0.5', '0.9', '0.999', '0', '1'])}, ${this.#buckets()})`,
      () => `histogram_quantile(0.9, sum by (le, job) (${this.#buckets()}))`,
      () => `label_replace(${inner()}, "new", "$1-x", "job", "(.*)p")`,
      () => `label_replace(${inner()}, "zone", "z", "instance", ".*:9.*")`,
      () => `label_join(${inner()}, "joined", "/", "job", "instance", "none")`,
      () => `round(${inner()}, ${this.#pick(['0.1', '5', '100'])})`,
      () => `clamp(${inner()}, ${this.#number()}, ${this.#number()})`,
      () => `clamp_min(${inner()}, ${scalar()})`,
      () => `clamp_max(${inner()}, ${scalar()})`,
      () => `${this.#pick(DATES)}(${inner()})`,
      () => `timestamp(${this.#leaf()})`,
      () => `${this.#pick(['sort', 'sort_desc'])}(${inner()})`,
      () => `vector(${scalar()})`,
      () => `absent(${this.#leaf()})`,
      () => `-(${inner()})`,
    ])();
  }

  #buckets(): string {
    const { name } = this.#source.buckets;
    return this.#pick([name, `rate(${name}[5m])`, `increase(${name}[10m] offset 1m)`]);
  }
}
