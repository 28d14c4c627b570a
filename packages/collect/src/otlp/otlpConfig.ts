/** The section `otlp` of prometheus.yml: how OpenTelemetry's metrics become series. */
import { yaml } from '@tyto/base';

const TRANSLATION_STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;
export type TranslationStrategy = (typeof TRANSLATION_STRATEGIES)[number];

export interface OtlpConfig {
  readonly promoteResourceAttributes: readonly string[];
  readonly promoteAllResourceAttributes: boolean;
  readonly ignoreResourceAttributes: readonly string[];
  readonly translationStrategy: TranslationStrategy;
  readonly keepIdentifyingResourceAttributes: boolean;
  readonly convertHistogramsToNhcb: boolean;
  readonly promoteScopeMetadata: boolean;
  /** A label whose name begins with one underscore gets `key` before it. */
  readonly labelNameUnderscoreSanitization: boolean;
  readonly labelNamePreserveMultipleUnderscores: boolean;
}

/** What applies without a section `otlp`. */
export const DEFAULT_OTLP: OtlpConfig = {
  promoteResourceAttributes: [],
  promoteAllResourceAttributes: false,
  ignoreResourceAttributes: [],
  translationStrategy: 'UnderscoreEscapingWithSuffixes',
  keepIdentifyingResourceAttributes: false,
  convertHistogramsToNhcb: false,
  promoteScopeMetadata: false,
  labelNameUnderscoreSanitization: true,
  labelNamePreserveMultipleUnderscores: true,
};

const attributes: yaml.Schema<string[]> = yaml.checked(
  yaml.list(yaml.string),
  (names, node, decoder) => {
    if (names.some((name) => name === '')) decoder.error(node, 'an attribute has an empty name');
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) decoder.error(node, `the attribute "${twice}" is there twice`);
  },
);

const rawSchema = yaml.object(
  {
    promote_resource_attributes: yaml.optional(attributes, (): string[] => []),
    promote_all_resource_attributes: yaml.optional(yaml.boolean, false),
    ignore_resource_attributes: yaml.optional(attributes, (): string[] => []),
    translation_strategy: yaml.optional(
      yaml.oneOf(TRANSLATION_STRATEGIES),
      DEFAULT_OTLP.translationStrategy,
    ),
    keep_identifying_resource_attributes: yaml.optional(yaml.boolean, false),
    convert_histograms_to_nhcb: yaml.optional(yaml.boolean, false),
    promote_scope_metadata: yaml.optional(yaml.boolean, false),
    label_name_underscore_sanitization: yaml.optional(yaml.boolean, true),
    label_name_preserve_multiple_underscores: yaml.optional(yaml.boolean, true),
  },
  { name: 'otlp' },
);

export const otlpSchema: yaml.Schema<OtlpConfig> = (node, decoder) => {
  const raw = rawSchema(node, decoder);
  const promotesAll = raw.promote_all_resource_attributes;
  if (promotesAll && raw.promote_resource_attributes.length > 0) {
    decoder.error(
      node,
      "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot both be set",
    );
  }
  if (!promotesAll && raw.ignore_resource_attributes.length > 0) {
    decoder.error(
      node,
      "'ignore_resource_attributes' means nothing without 'promote_all_resource_attributes: true'",
    );
  }
  return {
    promoteResourceAttributes: raw.promote_resource_attributes,
    promoteAllResourceAttributes: promotesAll,
    ignoreResourceAttributes: raw.ignore_resource_attributes,
    translationStrategy: raw.translation_strategy,
    keepIdentifyingResourceAttributes: raw.keep_identifying_resource_attributes,
    convertHistogramsToNhcb: raw.convert_histograms_to_nhcb,
    promoteScopeMetadata: raw.promote_scope_metadata,
    labelNameUnderscoreSanitization: raw.label_name_underscore_sanitization,
    labelNamePreserveMultipleUnderscores: raw.label_name_preserve_multiple_underscores,
  };
};
