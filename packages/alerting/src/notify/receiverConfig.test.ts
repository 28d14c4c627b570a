import { describe, expect, it } from 'vitest';
import { parseAlertmanagerConfig } from '@tyto/alerting';

/** The problems of a file with this receiver, each with its place. */
function problemsOf(receiver: string, global = '{}'): string[] {
  const text = `global: ${global}\nroute: {receiver: r}\nreceivers:\n- name: r\n  ${receiver}\n`;
  return parseAlertmanagerConfig(text, 'a.yml').problems.map(
    ({ severity, place, message }) => `${severity} ${place.line}:${place.column} ${message}`,
  );
}

const http = (fields: string) => `webhook_configs: [{url: 'http://a', http_config: {${fields}}}]`;

describe('a receiver that is configured wrongly is refused, at its place', () => {
  const cases: [string, string][] = [
    ['webhook_configs: [{}]', 'error 5:21 one of url or url_file must be configured'],
    ["webhook_configs: [{url: 'http://a', url_file: b}]", '5:49 at most one of url & url_file'],
    ['webhook_configs: [{url: "ftp://a"}]', '5:27 not a web address: "ftp://a"'],
    ['webhook_configs: [{ulr: x}]', 'did you mean "url"?'],
    ['pagerduty_configs: [{}]', 'missing service or routing key in PagerDuty config'],
    [
      'pagerduty_configs: [{routing_key: a, routing_key_file: b}]',
      'at most one of routing_key & routing_key_file must be configured',
    ],
    ['opsgenie_configs: [{}]', 'no global OpsGenie API Key set either inline or in a file'],
    [
      'opsgenie_configs: [{api_key: a, responders: [{type: team}]}]',
      'responder {   team} has to have at least one of id, username or name specified',
    ],
    [
      'opsgenie_configs: [{api_key: a, responders: [{id: x, type: nobody}]}]',
      'type does not match valid options ^(team|teams|user|escalation|schedule)$',
    ],
    ['victorops_configs: [{api_key: a}]', 'missing Routing key in VictorOps config'],
    ['victorops_configs: [{routing_key: a}]', 'no global VictorOps API Key set'],
    ['pushover_configs: [{token: a}]', 'one of user_key or user_key_file must be configured'],
    [
      'pushover_configs: [{token: a, user_key: b, html: true, monospace: true}]',
      'at most one of monospace & html must be configured',
    ],
    ['telegram_configs: [{chat_id: 1}]', 'missing bot_token or bot_token_file on telegram_config'],
    ['telegram_configs: [{bot_token: a}]', 'missing chat_id or chat_id_file on telegram_config'],
    [
      'telegram_configs: [{bot_token: a, chat_id: 1, parse_mode: html}]',
      'unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string',
    ],
    ['discord_configs: [{}]', 'one of webhook_url or webhook_url_file must be configured'],
    ['msteams_configs: [{}]', 'one of webhook_url or webhook_url_file must be configured'],
    [
      "msteamsv2_configs: [{webhook_url: 'http://a', webhook_url_file: b}]",
      'at most one of webhook_url & webhook_url_file must be configured',
    ],
    ['webex_configs: [{room_id: a}]', 'missing webex_configs.http_config.authorization'],
    ['wechat_configs: [{api_secret: a}]', 'no global Wechat CorpID set'],
    [
      'wechat_configs: [{corp_id: a}]',
      'no global Wechat Api Secret set either inline or in a file',
    ],
    [
      'wechat_configs: [{api_secret: a, corp_id: b, message_type: card}]',
      'weChat message type "card" does not match valid options ^(text|markdown)$',
    ],
    ['sns_configs: [{}]', 'must provide either a Target ARN, Topic ARN, or Phone Number'],
    [
      'sns_configs: [{topic_arn: a, sigv4: {access_key: b}}]',
      'must provide a AWS SigV4 Access key and Secret Key',
    ],
    ['mattermost_configs: [{}]', 'missing webhook_url or webhook_url_file on mattermost_config'],
    ['rocketchat_configs: [{token_id: a}]', 'no global Rocketchat Token set either inline'],
    ['rocketchat_configs: [{token: a}]', 'no global Rocketchat TokenID set either inline'],
    ["jira_configs: [{api_url: 'http://a'}]", 'missing project in jira_config'],
    ['jira_configs: [{project: a, issue_type: b}]', 'no global Jira Cloud URL set'],
    [
      "jira_configs: [{api_url: 'http://a', project: a, issue_type: b, api_type: on}]",
      'unknown api_type on jira_config, must be auto, cloud or datacenter',
    ],
    [
      "incidentio_configs: [{url: 'http://a', http_config: {}}]",
      'at least one of alert_source_token, alert_source_token_file or http_config.authorization',
    ],
    ["email_configs: [{to: 'a@'}]", 'not an e-mail address: "a@"'],
    ['email_configs: [{to: a@b, smarthost: localhost}]', 'missing port in address'],
    [
      'email_configs: [{to: a@b, threading: {enabled: true, thread_by_date: weekly}}]',
      "threading.thread_by_date must be either 'none' or 'daily'",
    ],
    [
      'email_configs: [{to: a@b, threading: {enabled: true}, headers: {in-reply-to: x}}]',
      'threading.enabled conflicts with custom In-Reply-To header',
    ],
    ['hipchat_configs: [{}]', 'receiver: unknown field "hipchat_configs"'],
    ['labels: {}\n- {}', 'missing name in receiver'],
  ];
  it.each(cases)('%s', (receiver, message) => {
    expect(problemsOf(receiver).join('\n')).toContain(message);
  });
});

describe('http_config that is wrong is refused', () => {
  const cases: [string, string][] = [
    [
      'basic_auth: {username: a}, authorization: {credentials: b}',
      'at most one of basic_auth, oauth2 & authorization must be configured',
    ],
    [
      'bearer_token: a, bearer_token_file: b',
      'at most one of bearer_token & bearer_token_file must be configured',
    ],
    [
      'authorization: {credentials: a, credentials_file: b}',
      'at most one of authorization credentials & credentials_file must be configured',
    ],
    ['authorization: {type: Basic}', 'authorization type cannot be set to "basic"'],
    ['oauth2: {client_id: a}', 'oauth2 token_url must be configured'],
    [
      "oauth2: {client_id: a, token_url: 'http://t', client_secret: b, client_secret_file: c}",
      'at most one of oauth2 client_secret & client_secret_file must be configured',
    ],
    ['no_proxy: a', 'if no_proxy is configured, proxy_url must also be configured'],
    [
      "proxy_from_environment: true, proxy_url: 'http://p'",
      'if proxy_from_environment is configured, proxy_url must not be configured',
    ],
    ["proxy_url: 'socks5://p'", 'proxies are spoken to with http or https'],
    [
      'http_headers: {Authorization: {values: [a]}}',
      'setting header "Authorization" is not allowed',
    ],
    ['tls_config: {cert_file: a}', 'exactly one of key or key_file must be configured'],
    ['tls_config: {ca: a, ca_file: b}', 'at most one of ca & ca_file must be configured'],
    ['tls_config: {min_version: TLS1}', 'did you mean "TLS1'],
  ];
  it.each(cases)('%s', (fields, message) => {
    expect(problemsOf(http(fields)).join('\n')).toContain(message);
  });
});

it('the section global gives what receivers lack, and no secret twice', () => {
  const global =
    '{opsgenie_api_key: a, victorops_api_key_file: b, telegram_bot_token: c, ' +
    'wechat_api_secret: d, wechat_api_corp_id: e, rocketchat_token: f, rocketchat_token_id: g, ' +
    "jira_api_url: 'http://j', mattermost_webhook_url: 'http://m', slack_app_token: h, " +
    "smtp_smarthost: 'm:25', smtp_from: x@y}";
  const receiver =
    'opsgenie_configs: [{}]\n  victorops_configs: [{routing_key: a}]\n' +
    '  telegram_configs: [{chat_id: -5}]\n  wechat_configs: [{}]\n  rocketchat_configs: [{}]\n' +
    '  jira_configs: [{project: a, issue_type: b}]\n  mattermost_configs: [{}]\n' +
    '  slack_configs: [{}]\n  email_configs: [{to: a@b}]';
  expect(problemsOf(receiver, global)).toEqual([]);
  for (const name of ['slack_api_url', 'smtp_auth_secret', 'wechat_api_secret']) {
    const value = name.endsWith('url') ? 'http://a' : 'a';
    const both = `{${name}: '${value}', ${name}_file: b}`;
    expect(problemsOf('labels: {}', both).join('\n')).toContain(
      `at most one of ${name} & ${name}_file must be configured`,
    );
  }
});
