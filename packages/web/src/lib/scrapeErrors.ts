/**
 * What a scrape's error message means. The messages are Go's and Node.js'; the cause is a word that
 * the dictionary explains in the reader's language, with what to look at next.
 */

export type ScrapeCause =
  | 'refused'
  | 'timeout'
  | 'dns'
  | 'unauthorized'
  | 'notFound'
  | 'serverError'
  | 'httpStatus'
  | 'unreachable'
  | 'reset'
  | 'certificate'
  | 'protocol'
  | 'format'
  | 'limit'
  | 'duplicate'
  | 'other';

const CAUSES: readonly (readonly [pattern: RegExp, cause: ScrapeCause])[] = [
  [/connection refused|ECONNREFUSED/i, 'refused'],
  [/no such host|server misbehaving|ENOTFOUND|EAI_AGAIN|getaddrinfo|name resolution/i, 'dns'],
  [/x509|certificate|CERT_|SELF_SIGNED|unable to verify/i, 'certificate'],
  [
    /HTTP response to HTTPS|first record does not look like a TLS|EPROTO|wrong version/i,
    'protocol',
  ],
  [/deadline exceeded|timeout|timed out|ETIMEDOUT|Client\.Timeout/i, 'timeout'],
  [/no route to host|network is unreachable|EHOSTUNREACH|ENETUNREACH/i, 'unreachable'],
  [/connection reset|ECONNRESET|socket hang up|\bEOF\b|EPIPE/i, 'reset'],
  [/status (?:code )?(?:is )?40[13]\b/i, 'unauthorized'],
  [/status (?:code )?(?:is )?404\b/i, 'notFound'],
  [/status (?:code )?(?:is )?5\d\d\b/i, 'serverError'],
  [/HTTP status|status code/i, 'httpStatus'],
  [/limit exceeded|body size|too (?:large|many)/i, 'limit'],
  [/duplicate (?:sample|timestamp)|out of order|out of bounds/i, 'duplicate'],
  [/content[- ]type|parse|expected|unsupported|invalid (?:metric|label|char)/i, 'format'],
];

/** The cause behind `message`; undefined when there is no error. */
export function scrapeCauseOf(message: string): ScrapeCause | undefined {
  if (message === '') return undefined;
  return CAUSES.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
}
