/** Which exposition format is asked for, and which one an answer is in. */
import { TytoError } from '@tyto/base';
import type { ExpositionFormat } from '@tyto/wire';
import type { ScrapeProtocol } from '../config/globalConfig.ts';
import type { ScrapeConfig } from '../config/scrapeConfig.ts';

/** A text format, or length-delimited messages `io.prometheus.client.MetricFamily`. */
export type ScrapeFormat = ExpositionFormat | 'protobuf';

const MEDIA_TYPES: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
};
const ESCAPING_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'PrometheusText1.0.0',
];
const WEIGHT_FIRST = 6;

/** The header Accept, in the order of the job's protocols. */
export function acceptHeader(
  config: Pick<ScrapeConfig, 'scrapeProtocols' | 'nameEscaping'>,
): string {
  const parts: string[] = [];
  let weight = WEIGHT_FIRST;
  for (const protocol of config.scrapeProtocols) {
    const escaping = ESCAPING_PROTOCOLS.includes(protocol)
      ? `;escaping=${config.nameEscaping}`
      : '';
    parts.push(`${MEDIA_TYPES[protocol]}${escaping};q=0.${weight--}`);
  }
  return [...parts, `*/*;q=0.${weight}`].join(',');
}

/** The format of an answer. Throws TytoError `bad_data` when it is none that can be read. */
export function expositionFormat(
  contentType: string,
  fallback: ScrapeProtocol | undefined,
): ScrapeFormat {
  const mediaType = contentType.split(';', 1)[0].trim().toLowerCase();
  if (mediaType === 'application/openmetrics-text') return 'openmetrics';
  if (mediaType === 'text/plain') return 'text';
  if (mediaType === PROTOBUF && isDelimited(contentType)) return 'protobuf';
  if (fallback === 'PrometheusProto') return 'protobuf';
  if (fallback !== undefined) {
    return fallback.startsWith('OpenMetrics') ? 'openmetrics' : 'text';
  }
  const what =
    mediaType === ''
      ? 'non-compliant scrape target sending blank Content-Type'
      : `received unsupported Content-Type ${JSON.stringify(contentType)}`;
  const message = `${what} and no fallback_scrape_protocol specified for target`;
  throw new TytoError('bad_data', message);
}

const PROTOBUF = 'application/vnd.google.protobuf';

/** Whether a protobuf type is the one that is asked for; what it leaves out counts as such. */
function isDelimited(contentType: string): boolean {
  for (const parameter of contentType.split(';').slice(1)) {
    const [name, value = ''] = parameter.split('=').map((part) => part.trim().toLowerCase());
    const plain = value.replace(/^"(.*)"$/, '$1');
    if (name === 'encoding' && plain !== 'delimited') return false;
    if (name === 'proto' && plain !== 'io.prometheus.client.metricfamily') return false;
  }
  return true;
}
