/** Rocket.Chat: chat.postMessage of its REST API. */
import { yaml } from '@tyto/base';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import { NotifyError } from '../notification.ts';
import {
  below,
  httpFields,
  type Message,
  type ReceiverKind,
  template,
  text,
  webUrl,
  withoutEmpty,
} from '../receiverKind.ts';

const TITLE_RUNES_MAX = 1024;

const field = yaml.object(
  { title: text, value: text, short: yaml.optional(yaml.boolean) },
  { name: 'rocketchat field' },
);
const action = yaml.object(
  { type: text, text, url: text, msg: text },
  { name: 'rocketchat action' },
);

const schema = yaml.checked(
  yaml.object(
    {
      // As in Alertmanager; its documentation says that it is true.
      ...httpFields(false),
      api_url: yaml.optional(webUrl, ''),
      token: text,
      token_file: yaml.optional(filePath, ''),
      token_id: text,
      token_id_file: yaml.optional(filePath, ''),
      channel: text,
      color: yaml.optional(yaml.string, '{{ if eq .Status "firing" }}red{{ else }}green{{ end }}'),
      title: template('rocketchat.default.title'),
      title_link: template('rocketchat.default.titlelink'),
      text: template('rocketchat.default.text'),
      emoji: template('rocketchat.default.emoji'),
      icon_url: template('rocketchat.default.iconurl'),
      fields: yaml.optional(yaml.list(field), () => []),
      short_fields: yaml.optional(yaml.boolean, false),
      image_url: text,
      thumb_url: text,
      link_names: yaml.optional(yaml.boolean, false),
      actions: yaml.optional(yaml.list(action), () => []),
    },
    { name: 'rocketchat_config' },
  ),
  (config, node, decoder) => {
    const pairs = [
      ['token', 'token_file'],
      ['token_id', 'token_id_file'],
    ] as const;
    refuseBoth(config, pairs, node, decoder);
  },
);

type Config = ReturnType<typeof schema>;

export const rocketchat: ReceiverKind<Config> = {
  name: 'rocketchat',
  schema,
  lacks(config, global) {
    const ids = [config.token_id, config.token_id_file];
    const sharedIds = [global.rocketchat_token_id, global.rocketchat_token_id_file];
    const tokens = [config.token, config.token_file];
    const sharedTokens = [global.rocketchat_token, global.rocketchat_token_file];
    if ([...tokens, ...sharedTokens].every((token) => token === '')) {
      return 'no global Rocketchat Token set either inline or in a file';
    }
    if ([...ids, ...sharedIds].some((id) => id !== '')) return undefined;
    return 'no global Rocketchat TokenID set either inline or in a file';
  },
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const url = below(config.api_url || global.rocketchat_api_url, 'api/v1/chat.postMessage');
    const token = secretOf(config.token, config.token_file) ??
      secretOf(global.rocketchat_token, global.rocketchat_token_file) ?? { value: '' };
    const id = secretOf(config.token_id, config.token_id_file) ??
      secretOf(global.rocketchat_token_id, global.rocketchat_token_id_file) ?? { value: '' };
    return async (message) => {
      const headers = {
        'x-auth-token': await readSecret(token),
        'x-user-id': await readSecret(id),
      };
      const body = bodyOf(config, message);
      const { text: answer } = await sender.postJson({ ...message.call(), url, headers }, body);
      checkAnswer(answer, String(body.channel ?? ''));
      return undefined;
    };
  },
};

function bodyOf(config: Config, message: Message): Record<string, unknown> {
  const expand = (one: string) => message.text(one);
  const attachment = withoutEmpty({
    title: message.cut(config.title, TITLE_RUNES_MAX, 'title'),
    title_link: expand(config.title_link),
    text: expand(config.text),
    image_url: expand(config.image_url),
    thumb_url: expand(config.thumb_url),
    color: expand(config.color),
    fields: config.fields.map((one) => ({
      short: one.short ?? config.short_fields,
      ...withoutEmpty({ title: expand(one.title), value: expand(one.value) }),
    })),
    actions: config.actions.map((one) => ({
      ...withoutEmpty({
        type: 'button',
        text: expand(one.text),
        url: expand(one.url),
        msg: expand(one.msg),
      }),
      is_webview: false,
      msg_in_chat_window: false,
    })),
  });
  return {
    ...withoutEmpty({
      channel: expand(config.channel),
      emoji: expand(config.emoji),
      avatar: expand(config.icon_url),
    }),
    attachments: [attachment],
  };
}

/** It may answer 200 with an error. */
function checkAnswer(answer: string, channel: string): void {
  let parsed: { success?: unknown; error?: unknown } | null;
  try {
    parsed = JSON.parse(answer) as typeof parsed;
  } catch (error) {
    throw new NotifyError(`channel "${channel}": the answer is no JSON`, true, error);
  }
  if (parsed?.success === true) return;
  const shown = typeof parsed?.error === 'string' ? parsed.error.slice(0, 200) : '';
  throw new NotifyError(`channel "${channel}": error response from Rocketchat: ${shown}`, false);
}
