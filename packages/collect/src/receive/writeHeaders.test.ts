import { describe, expect, it } from 'vitest';
import { negotiateWrite } from '@tyto/collect';

const PROTOBUF = 'application/x-protobuf';

describe('the headers of remote write', () => {
  it('tell 1.0 from 2.0', () => {
    expect(negotiateWrite(PROTOBUF, 'snappy')).toEqual({ version: 1 });
    expect(negotiateWrite(undefined, undefined)).toEqual({ version: 1 });
    const named = (message: string) => negotiateWrite(`${PROTOBUF};proto=${message}`, 'snappy');
    expect(named('prometheus.WriteRequest')).toEqual({ version: 1 });
    expect(named('io.prometheus.write.v2.Request')).toEqual({ version: 2 });
    const spaced = `${PROTOBUF}; charset=utf-8; proto=io.prometheus.write.v2.Request`;
    expect(negotiateWrite(spaced, 'Snappy')).toEqual({ version: 2 });
  });

  it('refuse other types and encodings in the words of Prometheus', () => {
    const why = (type: string, encoding = 'snappy') => {
      const answer = negotiateWrite(type, encoding);
      return 'unsupported' in answer ? answer.unsupported : '';
    };
    expect(why('text/plain')).toBe(
      'expected application/x-protobuf as the first (media) part, got text/plain content-type',
    );
    expect(why(`${PROTOBUF};proto=a.b`)).toContain(
      'unknown remote write protobuf message a.b, supported: prometheus.WriteRequest, ' +
        'io.prometheus.write.v2.Request',
    );
    expect(why(`${PROTOBUF};proto`)).toContain('expected parameters to be key-values, got proto');
    expect(why(PROTOBUF, 'zstd')).toBe(
      'zstd encoding (compression) is not accepted by this server; only snappy is acceptable',
    );
    expect(why(`${PROTOBUF};proto=__proto__`)).toContain('unknown');
  });
});
