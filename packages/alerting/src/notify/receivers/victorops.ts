/** VictorOps, now Splunk On-Call: its REST endpoint. */
import { yaml } from '@tyto/base';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import {
  below,
  httpFields,
  type Message,
  type ReceiverKind,
  template,
  text,
  webUrl,
} from '../receiverKind.ts';

const STATE_MESSAGE_RUNES_MAX = 20_480;
const MESSAGE_TYPES = ['INFO', 'WARNING', 'CRITICAL'];
const RESERVED = [
  'routing_key',
  'message_type',
  'state_message',
  'entity_display_name',
  'monitoring_tool',
  'entity_id',
  'entity_state',
];

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      api_key: text,
      api_key_file: yaml.optional(filePath, ''),
      api_url: yaml.optional(webUrl, ''),
      routing_key: text,
      message_type: yaml.optional(yaml.string, 'CRITICAL'),
      state_message: template('victorops.default.state_message'),
      entity_display_name: template('victorops.default.entity_display_name'),
      monitoring_tool: template('victorops.default.monitoring_tool'),
      custom_fields: yaml.optional(yaml.record(yaml.string), (): Record<string, string> => ({})),
    },
    { name: 'victorops_config' },
  ),
  (config, node, decoder) => {
    if (config.routing_key === '') {
      decoder.error(node, 'missing Routing key in VictorOps config');
    }
    refuseBoth(config, [['api_key', 'api_key_file']], node, decoder);
    for (const name of RESERVED.filter((one) => one in config.custom_fields)) {
      const message =
        `victorOps config contains custom field ${name} which cannot be used ` +
        'as it conflicts with the fixed/static fields';
      decoder.error(yaml.childNode(node, 'custom_fields'), message);
    }
  },
);

type Config = ReturnType<typeof schema>;

export const victorops: ReceiverKind<Config> = {
  name: 'victorops',
  schema,
  lacks(config, global) {
    const given = [config.api_key, config.api_key_file];
    const shared = [global.victorops_api_key, global.victorops_api_key_file];
    if ([...given, ...shared].some((key) => key !== '')) return undefined;
    return 'no global VictorOps API Key set';
  },
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const base = config.api_url || global.victorops_api_url;
    const key = secretOf(config.api_key, config.api_key_file) ??
      secretOf(global.victorops_api_key, global.victorops_api_key_file) ?? { value: '' };
    return async (message) => {
      const path = `${await readSecret(key)}/${message.text(config.routing_key)}`;
      const url = below(base, path.split('/').map(encodeURIComponent).join('/'));
      await sender.postJson({ ...message.call(), url }, bodyOf(config, message));
      return undefined;
    };
  },
};

function bodyOf(config: Config, message: Message): Record<string, string> {
  const type = message.text(config.message_type);
  const firing = MESSAGE_TYPES.includes(type) ? type : 'CRITICAL';
  const stateMessage = message.cut(config.state_message, STATE_MESSAGE_RUNES_MAX, 'state_message');
  const body: Record<string, string> = {
    message_type: message.status === 'resolved' ? 'RECOVERY' : firing,
    entity_id: message.keyHash,
    entity_display_name: message.text(config.entity_display_name),
    state_message: stateMessage,
    monitoring_tool: message.text(config.monitoring_tool),
  };
  for (const [name, value] of Object.entries(config.custom_fields)) {
    body[name] = message.text(value);
  }
  return body;
}
