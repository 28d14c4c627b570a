/** From the labels that a target exposes to those that are stored. */
import { TytoError } from '@tyto/base';
import { isClassicLabelName, isClassicMetricName, Labels, METRIC_NAME } from '@tyto/model';
import type { ScrapeConfig } from '../config/scrapeConfig.ts';
import { relabelMap } from '../relabel/relabel.ts';

/** A limit of the job that a series is beyond. */
export class LabelLimitError extends TytoError {
  constructor(message: string) {
    super('too_large', message);
  }
}

/**
 * The stored labels, or undefined when relabelling drops the series. Throws TytoError when the
 * series is invalid or beyond a limit: the whole scrape then fails.
 */
export function sampleLabels(
  exposed: Labels,
  target: Labels,
  config: ScrapeConfig,
): Labels | undefined {
  const map = new Map(exposed.entries());
  if (config.honorLabels) {
    for (const [name, value] of target.entries()) if (!map.has(name)) map.set(name, value);
  } else {
    addTargetLabels(map, target);
  }
  if (!relabelMap(map, config.metricRelabelConfigs)) return undefined;
  const labels = Labels.fromEntries(map);
  check(labels, config);
  return labels;
}

/** The target's labels win; what the target exposes under their names becomes `exported_…`. */
function addTargetLabels(map: Map<string, string>, target: Labels): void {
  const conflicts: [string, string][] = [];
  for (const [name, value] of target.entries()) {
    const exposed = map.get(name);
    if (exposed !== undefined) conflicts.push([name, exposed]);
    map.set(name, value);
  }
  conflicts.sort(([a], [b]) => a.length - b.length);
  for (const [name, value] of conflicts) {
    let renamed = `exported_${name}`;
    while (map.has(renamed)) renamed = `exported_${renamed}`;
    map.set(renamed, value);
  }
}

function check(labels: Labels, config: ScrapeConfig): void {
  const metric = labels.metricName;
  if (metric === '') throw new TytoError('bad_data', 'missing metric name (__name__ label)');
  if (config.nameValidation === 'legacy') {
    const names = [...labels.entries()].map(([name]) => name);
    if (!isClassicMetricName(metric) || !names.every(isClassicLabelName)) {
      throw new TytoError('bad_data', `invalid metric name or label names: ${labels}`);
    }
  }
  const { labelLimit, labelNameLengthLimit, labelValueLengthLimit } = config;
  const shown = metric.slice(0, 50);
  if (labelLimit > 0 && labels.size > labelLimit) {
    const counts = `number of labels: ${labels.size}, limit: ${labelLimit}`;
    throw new LabelLimitError(`label_limit exceeded (metric: ${shown}, ${counts})`);
  }
  if (labelNameLengthLimit === 0 && labelValueLengthLimit === 0) return;
  for (const [name, value] of labels.entries()) {
    const at = `metric: ${shown}, label name: ${name.slice(0, 50)}`;
    checkLength('label_name_length_limit', name, labelNameLengthLimit, at);
    const valueAt = `${at}, value: ${JSON.stringify(value.slice(0, 50))}`;
    checkLength('label_value_length_limit', value, labelValueLengthLimit, valueAt);
  }
}

function checkLength(limitName: string, text: string, limit: number, at: string): void {
  if (limit === 0 || text.length * 3 <= limit) return;
  const length = Buffer.byteLength(text);
  if (length <= limit) return;
  throw new LabelLimitError(`${limitName} exceeded (${at}, length: ${length}, limit: ${limit})`);
}

/** The labels of a series about the scrape itself, such as `up`. */
export function reportLabels(name: string, target: Labels): Labels {
  return target.with(METRIC_NAME, name);
}
