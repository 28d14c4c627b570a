export {
  type FileDiscoveryConfig,
  fileDiscoverySchema,
  type HttpDiscoveryConfig,
  httpDiscoverySchema,
  type StaticConfig,
  staticConfigSchema,
  type TargetGroup,
} from './config/discoveryConfig.ts';
export {
  DEFAULT_GLOBAL,
  type GlobalScrapeConfig,
  globalScrapeSchema,
  type ScrapeLimits,
  type ScrapeProtocol,
} from './config/globalConfig.ts';
export {
  DEFAULT_HTTP_CLIENT,
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
