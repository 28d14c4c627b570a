/** The section `global` of alertmanager.yml: what receivers fall back to. */
import { yaml } from '@tyto/base';
import { httpConfig } from './http/httpConfig.ts';
import { filePath, refuseBoth } from './http/secret.ts';
import { tlsConfig } from './http/tlsConfig.ts';
import { webUrl } from './receiverKind.ts';
import { hostPort } from './receivers/email.ts';

const text = yaml.optional(yaml.string, '');
const file = yaml.optional(filePath, '');

/** A web address, and where there is none the service's own. */
const address = (fallback = '') => yaml.optional(webUrl, fallback);

const schema = yaml.object(
  {
    resolve_timeout: yaml.optional(yaml.duration, 5 * 60_000),
    http_config: yaml.optional(httpConfig),
    smtp_smarthost: yaml.optional(hostPort, ''),
    smtp_from: text,
    smtp_hello: yaml.optional(yaml.string, 'localhost'),
    smtp_auth_username: text,
    smtp_auth_password: text,
    smtp_auth_password_file: file,
    smtp_auth_secret: text,
    smtp_auth_secret_file: file,
    smtp_auth_identity: text,
    smtp_require_tls: yaml.optional(yaml.boolean, true),
    smtp_tls_config: yaml.optional(tlsConfig),
    smtp_force_implicit_tls: yaml.optional(yaml.boolean),
    jira_api_url: address(),
    mattermost_webhook_url: address(),
    mattermost_webhook_url_file: file,
    opsgenie_api_key: text,
    opsgenie_api_key_file: file,
    opsgenie_api_url: address('https://api.opsgenie.com/'),
    pagerduty_url: address('https://events.pagerduty.com/v2/enqueue'),
    rocketchat_api_url: address('https://open.rocket.chat/'),
    rocketchat_token: text,
    rocketchat_token_file: file,
    rocketchat_token_id: text,
    rocketchat_token_id_file: file,
    slack_api_url: address(),
    slack_api_url_file: file,
    slack_app_token: text,
    slack_app_token_file: file,
    slack_app_url: address('https://slack.com/api/chat.postMessage'),
    telegram_api_url: address('https://api.telegram.org'),
    telegram_bot_token: text,
    telegram_bot_token_file: file,
    victorops_api_key: text,
    victorops_api_key_file: file,
    victorops_api_url: address('https://alert.victorops.com/integrations/generic/20131114/alert/'),
    webex_api_url: address('https://webexapis.com/v1/messages'),
    wechat_api_url: address('https://qyapi.weixin.qq.com/cgi-bin/'),
    wechat_api_secret: text,
    wechat_api_secret_file: file,
    wechat_api_corp_id: text,
  },
  {
    name: 'global',
    ignored: {
      hipchat_api_url: 'HipChat is no more',
      hipchat_auth_token: 'HipChat is no more',
    },
  },
);

const EXCLUSIVE = [
  'smtp_auth_password',
  'smtp_auth_secret',
  'mattermost_webhook_url',
  'opsgenie_api_key',
  'rocketchat_token',
  'rocketchat_token_id',
  'slack_api_url',
  'slack_app_token',
  'telegram_bot_token',
  'victorops_api_key',
  'wechat_api_secret',
].map((name): [string, string] => [name, `${name}_file`]);

export const globalConfig = yaml.checked(schema, (global, node, decoder) => {
  refuseBoth(global, EXCLUSIVE, node, decoder);
  const hasToken = global.slack_app_token !== '' || global.slack_app_token_file !== '';
  const hasUrl = global.slack_api_url !== '' || global.slack_api_url_file !== '';
  // The same address twice is how bots were configured before tokens had a field.
  if (hasToken && hasUrl && global.slack_api_url !== global.slack_app_url) {
    const message =
      'at most one of slack_app_token/slack_app_token_file & ' +
      'slack_api_url/slack_api_url_file must be configured';
    decoder.error(yaml.childNode(node, 'slack_app_token'), message);
  }
});

export type GlobalConfig = ReturnType<typeof globalConfig>;

/** As if the section were empty. */
export function defaultGlobal(): GlobalConfig {
  const place = () => ({ line: 1, column: 1 });
  return globalConfig(null, { place, error() {}, warn() {} });
}
