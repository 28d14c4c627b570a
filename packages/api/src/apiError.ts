/**
 * The one error of the client. `type` tells what to do about it: `network` and `timeout` are worth
 * a retry, the server's own types are not, and `canceled` was asked for by the caller.
 */

import type { ErrorType } from './prometheus.ts';

export type ApiErrorType = ErrorType | 'network' | 'bad_response' | (string & {});

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly errorType: ApiErrorType;
  /** The HTTP status, or 0 when no answer came. */
  readonly status: number;
  readonly warnings: readonly string[];

  constructor(
    errorType: ApiErrorType,
    message: string,
    options?: { status?: number; warnings?: readonly string[]; cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.errorType = errorType;
    this.status = options?.status ?? 0;
    this.warnings = options?.warnings ?? [];
  }

  /** Whether the server could not be asked at all, or is itself out of order. */
  get isUnreachable(): boolean {
    if (this.errorType === 'network') return true;
    if (this.status === 0) return this.errorType === 'timeout';
    return this.errorType === 'bad_response' && this.status >= 500;
  }
}

/** The type for an answer without an envelope, from its status alone. */
export function errorTypeOfStatus(status: number): ApiErrorType {
  if (status === 400 || status === 405) return 'bad_data';
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 404 || status === 410) return 'not_found';
  if (status === 422) return 'execution';
  if (status === 503) return 'unavailable';
  if (status === 504) return 'timeout';
  return status >= 500 ? 'bad_response' : 'bad_data';
}
