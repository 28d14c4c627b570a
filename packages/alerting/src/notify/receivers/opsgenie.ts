/** Opsgenie: an alert is created, updated and closed by its alias. */
import { yaml } from '@tyto/base';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import {
  below,
  commaSeparated,
  httpFields,
  type Message,
  type ReceiverKind,
  template,
  text,
  webUrl,
  withoutEmpty,
} from '../receiverKind.ts';

const MESSAGE_RUNES_MAX = 130;
const TYPES = '^(team|teams|user|escalation|schedule)$';

const responder = yaml.checked(
  yaml.object({ id: text, name: text, username: text, type: text }, { name: 'opsgenie responder' }),
  ({ id, name, username, type }, node, decoder) => {
    const shown = `{${[id, name, username, type].join(' ')}}`;
    if (id === '' && name === '' && username === '') {
      const lack = 'has to have at least one of id, username or name specified';
      decoder.error(node, `opsGenieConfig responder ${shown} ${lack}`);
    }
    if (!type.includes('{{') && !new RegExp(TYPES).test(type.toLowerCase())) {
      const fault = `type does not match valid options ${TYPES}`;
      decoder.error(node, `opsGenieConfig responder ${shown} ${fault}`);
    }
  },
);

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      api_key: text,
      api_key_file: yaml.optional(filePath, ''),
      api_url: yaml.optional(webUrl, ''),
      message: template('opsgenie.default.message'),
      description: template('opsgenie.default.description'),
      source: template('opsgenie.default.source'),
      details: yaml.optional(yaml.record(yaml.string), (): Record<string, string> => ({})),
      entity: text,
      responders: yaml.optional(yaml.list(responder), () => []),
      actions: text,
      tags: text,
      note: text,
      priority: text,
      update_alerts: yaml.optional(yaml.boolean, false),
    },
    { name: 'opsgenie_config' },
  ),
  (config, node, decoder) => refuseBoth(config, [['api_key', 'api_key_file']], node, decoder),
);

type Config = ReturnType<typeof schema>;

interface Request {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly body: unknown;
}

export const opsgenie: ReceiverKind<Config> = {
  name: 'opsgenie',
  schema,
  lacks(config, global) {
    const given = [config.api_key, config.api_key_file];
    const shared = [global.opsgenie_api_key, global.opsgenie_api_key_file];
    if ([...given, ...shared].some((key) => key !== '')) return undefined;
    return 'no global OpsGenie API Key set either inline or in a file';
  },
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const base = config.api_url || global.opsgenie_api_url;
    const key = secretOf(config.api_key, config.api_key_file) ??
      secretOf(global.opsgenie_api_key, global.opsgenie_api_key_file) ?? { value: '' };
    return async (message) => {
      const headers = { authorization: `GenieKey ${message.text(await readSecret(key))}` };
      for (const { method, path, body } of requestsOf(config, message)) {
        const call = { ...message.call(), method, headers, url: below(base, path) };
        await sender.postJson(call, body, { retryCodes: [429] });
      }
      return undefined;
    };
  },
};

function requestsOf(config: Config, message: Message): Request[] {
  const alias = message.keyHash;
  const source = message.text(config.source);
  const part = (name: string) => `v2/alerts/${alias}/${name}?identifierType=alias`;
  if (message.status === 'resolved') {
    return [{ method: 'POST', path: part('close'), body: { source } }];
  }
  const expand = (one: string) => message.text(one);
  const shown = message.cut(config.message, MESSAGE_RUNES_MAX, 'message');
  const description = expand(config.description);
  const body = {
    alias,
    message: shown,
    details: detailsOf(config, message),
    source,
    ...withoutEmpty({
      description,
      responders: respondersOf(config, expand),
      tags: commaSeparated(expand(config.tags)),
      note: expand(config.note),
      priority: expand(config.priority),
      entity: expand(config.entity),
      actions: commaSeparated(expand(config.actions)),
    }),
  };
  const created: Request = { method: 'POST', path: 'v2/alerts', body };
  if (!config.update_alerts) return [created];
  return [
    created,
    { method: 'PUT', path: part('message'), body: withoutEmpty({ message: shown }) },
    { method: 'PUT', path: part('description'), body: withoutEmpty({ description }) },
  ];
}

/** The common labels, and what the configuration adds. */
function detailsOf(config: Config, message: Message): Record<string, string> {
  const details = message.commonLabels.toRecord();
  for (const [name, value] of Object.entries(config.details)) details[name] = message.text(value);
  return details;
}

/** Empty ones are left out, so that labels may decide who it is; `teams` stands for several. */
function respondersOf(config: Config, expand: (template: string) => string): unknown[] {
  return config.responders.flatMap((one) => {
    const [id, name, username, type] = [one.id, one.name, one.username, one.type].map(expand);
    if (id === '' && name === '' && username === '' && type === '') return [];
    if (type.toLowerCase() === 'teams') {
      return commaSeparated(name).map((team) => ({ name: team, type: 'team' }));
    }
    return [{ ...withoutEmpty({ id, name, username }), type }];
  });
}
