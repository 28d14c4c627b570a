/** incident.io: an alert source that takes the webhook's JSON. */
import { yaml } from '@tyto/base';
import type { Answer } from '../http/exchange.ts';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import {
  httpFields,
  type Message,
  type ReceiverKind,
  text,
  timeout,
  webUrl,
} from '../receiverKind.ts';
import { groupJson } from '../templateData.ts';

const PAYLOAD_BYTES_MAX = 512 * 1024;

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      url: yaml.optional(webUrl, ''),
      url_file: yaml.optional(filePath, ''),
      alert_source_token: text,
      alert_source_token_file: yaml.optional(filePath, ''),
      max_alerts: yaml.optional(yaml.integer(0), 0),
      timeout,
    },
    { name: 'incidentio_config' },
  ),
  (config, node, decoder) => {
    if (config.url === '' && config.url_file === '') {
      decoder.error(node, 'one of url or url_file must be configured');
    }
    const pairs = [
      ['url', 'url_file'],
      ['alert_source_token', 'alert_source_token_file'],
    ] as const;
    refuseBoth(config, pairs, node, decoder);
    const hasToken = config.alert_source_token !== '' || config.alert_source_token_file !== '';
    const { http_config: http } = config;
    if (http?.authorization !== undefined && hasToken) {
      const message =
        'cannot specify alert_source_token or alert_source_token_file ' +
        'when using http_config.authorization';
      decoder.error(node, message);
    }
    if (http !== undefined && http.authorization === undefined && !hasToken) {
      const message =
        'at least one of alert_source_token, alert_source_token_file ' +
        'or http_config.authorization must be configured';
      decoder.error(node, message);
    }
  },
);

export const incidentio: ReceiverKind<ReturnType<typeof schema>> = {
  name: 'incidentio',
  schema,
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const address = secretOf(config.url, config.url_file) ?? { value: '' };
    const token = secretOf(config.alert_source_token, config.alert_source_token_file);
    return async (message) => {
      const headers: Record<string, string> =
        token === undefined ? {} : { authorization: `Bearer ${await readSecret(token)}` };
      const url = await readSecret(address);
      const call = { ...message.call(config.timeout), url, headers };
      const body = bodyOf(message, config.max_alerts);
      await sender.postText({ ...call, body }, { retryCodes: [429], details });
      return undefined;
    };
  },
};

/** All but the first alert are left out of what incident.io would not take. */
function bodyOf({ notification, logger }: Message, alertsMax: number): string {
  const body = groupJson(notification, '1', alertsMax);
  const bytes = Buffer.byteLength(body);
  if (bytes < PAYLOAD_BYTES_MAX) return body;
  logger.warn('all alerts but the first were left out: the payload is too large', { bytes });
  return groupJson(notification, '1', alertsMax, 1);
}

function details({ text: body }: Answer): string {
  try {
    const { message, error, errors } = JSON.parse(body) as Record<string, unknown>;
    const list = Array.isArray(errors) && errors.length > 0 ? errors.join(', ') : undefined;
    return [message, error, list].filter((part) => typeof part === 'string').join(': ');
  } catch {
    return '';
  }
}
