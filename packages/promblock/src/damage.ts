/**
 * Damage: what is wrong in which file at which byte. It is reported and confined, so that all else
 * is still read. Decoders throw TytoError `io` with what is wrong; whoever knows the place catches.
 */
import { TytoError } from '@tyto/base';

export interface Damage {
  readonly file: string;
  /** In bytes from the start of the file. */
  readonly offset: number;
  readonly what: string;
}

export type ReportDamage = (damage: Damage) => void;

export function damaged(what: string): TytoError {
  return new TytoError('io', what);
}

/** What `read` returns; where it throws a TytoError, that is reported and undefined returned. */
export function confine<T>(
  file: string,
  offset: number,
  report: ReportDamage,
  read: () => T,
): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    report({ file, offset, what: error.message });
    return undefined;
  }
}
