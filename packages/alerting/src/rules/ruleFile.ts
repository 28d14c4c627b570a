/**
 * Rule files: groups of recording and alerting rules, as Prometheus reads them. A file is taken as
 * a whole or not at all; every complaint has its line.
 */
import { errorMessage, TytoError, yaml } from '@tyto/base';
import { Labels, METRIC_NAME } from '@tyto/model';
import { type ParseOptions, parseExpr, parseLogql } from '@tyto/syntax';
import { checkRuleTemplate } from './ruleTemplate.ts';

export interface RuleGroupConfig {
  readonly name: string;
  readonly file: string;
  /** Undefined: the global evaluation interval. */
  readonly intervalMs: number | undefined;
  /** How far behind the clock the group asks; undefined: the global offset. */
  readonly queryOffsetMs: number | undefined;
  /** Alerts or series that one rule may make; 0 for no limit. */
  readonly limit: number;
  /** Set where the rules are LogQL: over the logs of this tenant. */
  readonly logs?: { readonly tenant: string } | undefined;
  readonly rules: readonly RuleConfig[];
}

export type RuleConfig = RecordingRuleConfig | AlertingRuleConfig;

export interface RecordingRuleConfig {
  readonly kind: 'recording';
  readonly record: string;
  readonly expr: string;
  readonly labels: Labels;
}

export interface AlertingRuleConfig {
  readonly kind: 'alerting';
  readonly alert: string;
  readonly expr: string;
  /** What fires goes on firing while this finds it; '' for none. See KEEP_FIRING_EXPR. */
  readonly keepFiringExpr: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  /** Values are templates. */
  readonly labels: Labels;
  readonly annotations: Labels;
}

/**
 * Hysteresis: the annotation by which a rule says what keeps a firing alert firing. Prometheus
 * takes it for an annotation like any other, so that rule files stay the same for both.
 */
export const KEEP_FIRING_EXPR = 'tyto_keep_firing_expr';

const text = yaml.record(yaml.string);

/** What is wrong with an expression; undefined where nothing is. */
type ExpressionCheck = (expr: string) => string | undefined;

const ruleFields = yaml.object(
  {
    record: yaml.optional(yaml.string, ''),
    alert: yaml.optional(yaml.string, ''),
    expr: yaml.optional(yaml.string, ''),
    for: yaml.optional(yaml.duration, 0),
    keep_firing_for: yaml.optional(yaml.duration, 0),
    labels: yaml.optional(text, (): Record<string, string> => ({})),
    annotations: yaml.optional(text, (): Record<string, string> => ({})),
  },
  { name: 'rule' },
);

type RawRule = ReturnType<typeof ruleFields>;

function ruleSchema(problemOf: ExpressionCheck): yaml.Schema<RawRule> {
  return yaml.checked(ruleFields, (rule, node, decoder) => {
    const complain = (field: string, message: string) =>
      decoder.error(yaml.childNode(node, field), message);
    if (rule.record !== '' && rule.alert !== '') {
      complain('record', 'only one of "record" and "alert" must be set');
    }
    if (rule.record === '' && rule.alert === '') {
      complain('expr', 'one of "record" or "alert" must be set');
    }
    if (rule.expr === '') complain('expr', 'the field "expr" must be set in a rule');
    const problem = rule.expr === '' ? undefined : problemOf(rule.expr);
    if (problem !== undefined) complain('expr', problem);
    const { [KEEP_FIRING_EXPR]: keep = '' } = rule.annotations;
    const keepProblem = keep === '' ? undefined : problemOf(keep);
    if (keepProblem !== undefined) {
      const place = yaml.childNode(yaml.childNode(node, 'annotations'), KEEP_FIRING_EXPR);
      decoder.error(place, `annotation "${KEEP_FIRING_EXPR}": ${keepProblem}`);
    }
    if (rule.record !== '') checkRecordingRule(rule, complain);
    checkLabelNames(rule.labels, node, decoder);
    checkTemplates(rule, node, decoder);
  });
}

function groupSchema(problemOf: ExpressionCheck) {
  return yaml.checked(
    yaml.object(
      {
        name: yaml.required(yaml.string),
        interval: yaml.optional(yaml.duration),
        query_offset: yaml.optional(yaml.duration),
        limit: yaml.optional(yaml.integer(Number.MIN_SAFE_INTEGER), 0),
        labels: yaml.optional(text, (): Record<string, string> => ({})),
        rules: yaml.optional(yaml.list(ruleSchema(problemOf)), () => []),
        partial_response_strategy: yaml.optional(yaml.string),
      },
      { name: 'rule group' },
    ),
    (group, node, decoder) => checkLabelNames(group.labels, node, decoder),
  );
}

function fileSchemaOf(problemOf: ExpressionCheck) {
  const groups = yaml.optional(yaml.list(groupSchema(problemOf)), () => []);
  return yaml.checked(yaml.object({ groups }, { name: 'rule file' }), (file, node, decoder) => {
    const seen = new Set<string>();
    file.groups.forEach((group, i) => {
      const groupNode = yaml.itemNode(yaml.childNode(node, 'groups'), i);
      if (group.name === '') decoder.error(groupNode, 'a rule group needs a name');
      else if (seen.has(group.name)) {
        const message = `groupname: "${group.name}" is repeated in the same file`;
        decoder.error(yaml.childNode(groupNode, 'name'), message);
      }
      seen.add(group.name);
      warnOfTwins(group.rules, yaml.childNode(groupNode, 'rules'), decoder);
    });
  });
}

const fileSchema = fileSchemaOf((expr) => expressionProblem(expr, {}));
const logFileSchema = fileSchemaOf(logqlProblem);

/** Complains of expressions that are sound but for what `syntax` leaves out. */
function schemaFor(syntax: ParseOptions): typeof fileSchema {
  if (syntax.experimental === undefined) return fileSchema;
  return yaml.checked(fileSchema, (file, node, decoder) => {
    file.groups.forEach((group, i) => {
      const groupNode = yaml.itemNode(yaml.childNode(node, 'groups'), i);
      group.rules.forEach((rule, k) => {
        const ruleNode = yaml.itemNode(yaml.childNode(groupNode, 'rules'), k);
        // What is no PromQL at all was complained of already.
        if (expressionProblem(rule.expr, {}) !== undefined) return;
        const message = expressionProblem(rule.expr, syntax);
        if (message !== undefined) decoder.error(yaml.childNode(ruleNode, 'expr'), message);
      });
    });
  });
}

export interface RuleFileOptions extends ParseOptions {
  /** Fields that no rule file has are passed over: notes of other tools. */
  readonly ignoresUnknownFields?: boolean;
  /** The rules are LogQL, over the logs of this tenant. */
  readonly logs?: { readonly tenant: string };
}

/**
 * Reads a rule file's text, with what the options say of experimental PromQL. The value is there
 * only when no problem is an error.
 */
export function parseRuleFile(
  source: string,
  file: string,
  { ignoresUnknownFields = false, logs, ...syntax }: RuleFileOptions = {},
): { groups: readonly RuleGroupConfig[]; problems: readonly yaml.Problem[] } {
  const strict = logs === undefined ? schemaFor(syntax) : logFileSchema;
  const schema = ignoresUnknownFields ? yaml.withoutUnknown(strict) : strict;
  const { value, problems } = yaml.decodeYaml(source, file, schema);
  if (value === undefined || yaml.hasErrors(problems)) return { groups: [], problems };
  const groups = value.groups.map((group) => ({
    name: group.name,
    file,
    intervalMs: group.interval,
    queryOffsetMs: group.query_offset,
    limit: group.limit,
    ...(logs === undefined ? {} : { logs }),
    rules: group.rules.map((rule) => toConfig(rule, group.labels)),
  }));
  return { groups, problems };
}

function toConfig(rule: RawRule, groupLabels: Record<string, string>): RuleConfig {
  const labels = Labels.of({ ...groupLabels, ...rule.labels });
  if (rule.record !== '')
    return { kind: 'recording', record: rule.record, expr: rule.expr, labels };
  return {
    kind: 'alerting',
    alert: rule.alert,
    expr: rule.expr,
    keepFiringExpr: rule.annotations[KEEP_FIRING_EXPR] ?? '',
    forMs: rule.for,
    keepFiringForMs: rule.keep_firing_for,
    labels,
    annotations: Labels.of(rule.annotations),
  };
}

function expressionProblem(expr: string, syntax: ParseOptions): string | undefined {
  try {
    parseExpr(expr, syntax);
    return undefined;
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    return `could not parse expression: ${errorMessage(error)}`;
  }
}

function logqlProblem(expr: string): string | undefined {
  try {
    const { kind } = parseLogql(expr);
    return kind === 'pipeline'
      ? 'a rule needs a number: count lines, with rate or others'
      : undefined;
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    return `could not parse expression: ${errorMessage(error)}`;
  }
}

function checkRecordingRule(
  rule: RawRule,
  complain: (field: string, message: string) => void,
): void {
  if (Object.keys(rule.annotations).length > 0) {
    complain('annotations', 'invalid field "annotations" in a recording rule');
  }
  for (const field of ['for', 'keep_firing_for'] as const) {
    if (rule[field] > 0) complain(field, `invalid field "${field}" in a recording rule`);
  }
  if (rule.record.includes('\ufffd') || /[{}]/.test(rule.record)) {
    complain('record', `invalid recording rule name: ${rule.record}`);
  }
}

/** The names of the `labels` of a group or a rule. */
function checkLabelNames(
  labels: Record<string, string>,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  for (const name of Object.keys(labels)) {
    if (name !== '' && name !== METRIC_NAME && !name.includes('\ufffd')) continue;
    const place = yaml.childNode(yaml.childNode(node, 'labels'), name);
    decoder.error(place, `invalid label name: "${name}"`);
  }
}

function checkTemplates(rule: RawRule, node: yaml.YamlNode, decoder: yaml.Decoder): void {
  if (rule.alert === '') return;
  for (const part of ['labels', 'annotations'] as const) {
    for (const [name, template] of Object.entries(rule[part])) {
      try {
        checkRuleTemplate(template);
      } catch (error) {
        if (!(error instanceof TytoError)) throw error;
        const place = yaml.childNode(yaml.childNode(node, part), name);
        decoder.error(place, `${part.slice(0, -1)} "${name}": ${errorMessage(error)}`);
      }
    }
  }
}

/** Two rules of one name and the same labels make the same series: legal, and hardly meant. */
function warnOfTwins(rules: readonly RawRule[], node: yaml.YamlNode, decoder: yaml.Decoder): void {
  const seen = new Set<string>();
  rules.forEach((rule, i) => {
    const key = `${rule.record}\n${rule.alert}\n${rule.expr}\n${Labels.of(rule.labels).key}`;
    if (seen.has(key)) decoder.warn(yaml.itemNode(node, i), 'the rule stands twice in its group');
    seen.add(key);
  });
}
