/** Alertmanager's webhook: version 4 of its JSON, or a payload that the configuration writes. */
import { yaml } from '@tyto/base';
import { expandDeep } from '../deepTemplate.ts';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import { httpFields, plainValue, type ReceiverKind, timeout, webUrl } from '../receiverKind.ts';
import { groupJson } from '../templateData.ts';

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      url: yaml.optional(webUrl, ''),
      url_file: yaml.optional(filePath, ''),
      max_alerts: yaml.optional(yaml.integer(0), 0),
      timeout,
      payload: yaml.optional(plainValue),
    },
    { name: 'webhook_config' },
  ),
  (webhook, node, decoder) => {
    if (webhook.url === '' && webhook.url_file === '') {
      decoder.error(node, 'one of url or url_file must be configured');
    }
    refuseBoth(webhook, [['url', 'url_file']], node, decoder);
  },
);

export const webhook: ReceiverKind<ReturnType<typeof schema>> = {
  name: 'webhook',
  schema,
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const address = secretOf(config.url, config.url_file) ?? { value: '' };
    return async (message) => {
      const url = message.text(await readSecret(address));
      const { payload } = config;
      const body =
        payload === undefined
          ? groupJson(message.notification, '4', config.max_alerts)
          : JSON.stringify(expandDeep(payload, (template) => message.text(template)));
      await sender.postText({ ...message.call(config.timeout), url, body });
      return undefined;
    };
  },
};
