/** The section `global` of alertmanager.yml: what receivers fall back to. */
import { yaml } from '@tyto/base';
import { filePath, httpConfig } from './receiverConfig.ts';

export const globalConfig = yaml.object(
  {
    resolve_timeout: yaml.optional(yaml.duration, 5 * 60_000),
    smtp_smarthost: yaml.optional(yaml.string, ''),
    smtp_from: yaml.optional(yaml.string, ''),
    smtp_hello: yaml.optional(yaml.string, ''),
    smtp_auth_username: yaml.optional(yaml.string, ''),
    smtp_auth_password: yaml.optional(yaml.string, ''),
    smtp_auth_password_file: yaml.optional(filePath, ''),
    smtp_require_tls: yaml.optional(yaml.boolean, true),
    slack_api_url: yaml.optional(yaml.string, ''),
    slack_api_url_file: yaml.optional(filePath, ''),
    http_config: yaml.optional(httpConfig),
  },
  {
    name: 'global',
    ignored: Object.fromEntries(
      [
        'smtp_auth_identity',
        'smtp_auth_secret',
        'smtp_auth_secret_file',
        'smtp_tls_config',
        'smtp_force_implicit_tls',
        'pagerduty_url',
        'opsgenie_api_key',
        'opsgenie_api_key_file',
        'opsgenie_api_url',
        'victorops_api_key',
        'victorops_api_key_file',
        'victorops_api_url',
        'wechat_api_url',
        'wechat_api_secret',
        'wechat_api_corp_id',
        'telegram_api_url',
        'telegram_bot_token',
        'telegram_bot_token_file',
        'webex_api_url',
        'hipchat_api_url',
        'hipchat_auth_token',
        'jira_api_url',
        'rocketchat_api_url',
        'rocketchat_token',
        'rocketchat_token_file',
        'rocketchat_token_id',
        'rocketchat_token_id_file',
        'slack_app_token',
        'slack_app_token_file',
        'slack_app_url',
        'mattermost_webhook_url',
        'mattermost_webhook_url_file',
        'wechat_api_secret_file',
      ].map((name) => [name, 'Tyto has no such receiver yet']),
    ),
  },
);

export type GlobalConfig = ReturnType<typeof globalConfig>;
