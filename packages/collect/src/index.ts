export {
  type FileDiscoveryConfig,
  fileDiscoverySchema,
  type HttpDiscoveryConfig,
  httpDiscoverySchema,
  type StaticConfig,
  staticConfigSchema,
  type TargetGroup,
  UNSUPPORTED_DISCOVERIES,
} from './config/discoveryConfig.ts';
export { httpUrl } from './config/fields.ts';
export {
  DEFAULT_GLOBAL,
  type GlobalScrapeConfig,
  globalScrapeSchema,
  type ScrapeLimits,
  type ScrapeProtocol,
} from './config/globalConfig.ts';
export {
  DEFAULT_HTTP_CLIENT,
  headerName,
  type HttpClientConfig,
  httpClientFields,
  httpClientSchema,
  type Secret,
  type TlsConfig,
  tlsConfigSchema,
  toHttpClientConfig,
} from './config/httpClientConfig.ts';
export {
  finishScrapeConfigs,
  type ScrapeConfig,
  type ScrapeSection,
  scrapeConfigSchema,
} from './config/scrapeConfig.ts';
export {
  RELABEL_ACTIONS,
  type RelabelAction,
  type RelabelConfig,
  relabel,
} from './relabel/relabel.ts';
export { relabelConfigs as relabelConfigsSchema } from './relabel/relabelSchema.ts';
export { type DiscoveryFiles, nodeDiscoveryFiles } from './discovery/fileDiscoverer.ts';
export { toGroup } from './discovery/discoverer.ts';
export { type DiscoveryConfig, JobDiscovery } from './discovery/jobDiscovery.ts';
export { targetsOfGroup } from './scrape/target.ts';
export type {
  HttpClient,
  HttpClientFactory,
  HttpPost,
  HttpPosted,
  HttpPoster,
  HttpRequest,
  HttpResponse,
} from './http/httpClient.ts';
export { NodeHttpClient } from './http/nodeHttpClient.ts';
export type { TargetHealth } from './scrape/scrapeLoop.ts';
export {
  type ActiveTarget,
  type DroppedTarget,
  ScrapeManager,
  type ScrapeManagerOptions,
  type TargetMetadata,
  type Targets,
} from './scrape/scrapeManager.ts';
export {
  noScrapeMetrics,
  type RefusedReason,
  type ScrapeEvent,
  type ScrapeLimitName,
  type ScrapeMetrics,
} from './scrape/scrapeMetrics.ts';
export type { InternalTarget } from './scrape/scrapeSource.ts';
export {
  DEFAULT_HOST_FILTERS,
  DEFAULT_HOST_PATHS,
  type HostFilters,
  type HostPaths,
} from './host/hostContext.ts';
export { HostMetrics, type HostMetricsOptions } from './host/hostMetrics.ts';
export { PUSH_BODY_BYTES_MAX, WRITE_BODIES_BYTES_MAX, WRITE_BODY_BYTES_MAX } from './limits.ts';
export { decodePushed, encodePushed } from './push/pushFile.ts';
export { PushGateway, type PushGroup } from './push/pushGateway.ts';
export { groupingKey } from './push/pushPath.ts';
export { expositionFormat, type ScrapeFormat } from './scrape/negotiation.ts';
export { negotiateWrite, writtenHeaders } from './receive/writeHeaders.ts';
export { WriteReceiver } from './receive/writeReceiver.ts';
export { DEFAULT_OTLP, type OtlpConfig, otlpSchema } from './otlp/otlpConfig.ts';
export { type OtlpOutcome, OtlpReceiver } from './otlp/otlpReceiver.ts';
export { type BulkOutcome, readBulk, readLines } from './logs/documents.ts';
export { LEVEL_LABEL } from './logs/level.ts';
export { type LogBatch, labelsText } from './logs/logBatch.ts';
export {
  type AttributeRule,
  DEFAULT_LOG_LIMITS,
  LOKI_LIMITS,
  type LogLimits,
  type LogQueryLimits,
  STREAM_ATTRIBUTES,
} from './logs/logLimits.ts';
export { type LogOutcome, LogReceiver } from './logs/logReceiver.ts';
export { readOtlpLogs } from './logs/otlpLogs.ts';
export { type SyslogListener, SyslogServer } from './logs/syslogServer.ts';
