/** What is configured of logs, wherever it is written. */
import { DEFAULT_LOG_LIMITS, type LogLimits, type SyslogListener } from '@tyto/collect';
import type { LogRetention } from '@tyto/columnar';
import type { FilePattern } from './prometheusConfig.ts';

export interface LogsConfig {
  /** Whether requests must name a tenant; undefined: they may. */
  readonly authEnabled: boolean | undefined;
  readonly limits: LogLimits;
  /** Of those for whom others hold. */
  readonly tenants: ReadonlyMap<string, LogLimits>;
  /** '' for the engine within Tyto. */
  readonly clickhouseUrl: string;
  readonly retention: LogRetention;
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
  retention: { periodMs: 0, rules: [], bytesMax: 0 },
  deleteCancelMs: DAY_MS,
  ruleFiles: [],
  syslog: [],
};
