/**
 * Relabelling: the eleven actions of Prometheus, applied in order to a set of labels. Expressions
 * are RE2's, anchored at both ends.
 */
import { createHash } from 'node:crypto';
import { type AnchoredRegExp, unreachable } from '@tyto/base';
import { isClassicLabelName, Labels } from '@tyto/model';
import type { Template } from './template.ts';

export const RELABEL_ACTIONS = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const;
export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

export interface RelabelConfig {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly regex: AnchoredRegExp;
  readonly modulus: number;
  readonly targetLabel: Template;
  readonly replacement: Template;
}

/** Mutable labels while they are being rewritten; '' means absent. */
export type LabelMap = Map<string, string>;

/** The labels after all steps, or undefined when one of them drops the set. */
export function relabel(labels: Labels, configs: readonly RelabelConfig[]): Labels | undefined {
  if (configs.length === 0) return labels;
  const map: LabelMap = new Map(labels.entries());
  return relabelMap(map, configs) ? Labels.fromEntries(map) : undefined;
}

/** Rewrites `map` in place; false when a step drops it (the map is then half rewritten). */
export function relabelMap(map: LabelMap, configs: readonly RelabelConfig[]): boolean {
  return configs.every((config) => applyStep(map, config));
}

function applyStep(map: LabelMap, config: RelabelConfig): boolean {
  const { action, regex } = config;
  const value = config.sourceLabels.map((name) => map.get(name) ?? '').join(config.separator);
  const target = config.targetLabel.source;
  switch (action) {
    case 'keep':
      return regex.matches(value);
    case 'drop':
      return !regex.matches(value);
    case 'keepequal':
      return (map.get(target) ?? '') === value;
    case 'dropequal':
      return (map.get(target) ?? '') !== value;
    case 'replace':
      replace(map, config, value);
      return true;
    case 'lowercase':
      setLabel(map, target, value.toLowerCase());
      return true;
    case 'uppercase':
      setLabel(map, target, value.toUpperCase());
      return true;
    case 'hashmod':
      setLabel(map, target, hashModulo(value, config.modulus));
      return true;
    case 'labelmap':
      mapNames(map, config);
      return true;
    case 'labeldrop':
      for (const name of [...map.keys()]) if (regex.matches(name)) map.delete(name);
      return true;
    case 'labelkeep':
      for (const name of [...map.keys()]) if (!regex.matches(name)) map.delete(name);
      return true;
    default:
      return unreachable(action);
  }
}

function replace(map: LabelMap, config: RelabelConfig, value: string): void {
  const captured = config.regex.capture(value);
  if (captured === undefined) return;
  const target = config.targetLabel.expand(captured);
  if (target !== '') setLabel(map, target, config.replacement.expand(captured));
}

function mapNames(map: LabelMap, config: RelabelConfig): void {
  for (const [name, value] of [...map]) {
    const captured = config.regex.capture(name);
    if (captured === undefined) continue;
    const mapped = config.replacement.expand(captured);
    if (mapped !== '') setLabel(map, mapped, value);
  }
}

function setLabel(map: LabelMap, name: string, value: string): void {
  if (value === '') map.delete(name);
  else map.set(name, value);
}

/** The last eight bytes of the MD5 sum, as a big-endian number, modulo `modulus`. */
function hashModulo(value: string, modulus: number): string {
  const digest = createHash('md5').update(value).digest();
  return String(digest.readBigUInt64BE(8) % BigInt(modulus));
}

/** Whether a name, perhaps with references such as `${1}`, can become a classic label name. */
export function isClassicLabelTemplate(source: string): boolean {
  return isClassicLabelName(source.replace(/\$(?:\{\w+\}|\w+)/g, '_'));
}
