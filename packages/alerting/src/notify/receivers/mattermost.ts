/** Mattermost: an incoming webhook, with attachments as Slack's. */
import { yaml } from '@tyto/base';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import {
  httpFields,
  type Message,
  type ReceiverKind,
  template,
  text,
  webUrl,
  withoutEmpty,
} from '../receiverKind.ts';

const TEXT_RUNES_MAX = 16_383;
const PRIORITIES = ['urgent', 'important', 'standard'];

const needs = (name: string) =>
  yaml.checked(yaml.string, (value, node, decoder) => {
    if (value === '') decoder.error(node, `missing ${name} in Mattermost field configuration`);
  });

const field = yaml.object(
  {
    title: yaml.required(needs('title')),
    value: yaml.required(needs('value')),
    short: yaml.optional(yaml.boolean),
  },
  { name: 'mattermost field' },
);

/** What an attachment and the configuration itself have. */
const attachmentFields = {
  pretext: text,
  author_name: text,
  author_link: text,
  author_icon: text,
  fields: yaml.optional(yaml.list(field), () => []),
  thumb_url: text,
  footer: text,
  footer_icon: text,
  image_url: text,
};

const attachment = yaml.object(
  { ...attachmentFields, fallback: text, color: text, text, title: text, title_link: text },
  { name: 'mattermost attachment' },
);

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      ...attachmentFields,
      webhook_url: yaml.optional(webUrl, ''),
      webhook_url_file: yaml.optional(filePath, ''),
      channel: text,
      username: template('mattermost.default.username'),
      icon_url: text,
      icon_emoji: text,
      fallback: template('mattermost.default.fallback'),
      color: template('mattermost.default.color'),
      title: template('mattermost.default.title'),
      title_link: template('mattermost.default.titlelink'),
      text: template('mattermost.default.text'),
      attachments: yaml.optional(yaml.list(attachment), () => []),
      type: text,
      props: yaml.optional(yaml.object({ card: text }, { name: 'mattermost props' })),
      priority: yaml.optional(
        yaml.object(
          {
            priority: text,
            requested_ack: yaml.optional(yaml.boolean, false),
            persistent_notifications: yaml.optional(yaml.boolean, false),
          },
          { name: 'mattermost priority' },
        ),
      ),
    },
    { name: 'mattermost_config' },
  ),
  (config, node, decoder) =>
    refuseBoth(config, [['webhook_url', 'webhook_url_file']], node, decoder),
);

type Config = ReturnType<typeof schema>;

export const mattermost: ReceiverKind<Config> = {
  name: 'mattermost',
  schema,
  lacks(config, global) {
    const given = [config.webhook_url, config.webhook_url_file];
    const shared = [global.mattermost_webhook_url, global.mattermost_webhook_url_file];
    if ([...given, ...shared].some((url) => url !== '')) return undefined;
    return 'missing webhook_url or webhook_url_file on mattermost_config';
  },
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const address = secretOf(config.webhook_url, config.webhook_url_file) ??
      secretOf(global.mattermost_webhook_url, global.mattermost_webhook_url_file) ?? { value: '' };
    return async (message) => {
      const url = await readSecret(address);
      await sender.postJson({ ...message.call(), url }, bodyOf(config, message));
      return undefined;
    };
  },
};

function bodyOf(config: Config, message: Message): Record<string, unknown> {
  const expand = (one: string) => message.text(one);
  const attachments = config.attachments.length > 0 ? config.attachments : [config];
  const card = expand(config.props?.card ?? '');
  return {
    ...withoutEmpty({
      channel: expand(config.channel),
      username: expand(config.username),
      icon_url: expand(config.icon_url),
      icon_emoji: expand(config.icon_emoji),
      type: expand(config.type),
    }),
    attachments: attachments.map((one) => attachmentJson(one, message)),
    ...(card === '' ? {} : { props: { card } }),
    ...priorityOf(config, expand),
  };
}

function attachmentJson(
  one: ReturnType<typeof attachment>,
  message: Message,
): Record<string, unknown> {
  const expand = (given: string) => message.text(given);
  return withoutEmpty({
    fallback: expand(one.fallback),
    color: expand(one.color),
    pretext: expand(one.pretext),
    text: message.cut(one.text, TEXT_RUNES_MAX, 'text'),
    author_name: expand(one.author_name),
    author_link: expand(one.author_link),
    author_icon: expand(one.author_icon),
    title: expand(one.title),
    title_link: expand(one.title_link),
    fields: one.fields.map(({ title, value, short }) => ({
      title: expand(title),
      value: expand(value),
      ...(short === undefined ? {} : { short }),
    })),
    thumb_url: expand(one.thumb_url),
    footer: expand(one.footer),
    footer_icon: expand(one.footer_icon),
    image_url: expand(one.image_url),
  });
}

/** What Mattermost would refuse is left away: an acknowledgement of what is not important. */
function priorityOf(config: Config, expand: (text: string) => string): Record<string, unknown> {
  const { priority: given } = config;
  if (given === undefined || given.priority === '') return {};
  const wanted = expand(given.priority).toLowerCase();
  const priority = PRIORITIES.includes(wanted) ? wanted : 'standard';
  const flags = withoutEmpty({
    requested_ack: given.requested_ack && priority !== 'standard',
    persistent_notifications: given.persistent_notifications && priority === 'urgent',
  });
  return { priority: { priority, ...flags } };
}
