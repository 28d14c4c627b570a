export { QueryBudget } from './budget.ts';
export { type Column, emptyColumn, FLOAT, type Grid, sizeOf } from './column.ts';
export { evaluateGiven } from './given.ts';
export { type EngineOptions, QueryEngine, type QueryOptions } from './engine.ts';
export type { QueryStep } from './trace.ts';
export { type SampleAccount, SamplePool } from './samplePool.ts';
export type { QueryRead, QueryUsage } from './usage.ts';
export { LOOKBACK_MS, SAMPLE_LIMIT, SUBQUERY_STEP_MS, TIMEOUT_MS } from './limits.ts';
export { withResetHints } from './testing/resetHints.ts';
export {
  type EvalCommand,
  type Expectation,
  type LoadCommand,
  parseScript,
  type ScriptCommand,
} from './testing/script.ts';
export {
  type EvalOutcome,
  loadSeries,
  runScript,
  type ScriptOptions,
  type ScriptStore,
} from './testing/scriptRunner.ts';
export {
  type NotedSeries,
  type NotedValue,
  parseLabels,
  parseSeries,
  parseValues,
} from './testing/seriesNotation.ts';
