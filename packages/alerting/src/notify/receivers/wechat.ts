/** WeChat Work: a message of an application, with an access token that is fetched first. */
import { yaml } from '@tyto/base';
import type { Answer } from '../http/exchange.ts';
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

const TOKEN_MS_MAX = 2 * 3600_000;
/** The answer's code for a token that is over. */
const TOKEN_EXPIRED = 42_001;
const TYPES = '^(text|markdown)$';

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(false),
      api_secret: text,
      api_secret_file: yaml.optional(filePath, ''),
      api_url: yaml.optional(webUrl, ''),
      corp_id: text,
      message: template('wechat.default.message'),
      message_type: text,
      agent_id: template('wechat.default.agent_id'),
      to_user: template('wechat.default.to_user'),
      to_party: template('wechat.default.to_party'),
      to_tag: template('wechat.default.to_tag'),
    },
    { name: 'wechat_config' },
  ),
  (config, node, decoder) => {
    const { message_type: type } = config;
    if (!['', 'text', 'markdown'].includes(type)) {
      const message = `weChat message type "${type}" does not match valid options ${TYPES}`;
      decoder.error(yaml.childNode(node, 'message_type'), message);
    }
    refuseBoth(config, [['api_secret', 'api_secret_file']], node, decoder);
  },
);

type Config = ReturnType<typeof schema>;

export const wechat: ReceiverKind<Config> = {
  name: 'wechat',
  schema,
  lacks(config, global) {
    const given = [config.api_secret, config.api_secret_file];
    const shared = [global.wechat_api_secret, global.wechat_api_secret_file];
    if ([...given, ...shared].every((secret) => secret === '')) {
      return 'no global Wechat Api Secret set either inline or in a file';
    }
    const corp = config.corp_id || global.wechat_api_corp_id;
    return corp === '' ? 'no global Wechat CorpID set' : undefined;
  },
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const base = config.api_url || global.wechat_api_url;
    const corp = config.corp_id || global.wechat_api_corp_id;
    const secret = secretOf(config.api_secret, config.api_secret_file) ??
      secretOf(global.wechat_api_secret, global.wechat_api_secret_file) ?? { value: '' };
    let token = '';
    let tokenAtMs = 0;
    return async (message) => {
      const { nowMs } = message.notification;
      if (token === '' || nowMs - tokenAtMs > TOKEN_MS_MAX) {
        const parameters = new URLSearchParams({
          corpid: message.text(corp),
          corpsecret: message.text(await readSecret(secret)),
        });
        const url = `${below(base, 'gettoken')}?${parameters}`;
        token = tokenOf(await sender.send({ ...message.call(), method: 'GET', url }), corp);
        tokenAtMs = nowMs;
      }
      const url = `${below(base, 'message/send')}?${new URLSearchParams({ access_token: token })}`;
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(bodyOf(config, message));
      const answer = await sender.ask({ ...message.call(), url, headers, body });
      if (codeOf(answer) === TOKEN_EXPIRED) token = '';
      checkAnswer(answer);
      return undefined;
    };
  },
};

function bodyOf(config: Config, message: Message): Record<string, unknown> {
  const type = config.message_type === 'markdown' ? 'markdown' : 'text';
  const content = message.text(config.message);
  return {
    text: { content: type === 'text' ? content : '' },
    ...withoutEmpty({
      touser: message.text(config.to_user),
      toparty: message.text(config.to_party),
      totag: message.text(config.to_tag),
      agentid: message.text(config.agent_id),
    }),
    safe: '0',
    msgtype: type,
    markdown: { content: type === 'markdown' ? content : '' },
  };
}

function fieldsOf({ text: body }: Answer): Record<string, unknown> {
  try {
    return (JSON.parse(body) as Record<string, unknown>) ?? {};
  } catch {
    return {};
  }
}

function tokenOf(answer: Answer, corp: string): string {
  const { access_token: token } = fieldsOf(answer);
  if (typeof token === 'string' && token !== '') return token;
  throw new NotifyError(`invalid APISecret for CorpID: ${corp}`, false);
}

function codeOf(answer: Answer): unknown {
  return fieldsOf(answer).errcode;
}

function checkAnswer(answer: Answer): void {
  if (answer.status !== 200) {
    throw new NotifyError(`wechat: unexpected status code ${answer.status}`, true);
  }
  const { errcode: code, errmsg: error } = fieldsOf(answer);
  if (code === 0) return;
  const shown = typeof error === 'string' ? error.slice(0, 200) : 'no answer of its API';
  // Without a code it was not the API that answered.
  throw new NotifyError(`wechat: ${shown}`, code === TOKEN_EXPIRED || code === undefined);
}
