/** The engine of LogQL. */
export { type FollowedEntry, LogqlEngine, type LogqlEngineOptions } from './engine.ts';
export { DEFAULT_LOGQL_LIMITS, type LogqlLimits } from './limits.ts';
export type {
  LogqlEntry,
  LogqlInstantRequest,
  LogqlRangeRequest,
  LogqlRequest,
  LogqlResult,
  LogqlSample,
  LogqlStream,
  LogqlValue,
} from './results.ts';
export { type MinedPattern, minePatterns, type MiningOptions, PatternMiner } from './patterns.ts';
export { type LogqlOutcome, runLogqlScript } from './testing/scriptRunner.ts';
