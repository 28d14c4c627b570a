import { expect, it } from 'vitest';
import { type ScrapeCause, scrapeCauseOf } from './scrapeErrors.ts';

/** Messages as Prometheus 2.42 and Node.js 20 write them. */
const MESSAGES: readonly (readonly [string, ScrapeCause])[] = [
  ['Get "http://a:1/metrics": dial tcp 127.0.0.1:1: connect: connection refused', 'refused'],
  ['connect ECONNREFUSED 127.0.0.1:1', 'refused'],
  ['Get "http://x.invalid/": dial tcp: lookup x.invalid on 10.0.0.2:53: no such host', 'dns'],
  ['getaddrinfo ENOTFOUND x.invalid', 'dns'],
  ['Get "http://a/metrics": context deadline exceeded', 'timeout'],
  ['server returned HTTP status 401 Unauthorized', 'unauthorized'],
  ['server returned HTTP status 404 Not Found', 'notFound'],
  ['server returned HTTP status 503 Service Unavailable', 'serverError'],
  ['server returned HTTP status 302 Found', 'httpStatus'],
  ['Get "https://a/": x509: certificate signed by unknown authority', 'certificate'],
  ['Get "https://a/": http: server gave HTTP response to HTTPS client', 'protocol'],
  ['dial tcp 10.9.9.9:80: connect: no route to host', 'unreachable'],
  ['read tcp 10.0.0.1:1->10.0.0.2:2: read: connection reset by peer', 'reset'],
  ['"INVALID" is not a valid start token, expected label name', 'format'],
  ['sample limit exceeded', 'limit'],
  ['the dog ate it', 'other'],
];

it('names the cause of every common failure', () => {
  expect(MESSAGES.map(([message]) => scrapeCauseOf(message))).toEqual(
    MESSAGES.map(([, cause]) => cause),
  );
});

it('finds no cause where there is no error', () => {
  expect(scrapeCauseOf('')).toBeUndefined();
});
