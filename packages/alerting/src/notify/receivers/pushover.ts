/** Pushover: one message, whose fields are the parameters of the request. */
import { yaml } from '@tyto/base';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import {
  goDuration,
  httpFields,
  type Message,
  type ReceiverKind,
  template,
  text,
} from '../receiverKind.ts';

const API_URL = 'https://api.pushover.net/1/messages.json';
const TITLE_RUNES_MAX = 250;
const MESSAGE_RUNES_MAX = 1024;
const URL_RUNES_MAX = 512;

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      user_key: text,
      user_key_file: yaml.optional(filePath, ''),
      token: text,
      token_file: yaml.optional(filePath, ''),
      title: template('pushover.default.title'),
      message: template('pushover.default.message'),
      url: template('pushover.default.url'),
      url_title: text,
      device: text,
      sound: text,
      priority: yaml.optional(yaml.string, '{{ if eq .Status "firing" }}2{{ else }}0{{ end }}'),
      retry: yaml.optional(goDuration, 60_000),
      expire: yaml.optional(goDuration, 3600_000),
      ttl: yaml.optional(goDuration, 0),
      html: yaml.optional(yaml.boolean, false),
      monospace: yaml.optional(yaml.boolean, false),
    },
    { name: 'pushover_config' },
  ),
  (config, node, decoder) => {
    for (const name of ['user_key', 'token'] as const) {
      if (config[name] === '' && config[`${name}_file`] === '') {
        decoder.error(node, `one of ${name} or ${name}_file must be configured`);
      }
    }
    const pairs = [
      ['user_key', 'user_key_file'],
      ['token', 'token_file'],
    ] as const;
    refuseBoth(config, pairs, node, decoder);
    if (config.html && config.monospace) {
      decoder.error(node, 'at most one of monospace & html must be configured');
    }
  },
);

type Config = ReturnType<typeof schema>;

export const pushover: ReceiverKind<Config> = {
  name: 'pushover',
  schema,
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const token = secretOf(config.token, config.token_file) ?? { value: '' };
    const user = secretOf(config.user_key, config.user_key_file) ?? { value: '' };
    return async (message) => {
      const body = new URLSearchParams({
        token: message.text(await readSecret(token)),
        user: message.text(await readSecret(user)),
        ...parametersOf(config, message),
      });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      await sender.send({ ...message.call(), url: API_URL, headers, body: body.toString() });
      return undefined;
    };
  },
};

function parametersOf(config: Config, message: Message): Record<string, string> {
  const seconds = (ms: number) => String(Math.floor(ms / 1000));
  const body = config.html ? message.html(config.message) : message.text(config.message);
  const shown = message.cutText(body, MESSAGE_RUNES_MAX, 'message').trim();
  return {
    title: message.cut(config.title, TITLE_RUNES_MAX, 'title'),
    // Pushover refuses empty ones.
    message: shown === '' ? '(no details)' : shown,
    url: message.cut(config.url, URL_RUNES_MAX, 'url'),
    url_title: message.text(config.url_title),
    priority: message.text(config.priority),
    retry: seconds(config.retry),
    expire: seconds(config.expire),
    device: message.text(config.device),
    sound: message.text(config.sound),
    ...(config.html ? { html: '1' } : {}),
    ...(config.monospace ? { monospace: '1' } : {}),
    ...(config.ttl >= 1000 ? { ttl: seconds(config.ttl) } : {}),
  };
}
