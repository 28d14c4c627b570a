/** Microsoft Teams: cards of connectors (`msteams`), adaptive cards of workflows (`msteamsv2`). */
import { yaml } from '@tyto/base';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import { httpFields, type ReceiverKind, template, webUrl } from '../receiverKind.ts';

const CARD_COLORS = { firing: '8C1A1A', resolved: '2DC72D' };
const ADAPTIVE_COLORS = { firing: 'Attention', resolved: 'Good' };

const addressFields = {
  ...httpFields(true),
  webhook_url: yaml.optional(webUrl, ''),
  webhook_url_file: yaml.optional(filePath, ''),
};

function checkAddress(
  config: { readonly webhook_url: string; readonly webhook_url_file: string },
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  if (config.webhook_url === '' && config.webhook_url_file === '') {
    decoder.error(node, 'one of webhook_url or webhook_url_file must be configured');
  }
  refuseBoth(config, [['webhook_url', 'webhook_url_file']], node, decoder);
}

const schema = yaml.checked(
  yaml.object(
    {
      ...addressFields,
      title: template('msteams.default.title'),
      summary: template('msteams.default.summary'),
      text: template('msteams.default.text'),
    },
    { name: 'msteams_config' },
  ),
  checkAddress,
);

export const msteams: ReceiverKind<ReturnType<typeof schema>> = {
  name: 'msteams',
  schema,
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const address = secretOf(config.webhook_url, config.webhook_url_file) ?? { value: '' };
    return async (message) => {
      const card = {
        '@context': 'http://schema.org/extensions',
        type: 'MessageCard',
        title: message.text(config.title),
        summary: message.text(config.summary),
        text: message.text(config.text),
        themeColor: CARD_COLORS[message.status],
      };
      await sender.postJson({ ...message.call(), url: await readSecret(address) }, card);
      return undefined;
    };
  },
};

const schemaV2 = yaml.checked(
  yaml.object(
    {
      ...addressFields,
      title: template('msteamsv2.default.title'),
      text: template('msteamsv2.default.text'),
    },
    { name: 'msteamsv2_config' },
  ),
  checkAddress,
);

export const msteamsv2: ReceiverKind<ReturnType<typeof schemaV2>> = {
  name: 'msteamsv2',
  schema: schemaV2,
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const address = secretOf(config.webhook_url, config.webhook_url_file) ?? { value: '' };
    return async (message) => {
      const body = adaptiveCard(
        message.text(config.title),
        message.text(config.text),
        ADAPTIVE_COLORS[message.status],
      );
      await sender.postJson({ ...message.call(), url: await readSecret(address) }, body);
      return undefined;
    };
  },
};

function adaptiveCard(title: string, text: string, color: string): unknown {
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.2',
    body: [
      {
        type: 'TextBlock',
        text: title,
        weight: 'Bolder',
        size: 'Medium',
        wrap: true,
        style: 'heading',
        color,
      },
      { type: 'TextBlock', text, wrap: true },
    ],
    msteams: { width: 'full' },
  };
  const contentType = 'application/vnd.microsoft.card.adaptive';
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content }] };
}
