export { CreatedReader } from './createdReader.ts';
export { ExpositionParser } from './expositionParser.ts';
export {
  ENTRY_END,
  ENTRY_HELP,
  ENTRY_HISTOGRAM,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  ENTRY_UNIT,
  type Entry,
} from './expositionSyntax.ts';
export {
  encodeFamily,
  type ExposedFamily,
  type ExposedMetric,
  readFamilies,
} from './exposedFamilies.ts';
export type {
  Exemplar,
  ExpositionFormat,
  ExpositionReader,
  HistogramOptions,
} from './expositionReader.ts';
export { FamilyParser } from './familyParser.ts';
export { ClassicConverter } from './classicConverter.ts';
export {
  boundText,
  customHistogram,
  limitHistogram,
  reduceResolution,
  schemaOfFactor,
  sideOf,
} from './nativeHistogram.ts';
export { type BulkItem, documentTimeNs, jsonRecord, readElasticBulk } from './elasticBulk.ts';
export { type FamilySample, type MetricFamily, writeExposition } from './expositionWriter.ts';
export { formatFloat, parseFloatBytes } from './floatText.ts';
export { decodeLossy, type LogVisitor, utf8Bytes } from './logVisitor.ts';
export { walkLokiPush } from './lokiPush.ts';
export { parseTimeNs, walkLegacyPushJson, walkLokiPushJson } from './lokiPushJson.ts';
export { decodeSeries } from './seriesText.ts';
export {
  checkHistogram,
  decodeHistogram,
  type HistogramSample,
  writeHistogram,
} from './histogramMessage.ts';
export { type OtlpAttribute, type OtlpValue, textOf } from './otlpAttributes.ts';
export { walkOtlpJson } from './otlpJson.ts';
export {
  type OtlpLogRecord,
  type OtlpLogScope,
  type OtlpLogVisitor,
  type OtlpPair,
  walkOtlpLogs,
} from './otlpLogs.ts';
export { walkOtlpLogsJson } from './otlpLogsJson.ts';
export {
  type OtlpBuckets,
  type OtlpExemplar,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpScope,
  type OtlpVisitor,
  walkOtlpMetrics,
} from './otlpMetrics.ts';
export { encodeOtlpResponse, encodeOtlpStatus, type OtlpEncoding } from './otlpResponse.ts';
export { ProtobufReader } from './protobufReader.ts';
export { ProtobufWriter } from './protobufWriter.ts';
export {
  decodeFamilyMetadata,
  decodeLabelPairs,
  decodeSeriesExtras,
  decodeStartTimes,
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
export { parseStreamLabels } from './streamLabels.ts';
export { parseSyslog, type SyslogMessage } from './syslog.ts';
export { TextCache } from './textCache.ts';
