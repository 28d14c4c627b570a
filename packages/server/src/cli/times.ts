/** Times as people write them on the command line. */
import { TytoError } from '@tyto/base';

/** Milliseconds of `1700000000.5` or `2024-01-01T00:00:00Z`. Throws TytoError `bad_data`. */
export function parseTime(text: string): number {
  if (/^[-+]?\d+(\.\d*)?(e[-+]?\d+)?$/i.test(text)) return Math.round(Number(text) * 1000);
  const isDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)$/.test(text);
  const ms = isDate ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    const hint = 'write seconds since 1970, or for example 2024-01-01T00:00:00Z';
    throw new TytoError('bad_data', `not a time: "${text}"; ${hint}`);
  }
  return ms;
}
