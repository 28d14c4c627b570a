/** PagerDuty: Events API v2 with a routing key, v1 with a service key. */
import { yaml } from '@tyto/base';
import { expandDeep } from '../deepTemplate.ts';
import type { Answer } from '../http/exchange.ts';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import { NotifyError } from '../notification.ts';
import {
  httpFields,
  type Message,
  plainValue,
  type ReceiverKind,
  template,
  text,
  timeout,
  webUrl,
  withoutEmpty,
} from '../receiverKind.ts';

const EVENT_BYTES_MAX = 512_000;
const SUMMARY_RUNES_MAX = 1024;
const V1_URL = 'https://events.pagerduty.com/generic/2010-04-15/create_event.json';

const DEFAULT_DETAILS: Readonly<Record<string, string>> = {
  firing: '{{ .Alerts.Firing | toJson }}',
  resolved: '{{ .Alerts.Resolved | toJson }}',
  num_firing: '{{ .Alerts.Firing | len }}',
  num_resolved: '{{ .Alerts.Resolved | len }}',
};

const image = yaml.object({ src: text, alt: text, href: text }, { name: 'pagerduty image' });
const link = yaml.object({ href: text, text }, { name: 'pagerduty link' });

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      service_key: text,
      service_key_file: yaml.optional(filePath, ''),
      routing_key: text,
      routing_key_file: yaml.optional(filePath, ''),
      url: yaml.optional(webUrl, ''),
      client: template('pagerduty.default.client'),
      client_url: template('pagerduty.default.clientURL'),
      description: template('pagerduty.default.description'),
      details: yaml.optional(yaml.record(plainValue), (): Record<string, unknown> => ({})),
      images: yaml.optional(yaml.list(image), () => []),
      links: yaml.optional(yaml.list(link), () => []),
      source: text,
      severity: text,
      class: text,
      component: text,
      group: text,
      timeout,
    },
    { name: 'pagerduty_config' },
  ),
  (config, node, decoder) => {
    const keys = [
      config.routing_key,
      config.service_key,
      config.routing_key_file,
      config.service_key_file,
    ];
    if (keys.every((key) => key === '')) {
      decoder.error(node, 'missing service or routing key in PagerDuty config');
    }
    const pairs = [
      ['routing_key', 'routing_key_file'],
      ['service_key', 'service_key_file'],
    ] as const;
    refuseBoth(config, pairs, node, decoder);
  },
);

type Config = ReturnType<typeof schema>;

export const pagerduty: ReceiverKind<Config> = {
  name: 'pagerduty',
  schema,
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const serviceKey = secretOf(config.service_key, config.service_key_file);
    const routingKey = secretOf(config.routing_key, config.routing_key_file) ?? { value: '' };
    return async (message) => {
      const action = message.status === 'resolved' ? 'resolve' : 'trigger';
      const isFirst = serviceKey !== undefined;
      const key = message.text(await readSecret(serviceKey ?? routingKey));
      if (key === '') {
        throw new NotifyError(`${isFirst ? 'service' : 'routing'} key cannot be empty`, false);
      }
      const event = isFirst
        ? eventV1(config, message, key, action)
        : eventV2(config, message, key, action);
      const url = isFirst ? urlV1(config.url) : config.url || global.pagerduty_url;
      const call = { ...message.call(config.timeout), url };
      // A 403 of the first API, and a 429 of the second, say that there is too much just now.
      const retryCodes = [isFirst ? 403 : 429];
      await sender.postJson(call, event, { retryCodes, details });
      return undefined;
    };
  },
};

/** The first API has one address; another one is for proxies that stand before it. */
function urlV1(url: string): string {
  return url === '' || url.endsWith('/v2/enqueue') ? V1_URL : url;
}

function eventV1(config: Config, message: Message, key: string, action: string): unknown {
  const trigger = action === 'trigger';
  const event = (details: unknown) => ({
    ...withoutEmpty({
      service_key: key,
      incident_key: message.keyHash,
      event_type: action,
      description: message.cut(config.description, SUMMARY_RUNES_MAX, 'description'),
      client: trigger ? message.text(config.client) : '',
      client_url: trigger ? message.text(config.client_url) : '',
      details,
    }),
    event_action: '',
    payload: null,
  });
  return within(event, detailsOf(config, message), message);
}

function eventV2(config: Config, message: Message, key: string, action: string): unknown {
  const expand = (template: string) => message.text(template);
  const images = config.images.map(({ src, alt, href }) => ({
    src: expand(src),
    alt: expand(alt),
    href: expand(href),
  }));
  const links = config.links.map((one) => ({ href: expand(one.href), text: expand(one.text) }));
  const fields = withoutEmpty({
    routing_key: key,
    dedup_key: message.keyHash,
    client: expand(config.client),
    client_url: expand(config.client_url),
    images: images.filter(({ src }) => src !== ''),
    links: links.filter(({ href }) => href !== ''),
  });
  const payload = {
    summary: message.cut(config.description, SUMMARY_RUNES_MAX, 'description'),
    source: expand(config.source || config.client),
    severity: expand(config.severity || 'error'),
    ...withoutEmpty({
      class: expand(config.class),
      component: expand(config.component),
      group: expand(config.group),
    }),
  };
  const event = (custom_details: unknown) => ({
    ...fields,
    event_action: action,
    payload: { ...payload, custom_details },
  });
  return within(event, detailsOf(config, message), message);
}

function detailsOf(config: Config, message: Message): unknown {
  const written = { ...DEFAULT_DETAILS, ...config.details };
  return expandDeep(written, (template) => message.text(template));
}

/** The event; without its details where it would be larger than PagerDuty takes. */
function within(event: (details: unknown) => unknown, details: unknown, message: Message): unknown {
  const whole = event(details);
  const bytes = Buffer.byteLength(JSON.stringify(whole)) + 1;
  if (bytes <= EVENT_BYTES_MAX) return whole;
  message.logger.warn('the details were left out: the event is too large', { bytes });
  return event({
    error:
      'Custom details have been removed because ' +
      'the original event exceeds the maximum size of 512KB',
  });
}

/** Of a refusal: what is wrong with the event. */
function details({ status, text: body }: Answer): string {
  if (status !== 400) return '';
  try {
    const { message, errors } = JSON.parse(body) as { message?: unknown; errors?: unknown };
    const list = Array.isArray(errors) ? errors.join(',') : '';
    return `${typeof message === 'string' ? message : ''}: ${list}`;
  } catch {
    return '';
  }
}
