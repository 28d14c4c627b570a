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
export { decodeHistogram, type HistogramSample, writeHistogram } from './histogramMessage.ts';
export { ProtobufReader } from './protobufReader.ts';
export { ProtobufWriter } from './protobufWriter.ts';
export {
  decodeFamilyMetadata,
  decodeLabelPairs,
  decodeSeriesExtras,
  encodeWriteRequest,
  type FamilyMetadata,
  labelsOfPairs,
  METRIC_TYPES,
  type RemoteWriteVersion,
  type SeriesExtras,
  type SymbolLookup,
  type WriteRequest,
  type WriteSeries,
} from './remoteWrite.ts';
export { TextCache } from './textCache.ts';
