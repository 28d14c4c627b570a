/** Discord: a webhook that takes an embed. */
import { yaml } from '@tyto/base';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import { httpFields, type ReceiverKind, template, text, webUrl } from '../receiverKind.ts';

const TITLE_RUNES_MAX = 256;
const DESCRIPTION_RUNES_MAX = 4096;
const CONTENT_RUNES_MAX = 2000;
const COLORS = { firing: 0x992d22, resolved: 0x2ecc71 };

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      webhook_url: yaml.optional(webUrl, ''),
      webhook_url_file: yaml.optional(filePath, ''),
      title: template('discord.default.title'),
      message: template('discord.default.message'),
      content: template('discord.default.content'),
      username: text,
      avatar_url: text,
    },
    { name: 'discord_config' },
  ),
  (config, node, decoder) => {
    if (config.webhook_url === '' && config.webhook_url_file === '') {
      decoder.error(node, 'one of webhook_url or webhook_url_file must be configured');
    }
    refuseBoth(config, [['webhook_url', 'webhook_url_file']], node, decoder);
  },
);

export const discord: ReceiverKind<ReturnType<typeof schema>> = {
  name: 'discord',
  schema,
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const address = secretOf(config.webhook_url, config.webhook_url_file) ?? { value: '' };
    return async (message) => {
      const embed = {
        title: message.cut(config.title, TITLE_RUNES_MAX, 'title'),
        description: message.cut(config.message, DESCRIPTION_RUNES_MAX, 'message'),
        color: COLORS[message.status],
      };
      const body = {
        content: message.cut(config.content, CONTENT_RUNES_MAX, 'content'),
        embeds: [embed],
        ...(config.username === '' ? {} : { username: config.username }),
        ...(config.avatar_url === '' ? {} : { avatar_url: config.avatar_url }),
      };
      await sender.postJson({ ...message.call(), url: await readSecret(address) }, body);
      return undefined;
    };
  },
};
