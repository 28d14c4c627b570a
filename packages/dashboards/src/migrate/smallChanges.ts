/** Settings that moved from one place to another. */
import { isRecord, type Json, recordOf, textOf } from '../json.ts';

/** Before version 25 the settings of values stood in `options.fieldOptions`. */
export function migrateFieldOptions(panel: Json): Json {
  const { fieldOptions, ...options } = recordOf(panel.options);
  if (!isRecord(fieldOptions)) return panel;
  const { values, calcs, defaults, overrides, thresholds, mappings, unit, decimals } = fieldOptions;
  const given = isRecord(panel.fieldConfig) ? panel.fieldConfig : {};
  const moved = Object.fromEntries(
    Object.entries({ thresholds, mappings, unit, decimals }).filter(([, value]) => {
      return value !== undefined;
    }),
  );
  return {
    ...panel,
    fieldConfig: {
      overrides: overrides ?? [],
      ...given,
      defaults: { ...moved, ...recordOf(defaults), ...recordOf(given.defaults) },
    },
    options: { reduceOptions: { values: values ?? false, calcs: calcs ?? ['mean'] }, ...options },
  };
}

/** A text panel had its text beside its options. */
export function migrateText(panel: Json): Json {
  const options = recordOf(panel.options);
  if (options.content !== undefined) return panel;
  const mode = textOf(panel.mode, 'markdown');
  return { ...panel, options: { ...options, mode, content: textOf(panel.content) } };
}
