/** The labels of OpenTelemetry's data points: attributes, job and instance, what is promoted. */
import { TytoError } from '@tyto/base';
import { Labels, METRIC_NAME } from '@tyto/model';
import type { OtlpAttribute, OtlpScope } from '@tyto/wire';
import type { OtlpConfig } from './otlpConfig.ts';
import { labelName } from './otlpNames.ts';

const SERVICE_NAME = 'service.name';
const SERVICE_NAMESPACE = 'service.namespace';
const SERVICE_INSTANCE = 'service.instance.id';
const IDENTIFYING = [SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE];

/** What all points of a resource have in common. */
export interface ResourceLabels {
  readonly identity: ReadonlyMap<string, string>;
  readonly promoted: ReadonlyMap<string, string>;
  /** The series `target_info`; undefined where it would say nothing, or of nobody. */
  readonly targetInfo: Labels | undefined;
}

export function resourceLabels(
  attributes: readonly OtlpAttribute[],
  config: OtlpConfig,
): ResourceLabels {
  const values = new Map(attributes);
  const identity = identityOf(values);
  const { promoteResourceAttributes, ignoreResourceAttributes } = config;
  const isPromoted = ([key]: OtlpAttribute) =>
    config.promoteAllResourceAttributes
      ? !ignoreResourceAttributes.includes(key)
      : promoteResourceAttributes.includes(key);
  const promoted = translated(attributes.filter(isPromoted), config);
  const keeps = config.keepIdentifyingResourceAttributes;
  const described = attributes.filter(([key]) => keeps || !IDENTIFYING.includes(key));
  const says = described.length > 0 && identity.size > 0;
  const info = says ? translated(described, config) : undefined;
  if (info !== undefined) for (const [name, value] of identity) info.set(name, value);
  info?.set(METRIC_NAME, 'target_info');
  return {
    identity,
    promoted,
    targetInfo: info === undefined ? undefined : Labels.fromEntries(info),
  };
}

function identityOf(values: ReadonlyMap<string, string>): Map<string, string> {
  const identity = new Map<string, string>();
  const name = values.get(SERVICE_NAME) ?? '';
  const namespace = values.get(SERVICE_NAMESPACE) ?? '';
  if (name !== '') identity.set('job', namespace === '' ? name : `${namespace}/${name}`);
  const instance = values.get(SERVICE_INSTANCE) ?? '';
  if (instance !== '') identity.set('instance', instance);
  return identity;
}

/** Labels of the scope, where they are wished for. */
export function scopeLabels(scope: OtlpScope, config: OtlpConfig): ReadonlyMap<string, string> {
  if (!config.promoteScopeMetadata) return new Map();
  const labels = new Map([
    ['otel_scope_name', scope.name],
    ['otel_scope_version', scope.version],
    ['otel_scope_schema_url', scope.schemaUrl],
  ]);
  const attributes = scope.attributes.map(([key, value]) => [`otel_scope_${key}`, value] as const);
  for (const [name, value] of translated(attributes, config)) {
    if (!labels.has(name)) labels.set(name, value);
  }
  return labels;
}

/** The labels of a point, without a name. Throws TytoError `bad_data` for an empty key. */
export function pointLabels(
  attributes: readonly OtlpAttribute[],
  resource: ResourceLabels,
  scope: ReadonlyMap<string, string>,
  config: OtlpConfig,
): Map<string, string> {
  const labels = translated(attributes, config);
  for (const [name, value] of scope) labels.set(name, value);
  for (const [name, value] of resource.promoted) if (!labels.has(name)) labels.set(name, value);
  for (const [name, value] of resource.identity) labels.set(name, value);
  return labels;
}

/** Attributes whose names become the same label have all values in it, by order of their keys. */
function translated(attributes: readonly OtlpAttribute[], config: OtlpConfig): Map<string, string> {
  const labels = new Map<string, string>();
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (const [key, value] of sorted) {
    const name = labelName(key, config);
    if (name === '') throw new TytoError('bad_data', 'an attribute has no key');
    const before = labels.get(name);
    labels.set(name, before === undefined ? value : `${before};${value}`);
  }
  return labels;
}
