/**
 * Slack: one message with an attachment, over an incoming webhook or as an app with
 * chat.postMessage. An app may update the message as the group changes.
 */
import { yaml } from '@tyto/base';
import type { GlobalConfig } from '../globalConfig.ts';
import type { Answer } from '../http/exchange.ts';
import { DEFAULT_HTTP } from '../http/httpConfig.ts';
import { filePath, readSecret, refuseBoth, type Secret, secretOf } from '../http/secret.ts';
import { type NotifyData, NotifyError } from '../notification.ts';
import {
  httpFields,
  checkUrl,
  type Message,
  type ReceiverKind,
  template,
  text,
  timeout,
  webUrl,
  withoutEmpty,
} from '../receiverKind.ts';

/** Slack cuts longer titles itself, in the middle of what they say. */
const TITLE_RUNES_MAX = 1024;
const POST_MESSAGE = /\/chat\.postMessage$/;
/** What Slack answers where the message to be updated is gone: another one is posted then. */
const GONE = ['message_not_found', 'cant_update_message', 'edit_window_closed'];
/** What the documentation of many a setup has in the place of the address. */
const PLACEHOLDER = 'YOUR_SLACK_WEBHOOK';

const needs = (name: string, what: string) =>
  yaml.checked(yaml.string, (value, node, decoder) => {
    if (value === '') decoder.error(node, `missing ${name} in Slack ${what} configuration`);
  });

const field = yaml.object(
  {
    title: yaml.required(needs('title', 'field')),
    value: yaml.required(needs('value', 'field')),
    short: yaml.optional(yaml.boolean),
  },
  { name: 'slack field' },
);

const confirmation = yaml.object(
  {
    text: yaml.required(needs('text', 'confirmation')),
    title: text,
    ok_text: text,
    dismiss_text: text,
  },
  { name: 'slack confirmation' },
);

const action = yaml.checked(
  yaml.object(
    {
      type: yaml.required(needs('type', 'action')),
      text: yaml.required(needs('text', 'action')),
      url: text,
      style: text,
      name: text,
      value: text,
      confirm: yaml.optional(confirmation),
    },
    { name: 'slack action' },
  ),
  ({ url, name }, node, decoder) => {
    if (url === '' && name === '') {
      decoder.error(node, 'missing name or url in Slack action configuration');
    }
  },
);

const apiUrl: yaml.Schema<string> = (node, decoder) => {
  const url = yaml.string(node, decoder);
  if (url === PLACEHOLDER) {
    const message = 'api_url is a placeholder: nothing is delivered until it is a Slack webhook';
    decoder.warn(node, message);
  } else if (url !== '') checkUrl(url, node, decoder);
  return url;
};

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(false),
      api_url: yaml.optional(apiUrl, ''),
      api_url_file: yaml.optional(filePath, ''),
      app_token: text,
      app_token_file: yaml.optional(filePath, ''),
      app_url: yaml.optional(webUrl, ''),
      channel: text,
      username: template('slack.default.username'),
      color: template('slack.default.color'),
      title: template('slack.default.title'),
      title_link: template('slack.default.titlelink'),
      pretext: template('slack.default.pretext'),
      text: template('slack.default.text'),
      message_text: text,
      fallback: template('slack.default.fallback'),
      callback_id: template('slack.default.callbackid'),
      icon_emoji: template('slack.default.iconemoji'),
      icon_url: template('slack.default.iconurl'),
      image_url: text,
      thumb_url: text,
      footer: template('slack.default.footer'),
      link_names: yaml.optional(yaml.boolean, false),
      short_fields: yaml.optional(yaml.boolean, false),
      mrkdwn_in: yaml.optional(yaml.list(yaml.string), (): string[] => []),
      fields: yaml.optional(yaml.list(field), () => []),
      actions: yaml.optional(yaml.list(action), () => []),
      update_message: yaml.optional(yaml.boolean, false),
      timeout,
    },
    { name: 'slack_config' },
  ),
  (config, node, decoder) => {
    const pairs = [
      ['api_url', 'api_url_file'],
      ['app_token', 'app_token_file'],
    ] as const;
    refuseBoth(config, pairs, node, decoder);
    const hasUrl = config.api_url !== '' || config.api_url_file !== '';
    const hasToken = config.app_token !== '' || config.app_token_file !== '';
    if (hasUrl && hasToken) {
      const message =
        'at most one of api_url/api_url_file & app_token/app_token_file must be configured';
      decoder.error(node, message);
    }
  },
);

type Config = ReturnType<typeof schema>;

/** Where and as whom a message is posted. */
interface Access {
  readonly url: Secret;
  readonly token: Secret | undefined;
}

export const slack: ReceiverKind<Config> = {
  name: 'slack',
  schema,
  lacks(config, global) {
    const access = accessOf(config, global);
    if (access === undefined) {
      return 'no Slack API URL nor App token set either inline or in a file';
    }
    const http = config.http_config ?? global.http_config;
    if (access.token !== undefined) {
      if (http?.authorization === undefined) return undefined;
      return "http authorization can't be set when using Slack App tokens";
    }
    const url = 'value' in access.url ? access.url.value : '';
    if (!config.update_message || POST_MESSAGE.test(url)) return undefined;
    return (
      'update_message can only be used with bot tokens. ' +
      'api_url must be set to https://slack.com/api/chat.postMessage'
    );
  },
  notifier(config, global, tools) {
    const http = config.http_config ?? global.http_config ?? DEFAULT_HTTP;
    const access = accessOf(config, global) ?? { url: { value: '' }, token: undefined };
    const token = access.token;
    const authorization = token && { type: 'Bearer', credentials: token };
    const sender = tools.sender(authorization === undefined ? http : { ...http, authorization });
    return async (message) => {
      const url = await readSecret(access.url);
      const body = bodyOf(config, message);
      const { threadTs: ts, channelId } = message.notification.data;
      const isUpdate = config.update_message && ts !== undefined && channelId !== undefined;
      const call = { ...message.call(config.timeout), url };
      if (isUpdate) {
        const update = { ...call, url: url.replace(POST_MESSAGE, '/chat.update') };
        const answer = await sender.postJson(update, { ...body, ts, channel: channelId });
        const error = errorOf(answer);
        if (error === undefined) return dataOf(answer) ?? message.notification.data;
        if (!GONE.includes(error.message)) throw refusal(error, channelId);
      }
      const answer = await sender.postJson(call, body);
      const error = errorOf(answer);
      if (error !== undefined) throw refusal(error, String(body.channel ?? ''));
      return config.update_message ? dataOf(answer) : undefined;
    };
  },
};

/** A receiver's own address or token comes before what all share; a token before an address. */
function accessOf(config: Config, global: GlobalConfig): Access | undefined {
  const ownUrl = secretOf(config.api_url, config.api_url_file);
  const hasOwnWay = ownUrl !== undefined || config.http_config?.authorization !== undefined;
  const token =
    secretOf(config.app_token, config.app_token_file) ??
    (hasOwnWay ? undefined : secretOf(global.slack_app_token, global.slack_app_token_file));
  if (token !== undefined) {
    return { url: { value: config.app_url || global.slack_app_url }, token };
  }
  const url = ownUrl ?? secretOf(global.slack_api_url, global.slack_api_url_file);
  return url === undefined ? undefined : { url, token: undefined };
}

function bodyOf(config: Config, message: Message): Record<string, unknown> {
  const expand = (one: string) => message.text(one);
  const marked = config.mrkdwn_in.length > 0 ? config.mrkdwn_in : ['fallback', 'pretext', 'text'];
  const attachment = {
    text: expand(config.text),
    fallback: expand(config.fallback),
    callback_id: expand(config.callback_id),
    footer: expand(config.footer),
    ...withoutEmpty({
      title: message.cut(config.title, TITLE_RUNES_MAX, 'title'),
      title_link: expand(config.title_link),
      pretext: expand(config.pretext),
      image_url: expand(config.image_url),
      thumb_url: expand(config.thumb_url),
      color: expand(config.color),
      mrkdwn_in: marked,
      fields: config.fields.map((one) => ({
        title: expand(one.title),
        value: expand(one.value),
        short: one.short ?? config.short_fields,
      })),
      actions: config.actions.map((one) => actionJson(one, expand)),
    }),
  };
  return {
    ...withoutEmpty({
      channel: expand(config.channel),
      username: expand(config.username),
      icon_emoji: expand(config.icon_emoji),
      icon_url: expand(config.icon_url),
      link_names: config.link_names,
      text: expand(config.message_text),
    }),
    attachments: [attachment],
  };
}

/** A button with an address has nothing that a click would send to an app. */
function actionJson(one: Config['actions'][number], expand: (text: string) => string): unknown {
  const { confirm } = one;
  const shown = { type: expand(one.type), text: expand(one.text), style: expand(one.style) };
  if (one.url !== '') return withoutEmpty({ ...shown, url: expand(one.url) });
  return withoutEmpty({
    ...shown,
    name: expand(one.name),
    value: expand(one.value),
    confirm:
      confirm &&
      withoutEmpty({
        text: expand(confirm.text),
        title: expand(confirm.title),
        ok_text: expand(confirm.ok_text),
        dismiss_text: expand(confirm.dismiss_text),
      }),
  });
}

interface Refusal {
  readonly message: string;
  readonly retry: boolean;
}

/** An app is answered 200 with {"ok": false}; a webhook is answered "ok". */
function errorOf({ contentType, text: body }: Answer): Refusal | undefined {
  if (!contentType.startsWith('application/json')) {
    return body === 'ok' ? undefined : { message: body.slice(0, 200), retry: false };
  }
  const answer = parsed(body);
  if (answer === undefined) return { message: 'the answer is no JSON', retry: true };
  if (answer.ok === true) return undefined;
  const { error } = answer;
  return { message: typeof error === 'string' ? error.slice(0, 200) : '', retry: false };
}

function refusal({ message, retry }: Refusal, channel: string): NotifyError {
  return new NotifyError(`channel "${channel}": error response from Slack: ${message}`, retry);
}

/** By what the message is updated the next time. */
function dataOf({ text: body }: Answer): NotifyData | undefined {
  const { ts, channel } = parsed(body) ?? {};
  if (typeof ts !== 'string' || typeof channel !== 'string') return undefined;
  return ts === '' || channel === '' ? undefined : { threadTs: ts, channelId: channel };
}

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
