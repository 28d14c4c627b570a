/**
 * AWS Signature Version 4 for a POST with a form.
 * Specification: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
import { createHash, createHmac } from 'node:crypto';

export interface AwsKeys {
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** '' for keys that last. */
  readonly sessionToken: string;
}

const SIGNED_HEADERS = 'content-type;host;x-amz-date';
const SIGNED_WITH_TOKEN = `${SIGNED_HEADERS};x-amz-security-token`;
const CONTENT_TYPE = 'application/x-www-form-urlencoded';

/** The headers of the request, with its signature. */
export function signed(
  url: URL,
  body: string,
  keys: AwsKeys,
  service: string,
  nowMs: number,
): Record<string, string> {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const hasToken = keys.sessionToken !== '';
  const names = hasToken ? SIGNED_WITH_TOKEN : SIGNED_HEADERS;
  const lines = [
    'POST',
    url.pathname,
    '',
    `content-type:${CONTENT_TYPE}`,
    `host:${url.host}`,
    `x-amz-date:${time}`,
    ...(hasToken ? [`x-amz-security-token:${keys.sessionToken}`] : []),
    '',
    names,
    sha256(body),
  ];
  const scope = `${day}/${keys.region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(lines.join('\n'))].join('\n');
  const key = [day, keys.region, service, 'aws4_request'].reduce(
    (secret: string | Buffer, part) => hmac(secret, part),
    `AWS4${keys.secretKey}`,
  );
  const signature = hmac(key, toSign).toString('hex');
  const credential = `Credential=${keys.accessKey}/${scope}`;
  return {
    'content-type': CONTENT_TYPE,
    'x-amz-date': time,
    ...(hasToken ? { 'x-amz-security-token': keys.sessionToken } : {}),
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
