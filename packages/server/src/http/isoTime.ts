/** Go's zero time: what Prometheus shows for "never". */
const NEVER = '0001-01-01T00:00:00Z';

/** RFC 3339, in UTC. */
export function isoTime(ms: number | undefined): string {
  return ms === undefined || ms === 0 ? NEVER : new Date(ms).toISOString();
}
