/** What is configured of logs, wherever it is written. */
import { DEFAULT_LOG_LIMITS, type LogLimits, type SyslogListener } from '@tyto/collect';
import type { Matcher } from '@tyto/model';
import type { FilePattern } from './prometheusConfig.ts';

/** How long the logs of some streams are kept. */
export interface StreamRetention {
  readonly matchers: readonly Matcher[];
  readonly priority: number;
  readonly retentionMs: number;
}

export interface LogsConfig {
  /** Whether requests must name a tenant; undefined: they may. */
  readonly authEnabled: boolean | undefined;
  readonly limits: LogLimits;
  /** Of those for whom others hold. */
  readonly tenants: ReadonlyMap<string, LogLimits>;
  /** '' for the engine within Tyto. */
  readonly clickhouseUrl: string;
  /** 0 for ever. */
  readonly retentionMs: number;
  readonly streamRetention: readonly StreamRetention[];
  readonly deleteCancelMs: number;
  readonly ruleFiles: readonly FilePattern[];
  readonly syslog: readonly SyslogListener[];
}

/** Loki's name for whoever is not told apart. */
export const TENANT_DEFAULT = 'fake';

const DAY_MS = 24 * 3_600_000;

export const DEFAULT_LOGS: LogsConfig = {
  authEnabled: undefined,
  limits: DEFAULT_LOG_LIMITS,
  tenants: new Map(),
  clickhouseUrl: '',
  retentionMs: 0,
  streamRetention: [],
  deleteCancelMs: DAY_MS,
  ruleFiles: [],
  syslog: [],
};
