/** The receivers of alertmanager.yml: what each integration needs, as YAML schemas. */
import { dirname, isAbsolute, join } from 'node:path';
import { yaml } from '@tyto/base';

const secretMap = yaml.record(yaml.string);

/** A path; a relative one starts at the directory of the file that it is written in. */
export const filePath: yaml.Schema<string> = (node, decoder) => {
  const path = yaml.string(node, decoder);
  if (path === '' || isAbsolute(path)) return path;
  return join(dirname(decoder.place(node).file ?? '.'), path);
};

/** How an HTTP integration authenticates; files are read at each use: secrets rotate. */
export const httpConfig = yaml.object(
  {
    basic_auth: yaml.optional(
      yaml.object(
        {
          username: yaml.optional(yaml.string, ''),
          password: yaml.optional(yaml.string, ''),
          password_file: yaml.optional(filePath, ''),
        },
        { name: 'basic_auth' },
      ),
    ),
    authorization: yaml.optional(
      yaml.object(
        {
          type: yaml.optional(yaml.string, 'Bearer'),
          credentials: yaml.optional(yaml.string, ''),
          credentials_file: yaml.optional(filePath, ''),
        },
        { name: 'authorization' },
      ),
    ),
    bearer_token: yaml.optional(yaml.string, ''),
    bearer_token_file: yaml.optional(filePath, ''),
    tls_config: yaml.optional(
      yaml.object(
        {
          ca_file: yaml.optional(filePath, ''),
          cert_file: yaml.optional(filePath, ''),
          key_file: yaml.optional(filePath, ''),
          server_name: yaml.optional(yaml.string, ''),
          insecure_skip_verify: yaml.optional(yaml.boolean, false),
        },
        { name: 'tls_config' },
      ),
    ),
    follow_redirects: yaml.optional(yaml.boolean, true),
  },
  {
    name: 'http_config',
    ignored: {
      enable_http2: 'requests are made with HTTP/1.1',
      oauth2: 'OAuth 2 is not supported yet',
      proxy_url: 'proxies are not supported yet',
      no_proxy: 'proxies are not supported yet',
      proxy_from_environment: 'proxies are not supported yet',
      proxy_connect_header: 'proxies are not supported yet',
      http_headers: 'custom headers are not supported yet',
      idle_conn_timeout: 'connections are kept alive and reused as it is',
      max_idle_conns_per_host: 'connections are kept alive and reused as it is',
    },
  },
);

export type HttpConfig = ReturnType<typeof httpConfig>;

export const webhookConfig = yaml.checked(
  yaml.object(
    {
      send_resolved: yaml.optional(yaml.boolean, true),
      url: yaml.optional(yaml.string, ''),
      url_file: yaml.optional(filePath, ''),
      http_config: yaml.optional(httpConfig),
      max_alerts: yaml.optional(yaml.integer(0), 0),
      timeout: yaml.optional(yaml.duration, 0),
    },
    { name: 'webhook_config', ignored: { payload: 'the standard payload is sent' } },
  ),
  (webhook, node, decoder) => {
    if (webhook.url === '' && webhook.url_file === '') {
      decoder.error(node, 'webhook_config: one of "url" and "url_file" must be set');
    }
    if (webhook.url !== '' && webhook.url_file !== '') {
      decoder.error(node, 'webhook_config: at most one of "url" and "url_file" may be set');
    }
    if (webhook.url !== '') checkUrl(webhook.url, yaml.childNode(node, 'url'), decoder);
  },
);

export type WebhookConfig = ReturnType<typeof webhookConfig>;

export const emailConfig = yaml.checked(
  yaml.object(
    {
      send_resolved: yaml.optional(yaml.boolean, false),
      to: yaml.optional(yaml.string, ''),
      from: yaml.optional(yaml.string, ''),
      smarthost: yaml.optional(yaml.string, ''),
      hello: yaml.optional(yaml.string, ''),
      auth_username: yaml.optional(yaml.string, ''),
      auth_password: yaml.optional(yaml.string, ''),
      auth_password_file: yaml.optional(filePath, ''),
      require_tls: yaml.optional(yaml.boolean),
      tls_config: yaml.optional(
        yaml.object(
          {
            ca_file: yaml.optional(filePath, ''),
            cert_file: yaml.optional(filePath, ''),
            key_file: yaml.optional(filePath, ''),
            server_name: yaml.optional(yaml.string, ''),
            insecure_skip_verify: yaml.optional(yaml.boolean, false),
          },
          { name: 'tls_config' },
        ),
      ),
      headers: yaml.optional(yaml.record(yaml.string), (): Record<string, string> => ({})),
      html: yaml.optional(yaml.string, '{{ template "email.default.html" . }}'),
      text: yaml.optional(yaml.string, ''),
    },
    {
      name: 'email_config',
      ignored: {
        auth_secret: 'CRAM-MD5 is not supported yet',
        auth_secret_file: 'CRAM-MD5 is not supported yet',
        auth_identity: 'the user name is the identity',
        force_implicit_tls: 'port 465 is spoken to with TLS from the start',
        threading: 'mails are not threaded yet',
      },
    },
  ),
  (email, node, decoder) => {
    if (email.to.trim() === '') decoder.error(node, 'missing to address in email config');
    const seen = new Set<string>();
    for (const name of Object.keys(email.headers)) {
      const canonical = name.toLowerCase();
      if (seen.has(canonical)) {
        decoder.error(
          yaml.childNode(node, 'headers'),
          `duplicate header "${name}" in email config`,
        );
      }
      seen.add(canonical);
    }
  },
);

export type EmailConfig = ReturnType<typeof emailConfig>;

const slackField = yaml.object(
  {
    title: yaml.required(yaml.string),
    value: yaml.required(yaml.string),
    short: yaml.optional(yaml.boolean),
  },
  { name: 'slack field' },
);

const slackAction = yaml.object(
  {
    type: yaml.required(yaml.string),
    text: yaml.required(yaml.string),
    url: yaml.optional(yaml.string, ''),
    style: yaml.optional(yaml.string, ''),
    name: yaml.optional(yaml.string, ''),
    value: yaml.optional(yaml.string, ''),
    confirm: yaml.optional(
      yaml.object(
        {
          text: yaml.required(yaml.string),
          title: yaml.optional(yaml.string, ''),
          ok_text: yaml.optional(yaml.string, ''),
          dismiss_text: yaml.optional(yaml.string, ''),
        },
        { name: 'slack confirmation' },
      ),
    ),
  },
  { name: 'slack action' },
);

export const slackConfig = yaml.object(
  {
    send_resolved: yaml.optional(yaml.boolean, false),
    api_url: yaml.optional(yaml.string, ''),
    api_url_file: yaml.optional(filePath, ''),
    http_config: yaml.optional(httpConfig),
    channel: yaml.optional(yaml.string, ''),
    username: yaml.optional(yaml.string, '{{ template "slack.default.username" . }}'),
    color: yaml.optional(yaml.string, '{{ template "slack.default.color" . }}'),
    title: yaml.optional(yaml.string, '{{ template "slack.default.title" . }}'),
    title_link: yaml.optional(yaml.string, '{{ template "slack.default.titlelink" . }}'),
    pretext: yaml.optional(yaml.string, '{{ template "slack.default.pretext" . }}'),
    text: yaml.optional(yaml.string, '{{ template "slack.default.text" . }}'),
    fallback: yaml.optional(yaml.string, '{{ template "slack.default.fallback" . }}'),
    callback_id: yaml.optional(yaml.string, ''),
    icon_emoji: yaml.optional(yaml.string, ''),
    icon_url: yaml.optional(yaml.string, ''),
    image_url: yaml.optional(yaml.string, ''),
    thumb_url: yaml.optional(yaml.string, ''),
    footer: yaml.optional(yaml.string, ''),
    link_names: yaml.optional(yaml.boolean, false),
    short_fields: yaml.optional(yaml.boolean, false),
    mrkdwn_in: yaml.optional(yaml.list(yaml.string), () => ['fallback', 'pretext', 'text']),
    fields: yaml.optional(yaml.list(slackField), () => []),
    actions: yaml.optional(yaml.list(slackAction), () => []),
    message_text: yaml.optional(yaml.string, ''),
    timeout: yaml.optional(yaml.duration, 0),
  },
  {
    name: 'slack_config',
    ignored: {
      app_token: 'use api_url with an authorization in http_config',
      app_token_file: 'use api_url with an authorization in http_config',
      app_url: 'use api_url',
      update_message: 'every notification is a message of its own',
    },
  },
);

export type SlackConfig = ReturnType<typeof slackConfig>;

/** Integrations whose configuration is read over: alerts are not delivered there yet. */
const LATER = [
  'discord',
  'incidentio',
  'jira',
  'mattermost',
  'msteams',
  'msteamsv2',
  'opsgenie',
  'pagerduty',
  'pushover',
  'rocketchat',
  'sns',
  'telegram',
  'victorops',
  'webex',
  'wechat',
];

export const receiverConfig = yaml.object(
  {
    name: yaml.required(yaml.string),
    webhook_configs: yaml.optional(yaml.list(webhookConfig), () => []),
    email_configs: yaml.optional(yaml.list(emailConfig), () => []),
    slack_configs: yaml.optional(yaml.list(slackConfig), () => []),
    labels: yaml.optional(secretMap),
  },
  {
    name: 'receiver',
    ignored: Object.fromEntries(
      LATER.map((name) => [`${name}_configs`, 'Tyto cannot deliver there yet: NOTHING IS SENT']),
    ),
  },
);

/** A web address; templates and the placeholders of documents are left for the time of use. */
export function checkUrl(url: string, node: yaml.YamlNode, decoder: yaml.Decoder): void {
  if (url.includes('{{')) return;
  try {
    const { protocol, host } = new URL(url);
    if ((protocol === 'http:' || protocol === 'https:') && host !== '') return;
  } catch {
    // Not a URL: reported below.
  }
  decoder.error(node, `not a web address: "${url}"; write for example https://host/path`);
}
