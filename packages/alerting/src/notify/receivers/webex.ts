/** Webex: a message in Markdown to a room; the bot's token is in `http_config`. */
import { yaml } from '@tyto/base';
import { httpFields, type ReceiverKind, template, text, webUrl } from '../receiverKind.ts';
import { truncateBytes } from '../truncate.ts';

const MESSAGE_BYTES_MAX = 7439;

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      api_url: yaml.optional(webUrl, ''),
      room_id: text,
      message: template('webex.default.message'),
    },
    { name: 'webex_config' },
  ),
  (config, node, decoder) => {
    if (config.room_id === '') decoder.error(node, 'missing room_id on webex_config');
    if (config.http_config?.authorization === undefined) {
      decoder.error(node, 'missing webex_configs.http_config.authorization');
    }
  },
);

export const webex: ReceiverKind<ReturnType<typeof schema>> = {
  name: 'webex',
  schema,
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const url = config.api_url || global.webex_api_url;
    return async (message) => {
      const markdown = truncateBytes(message.text(config.message), MESSAGE_BYTES_MAX);
      const roomId = message.text(config.room_id);
      const body = { markdown, ...(roomId === '' ? {} : { roomId }) };
      await sender.postJson({ ...message.call(), url }, body);
      return undefined;
    };
  },
};
