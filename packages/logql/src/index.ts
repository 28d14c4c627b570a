/** The engine of LogQL. */
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
