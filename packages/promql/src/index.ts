export { type EngineOptions, QueryEngine, type QueryOptions } from './engine.ts';
export { LOOKBACK_MS, SAMPLE_LIMIT, SUBQUERY_STEP_MS, TIMEOUT_MS } from './limits.ts';
export { rateWindows } from './windows/rate.ts';
