/** The signatures of PromQL's functions: what the type check, the engine and the editor go by. */
import type { ValueType } from './ast.ts';

export interface FunctionSignature {
  readonly name: string;
  /** Types of the arguments; the optional and repeated ones are at the end. */
  readonly argTypes: readonly ValueType[];
  /** How many arguments may be left out at the end. */
  readonly optionalCount: number;
  /** How many times the last type may come again beyond `argTypes`; Infinity for any number. */
  readonly repeatCount: number;
  readonly returnType: ValueType;
  readonly experimental: boolean;
}

interface Extras {
  readonly optional?: number;
  readonly repeat?: number;
  readonly experimental?: boolean;
}

const table = new Map<string, FunctionSignature>();

function define(
  names: string,
  argTypes: readonly ValueType[],
  returnType: ValueType = 'vector',
  extras: Extras = {},
): void {
  for (const name of names.split(' ')) {
    table.set(name, {
      name,
      argTypes,
      returnType,
      optionalCount: extras.optional ?? 0,
      repeatCount: extras.repeat ?? 0,
      experimental: extras.experimental ?? false,
    });
  }
}

define('abs ceil exp floor ln log10 log2 sgn sqrt deg rad', ['vector']);
define('acos acosh asin asinh atan atanh cos cosh sin sinh tan tanh', ['vector']);
define('absent sort sort_desc timestamp', ['vector']);
define('start_timestamp', ['vector'], 'vector', { experimental: true });
define('histogram_avg histogram_count histogram_sum', ['vector']);
define('histogram_stddev histogram_stdvar', ['vector']);
define('histogram_quantile', ['scalar', 'vector']);
define('histogram_quantiles', ['vector', 'string', 'scalar', 'scalar'], 'vector', {
  optional: 1,
  repeat: 8,
  experimental: true,
});
define('histogram_fraction', ['scalar', 'scalar', 'vector']);
define('absent_over_time avg_over_time changes count_over_time delta deriv', ['matrix']);
define('first_over_time idelta increase irate last_over_time max_over_time', ['matrix']);
define('min_over_time present_over_time rate resets stddev_over_time', ['matrix']);
define('stdvar_over_time sum_over_time', ['matrix']);
// Tyto's own: what counters really rose by, where rate and increase extrapolate.
define('exact_increase exact_rate', ['matrix']);
define('mad_over_time', ['matrix'], 'vector', { experimental: true });
define('ts_of_first_over_time ts_of_last_over_time', ['matrix'], 'vector', { experimental: true });
define('ts_of_min_over_time ts_of_max_over_time', ['matrix'], 'vector', { experimental: true });
define('quantile_over_time', ['scalar', 'matrix']);
define('predict_linear', ['matrix', 'scalar']);
define('double_exponential_smoothing', ['matrix', 'scalar', 'scalar'], 'vector', {
  experimental: true,
});
define('clamp', ['vector', 'scalar', 'scalar']);
define('clamp_max clamp_min', ['vector', 'scalar']);
define('round', ['vector', 'scalar'], 'vector', { optional: 1 });
define('days_in_month day_of_month day_of_week day_of_year', ['vector'], 'vector', { optional: 1 });
define('hour minute month year', ['vector'], 'vector', { optional: 1 });
define('label_replace', ['vector', 'string', 'string', 'string', 'string']);
define('label_join', ['vector', 'string', 'string', 'string'], 'vector', {
  optional: 1,
  repeat: Number.POSITIVE_INFINITY,
});
define('sort_by_label sort_by_label_desc', ['vector', 'string'], 'vector', {
  optional: 1,
  repeat: Number.POSITIVE_INFINITY,
  experimental: true,
});
define('info', ['vector', 'vector'], 'vector', { optional: 1, experimental: true });
define('pi time', [], 'scalar');
define('scalar', ['vector'], 'scalar');
define('vector', ['scalar']);
define('start end step range', [], 'scalar', { experimental: true });
define('max_of min_of', ['scalar', 'scalar'], 'scalar', { experimental: true });

/** All functions by name. */
export const functionSignatures: ReadonlyMap<string, FunctionSignature> = table;
