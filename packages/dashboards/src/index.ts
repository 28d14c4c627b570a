export type {
  Annotation,
  Dashboard,
  DatasourceRef,
  FieldConfig,
  FieldOverride,
  FieldSettings,
  Link,
  Mapping,
  Matcher,
  Panel,
  Place,
  Section,
  Shown,
  Target,
  Thresholds,
  Transformation,
  Variable,
  VariableType,
} from './model.ts';
export { readDashboard } from './read/dashboard.ts';
export { type Chosen, interpolate, type Lookup, referencesOf } from './variables/interpolate.ts';
export { intervalMs, type IntervalRequest, timeVariables } from './variables/intervals.ts';
export { ALL, customOptions, type Option, optionsOf } from './variables/options.ts';
export { type FormatOptions, type Formatted, formatText, formatValue } from './values/units.ts';
export { type FieldTest, fieldTest } from './frames/fieldMatcher.ts';
export {
  type Cell,
  type Field,
  type FieldType,
  field,
  type Frame,
  frame,
  type Line,
  nameOf,
} from './frames/frame.ts';
export { reducerName, reduceValues } from './frames/reduce.ts';
export { type Transformed, transformFrames } from './transform/transform.ts';
