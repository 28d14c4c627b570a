/**
 * Operating errors: what input, the network or the disk did to us. They carry a kind, which the
 * edge maps to an HTTP status or an exit code once, and where it helps a place.
 */

/** What went wrong, in the words that the Prometheus API uses for `errorType` where it has one. */
export type ErrorKind =
  | 'bad_data'
  | 'canceled'
  | 'execution'
  | 'internal'
  | 'io'
  | 'not_found'
  | 'not_acceptable'
  | 'timeout'
  | 'too_large'
  | 'unavailable';

/** A position in a text: 1-based line and column; `file` where the text came from one. */
export interface Place {
  readonly file?: string | undefined;
  readonly line: number;
  readonly column: number;
}

export class TytoError extends Error {
  override readonly name = 'TytoError';
  readonly kind: ErrorKind;
  readonly place: Place | undefined;

  constructor(kind: ErrorKind, message: string, options?: { place?: Place; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.place = options?.place;
  }
}

/** The message of anything thrown; system errors keep their code. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error such as ENOENT, or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** `file:line:column`, as editors understand it. */
export function formatPlace(place: Place): string {
  const position = `${place.line}:${place.column}`;
  return place.file === undefined ? position : `${place.file}:${position}`;
}
