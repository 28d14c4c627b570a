/** What the engine of LogQL is asked and what it answers; the shapes behind Loki's HTTP API. */
import type { Labels, LogReadSize } from '@tyto/model';

export interface LogqlRequest {
  readonly tenant: string;
  readonly query: string;
  /** Most entries that a log query gives. */
  readonly limit: number;
  /** Which entries a limit keeps, and their order: `backward` is the newest first. */
  readonly direction: 'forward' | 'backward';
  readonly signal?: AbortSignal | undefined;
}

export interface LogqlRangeRequest extends LogqlRequest {
  /** Log queries read [startNs, endNs); metric queries evaluate at startNs, + step … ≤ endNs. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly stepNs: bigint;
  /** Log queries: of each stream at most one entry in so long; 0n for all. */
  readonly intervalNs: bigint;
}

export interface LogqlInstantRequest extends LogqlRequest {
  readonly timeNs: bigint;
}

export interface LogqlEntry {
  readonly timestampNs: bigint;
  /** As the pipeline leaves it. */
  readonly line: string;
  /** The structured metadata and the parsed labels that the pipeline leaves. */
  readonly metadata: Labels;
  readonly parsed: Labels;
}

export interface LogqlStream {
  /** Of the stream itself, as the pipeline leaves them. */
  readonly labels: Labels;
  /** In the direction that was asked for. */
  readonly entries: readonly LogqlEntry[];
}

export interface LogqlSample {
  readonly timestampMs: number;
  readonly value: number;
}

export type LogqlValue =
  | { readonly type: 'streams'; readonly streams: readonly LogqlStream[] }
  | { readonly type: 'scalar'; readonly sample: LogqlSample }
  | {
      readonly type: 'vector';
      readonly samples: readonly (LogqlSample & { readonly labels: Labels })[];
    }
  | {
      readonly type: 'matrix';
      readonly series: readonly {
        readonly labels: Labels;
        readonly samples: readonly LogqlSample[];
      }[];
    };

export interface LogqlResult {
  readonly value: LogqlValue;
  /** What had to be read, and how many entries passed the pipeline. */
  readonly read: LogReadSize;
  readonly entries: number;
  readonly warnings: readonly string[];
}
