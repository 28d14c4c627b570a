import { expect, it } from 'vitest';
import { signed } from './awsSignature.ts';

it('signs as the test suite of AWS does', () => {
  // post-x-www-form-urlencoded of aws-sig-v4-test-suite.
  const keys = {
    region: 'us-east-1',
    accessKey: 'AKIDEXAMPLE',
    secretKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    sessionToken: '',
  };
  const url = new URL('https://example.amazonaws.com/');
  const nowMs = Date.parse('2015-08-30T12:36:00Z');
  expect(signed(url, 'Param1=value1', keys, 'service', nowMs).authorization).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
      'SignedHeaders=content-type;host;x-amz-date, ' +
      'Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  );
});
