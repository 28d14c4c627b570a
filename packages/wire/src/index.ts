export { type Exemplar, type ExpositionFormat, ExpositionParser } from './expositionParser.ts';
export {
  ENTRY_END,
  ENTRY_HELP,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  ENTRY_UNIT,
  type Entry,
} from './expositionSyntax.ts';
export { type FamilySample, type MetricFamily, writeExposition } from './expositionWriter.ts';
export { formatFloat, parseFloatBytes } from './floatText.ts';
export { decodeSeries } from './seriesText.ts';
