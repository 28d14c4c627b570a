/** Configurations as people may see them: without what authorises. */
import { redactYaml } from '@tyto/base';

const SECRET_FIELDS = new Set([
  ...['password', 'credentials', 'bearer_token', 'client_secret', 'client_certificate_key', 'key'],
  ...['secret_key', 'secret', 'token', 'auth_password', 'auth_secret', 'smtp_auth_password'],
  ...['smtp_auth_secret', 'slack_api_url', 'api_url', 'service_key', 'routing_key', 'api_key'],
  // The address of a webhook is what authorises.
  ...['webhook_configs/url', 'webhook_url', 'heartbeat/url', 'responses/webhook'],
  ...['secrets', 'api_secret', 'bot_token', 'user_key', 'app_token', 'opsgenie_api_key'],
  ...['slack_app_token', 'telegram_bot_token', 'victorops_api_key', 'wechat_api_secret'],
  ...['rocketchat_token', 'rocketchat_token_id', 'token_id', 'alert_source_token'],
  ...['mattermost_webhook_url', 'proxy_connect_header/*', 'environment/*'],
]);

/** A configuration with its secrets covered, as Prometheus and Alertmanager show it. */
export function hideSecrets(text: string): string {
  return redactYaml(text, SECRET_FIELDS);
}
