/**
 * The server's time, as the `Date` of its answers tells it. Samples, alerts and scrapes carry the
 * server's clock; a reader's device whose clock is wrong must not show an empty last hour. Small
 * differences are the second's rounding and the way of the answer, and are left alone.
 */

const SKEW_MS_MIN = 5000;

let skewMs = 0;

export function noteServerDate(header: string | null): void {
  skewMs = skewOf(header, Date.now());
}

export function serverNowMs(): number {
  return Date.now() + skewMs;
}

/** How far the server's clock is ahead, or 0 where it is about right or unknown. */
export function skewOf(header: string | null, nowMs: number): number {
  const serverMs = header === null ? Number.NaN : Date.parse(header);
  const difference = serverMs - nowMs;
  return Math.abs(difference) >= SKEW_MS_MIN ? difference : 0;
}
