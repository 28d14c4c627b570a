/**
 * Files of unit tests for rules, in promtool's format. Specification: Prometheus' "Unit testing for
 * rules".
 */
import { TytoError, yaml } from '@tyto/base';
import { parseTime } from '../times.ts';

export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

export interface ExpectedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface AlertTest {
  readonly evalMs: number;
  readonly alertname: string;
  readonly alerts: readonly ExpectedAlert[];
}

export interface ExpectedSample {
  readonly labels: string;
  readonly value: number;
  /** In the notation of series; '' where the value is a float. */
  readonly histogram: string;
}

export interface ExprTest {
  readonly expr: string;
  readonly evalMs: number;
  readonly samples: readonly ExpectedSample[];
}

export interface TestGroup {
  readonly name: string;
  readonly intervalMs: number;
  readonly startMs: number;
  readonly series: readonly InputSeries[];
  readonly alertTests: readonly AlertTest[];
  readonly exprTests: readonly ExprTest[];
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly externalUrl: string;
}

export interface TestFile {
  /** Patterns, relative to the file. */
  readonly ruleFiles: readonly string[];
  readonly evaluationIntervalMs: number;
  readonly groupOrder: readonly string[];
  readonly isFuzzy: boolean;
  readonly tests: readonly TestGroup[];
}

const EVALUATION_INTERVAL_MS = 60_000;

const strings = yaml.optional(yaml.record(yaml.string), (): Record<string, string> => ({}));

/** Any float, infinities and NaN included. */
const float: yaml.Schema<number> = (node, decoder) => {
  const text = yaml.string(node, decoder).trim().toLowerCase();
  if (/^[-+]?\.?inf$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^\.?nan$/.test(text)) return Number.NaN;
  const value = text === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) decoder.error(node, `expected a number, found "${text}"`);
  return value;
};

/** Milliseconds of a time in seconds, or of a date with time and zone. */
const timestamp: yaml.Schema<number> = yaml.mapped(yaml.string, parseTime, () => 0);

const seriesSchema = yaml.object(
  { series: yaml.required(yaml.string), values: yaml.optional(yaml.string, '') },
  { name: 'input series' },
);

const alertTestSchema = yaml.object(
  {
    eval_time: yaml.optional(yaml.duration, 0),
    alertname: yaml.optional(yaml.string, ''),
    exp_alerts: yaml.optional(
      yaml.list(
        yaml.object({ exp_labels: strings, exp_annotations: strings }, { name: 'expected alert' }),
      ),
      () => [],
    ),
  },
  { name: 'alert test' },
);

const exprTestSchema = yaml.object(
  {
    expr: yaml.required(yaml.string),
    eval_time: yaml.optional(yaml.duration, 0),
    exp_samples: yaml.optional(
      yaml.list(
        yaml.object(
          {
            labels: yaml.optional(yaml.string, ''),
            value: yaml.optional(float, 0),
            histogram: yaml.optional(yaml.string, ''),
          },
          { name: 'expected sample' },
        ),
      ),
      () => [],
    ),
  },
  { name: 'expression test' },
);

const groupSchema = yaml.object(
  {
    name: yaml.optional(yaml.string, ''),
    interval: yaml.optional(yaml.duration, 0),
    start_timestamp: yaml.optional(timestamp, 0),
    input_series: yaml.optional(yaml.list(seriesSchema), () => []),
    alert_rule_test: yaml.optional(yaml.list(alertTestSchema), () => []),
    promql_expr_test: yaml.optional(yaml.list(exprTestSchema), () => []),
    external_labels: strings,
    external_url: yaml.optional(yaml.string, ''),
  },
  { name: 'test' },
);

const fileSchema = yaml.checked(
  yaml.object(
    {
      rule_files: yaml.optional(yaml.list(yaml.string), () => []),
      evaluation_interval: yaml.optional(yaml.duration, 0),
      group_eval_order: yaml.optional(yaml.list(yaml.string), () => []),
      fuzzy_compare: yaml.optional(yaml.boolean, false),
      tests: yaml.optional(yaml.list(groupSchema), () => []),
    },
    { name: 'test file' },
  ),
  (file, node, decoder) => {
    const order = yaml.childNode(node, 'group_eval_order');
    file.group_eval_order.forEach((name, i) => {
      if (file.group_eval_order.indexOf(name) === i) return;
      decoder.error(yaml.itemNode(order, i), `group name repeated in evaluation order: ${name}`);
    });
  },
);

/** Reads a test file. Throws TytoError `bad_data` with all problems, one a line. */
export function parseTestFile(
  source: string,
  file: string,
  ignoresUnknownFields: boolean,
): TestFile {
  const schema = ignoresUnknownFields ? yaml.withoutUnknown(fileSchema) : fileSchema;
  const { value, problems } = yaml.decodeYaml(source, file, schema);
  if (value === undefined || yaml.hasErrors(problems)) {
    throw new TytoError('bad_data', yaml.formatProblems(problems));
  }
  const evaluationIntervalMs = value.evaluation_interval || EVALUATION_INTERVAL_MS;
  return {
    ruleFiles: value.rule_files,
    evaluationIntervalMs,
    groupOrder: value.group_eval_order,
    isFuzzy: value.fuzzy_compare,
    tests: value.tests.map((test) => toGroup(test, evaluationIntervalMs)),
  };
}

function toGroup(test: ReturnType<typeof groupSchema>, evaluationIntervalMs: number): TestGroup {
  return {
    name: test.name,
    intervalMs: test.interval || evaluationIntervalMs,
    startMs: test.start_timestamp,
    series: test.input_series,
    alertTests: test.alert_rule_test.map(({ eval_time, alertname, exp_alerts }) => ({
      evalMs: eval_time,
      alertname,
      alerts: exp_alerts.map(({ exp_labels, exp_annotations }) => ({
        labels: { ...exp_labels, alertname },
        annotations: exp_annotations,
      })),
    })),
    exprTests: test.promql_expr_test.map(({ expr, eval_time, exp_samples }) => ({
      expr,
      evalMs: eval_time,
      samples: exp_samples,
    })),
    externalLabels: test.external_labels,
    externalUrl: test.external_url,
  };
}
