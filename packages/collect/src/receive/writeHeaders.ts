/** What the headers of a remote write request say of its body, and those that 2.0 answers. */
import type { WriteVersion } from '@tyto/kernels';
import type { WriteOutcome } from './writeReceiver.ts';

const MEDIA_TYPE = 'application/x-protobuf';
const MESSAGES: Readonly<Record<string, WriteVersion>> = {
  'prometheus.WriteRequest': 1,
  'io.prometheus.write.v2.Request': 2,
};
const RFC = 'https://www.rfc-editor.org/rfc/rfc9110#parameter';

/** The version of a request's message, or why its body is not taken: status 415. */
export function negotiateWrite(
  contentType: string | undefined,
  contentEncoding: string | undefined,
): { version: WriteVersion } | { unsupported: string } {
  const encoding = (contentEncoding ?? '').trim();
  if (encoding !== '' && encoding.toLowerCase() !== 'snappy') {
    const what = `${encoding} encoding (compression) is not accepted by this server`;
    return { unsupported: `${what}; only snappy is acceptable` };
  }
  // Senders of 1.0 that give no type were always taken, as in Prometheus.
  const given = (contentType ?? '').trim() || MEDIA_TYPE;
  const [media, ...parameters] = given.split(';').map((part) => part.trim());
  if (media.toLowerCase() !== MEDIA_TYPE) {
    const expected = `expected ${MEDIA_TYPE} as the first (media) part`;
    return { unsupported: `${expected}, got ${given} content-type` };
  }
  for (const parameter of parameters) {
    const [name, value, ...more] = parameter.split('=');
    if (value === undefined || more.length > 0) {
      const expected = `as per ${RFC} expected parameters to be key-values`;
      return { unsupported: `${expected}, got ${parameter} in ${given} content-type` };
    }
    if (name.toLowerCase() !== 'proto') continue;
    const message = value.replace(/^"(.*)"$/, '$1');
    if (Object.hasOwn(MESSAGES, message)) return { version: MESSAGES[message] };
    const supported = `supported: ${Object.keys(MESSAGES).join(', ')}`;
    const unknown = `unknown remote write protobuf message ${message}, ${supported}`;
    return { unsupported: `got ${given} content type; ${unknown}` };
  }
  return { version: 1 };
}

/** The headers that every answer to a 2.0 request has. */
export function writtenHeaders(
  outcome: Pick<WriteOutcome, 'samples' | 'histograms' | 'exemplars'>,
): Record<string, string> {
  return {
    'X-Prometheus-Remote-Write-Samples-Written': String(outcome.samples),
    'X-Prometheus-Remote-Write-Histograms-Written': String(outcome.histograms),
    'X-Prometheus-Remote-Write-Exemplars-Written': String(outcome.exemplars),
  };
}
