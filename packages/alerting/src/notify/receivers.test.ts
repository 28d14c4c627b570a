import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  alert,
  deliver,
  ended,
  GROUP_KEY,
  integrationsOf,
  KEY_HASH,
  NOW_MS,
  notification,
  record,
  refusalOf,
  stopServers,
} from './testing.ts';

afterEach(stopServers);

const SUBJECT = '[FIRING:1] PoolEmpty (critical)';
const LINK = 'http://tyto:9090/#/alerts?receiver=team';
const SOURCE = 'http://tyto:9090/graph?g0.expr=pool+%3D%3D+0';
const LIST =
  'Labels:\n - alertname = PoolEmpty\n - severity = critical\n' +
  `Annotations:\n - summary = 풀이 비었다\nSource: ${SOURCE}\n`;
const MARKDOWN_LIST =
  '\nLabels:\n  - alertname = PoolEmpty\n  - severity = critical\n\n' +
  `Annotations:\n  - summary = 풀이 비었다\n\nSource: ${SOURCE}\n`;

/** A file with a secret, as editors write it. */
function secretFile(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'tyto-secret-')), 'secret');
  writeFileSync(path, `${text}\n`);
  return path;
}

describe('a webhook', () => {
  it('gets version 4 of the JSON', async () => {
    const { url, requests } = await record();
    await deliver(`webhook_configs: [{url: "${url}/hook?a=1"}]`);
    const [{ method, path, headers, body }] = requests;
    expect([method, path, headers['content-type']]).toEqual([
      'POST',
      '/hook?a=1',
      'application/json',
    ]);
    expect(body).toEqual({
      receiver: 'team',
      status: 'firing',
      alerts: [
        {
          status: 'firing',
          labels: { alertname: 'PoolEmpty', severity: 'critical' },
          annotations: { summary: '풀이 비었다' },
          startsAt: '2026-03-01T11:59:00Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: SOURCE,
          fingerprint: 'c0ffee',
        },
      ],
      groupLabels: { alertname: 'PoolEmpty' },
      commonLabels: { alertname: 'PoolEmpty', severity: 'critical' },
      commonAnnotations: { summary: '풀이 비었다' },
      externalURL: 'http://tyto:9090',
      version: '4',
      groupKey: GROUP_KEY,
      truncatedAlerts: 0,
      notification_reason: 'first notification',
    });
  });

  it('may have a payload of its own; JSON stays JSON, and labels are no templates', async () => {
    const { url, requests } = await record();
    const payload =
      `{text: '{{ .Status }}: {{ .CommonLabels.evil }}', count: '{{ len .Alerts }}', ` +
      `all: '{{ .Alerts | toJson }}', "{{ .Status }}": [1, true, null, {deep: 'Full: 90%'}]}`;
    await deliver(`webhook_configs: [{url: "${url}", payload: ${payload}}]`, {
      firing: [alert({ evil: '{{ .ExternalURL }}' })],
    });
    const { body } = requests[0];
    expect(body.text).toBe('firing: {{ .ExternalURL }}');
    expect(body.count).toBe(1);
    expect(body.all[0].labels.alertname).toBe('PoolEmpty');
    expect(body.firing).toEqual([1, true, null, { deep: 'Full: 90%' }]);
  });

  it('has its address in a file, with templates, and a limit of alerts', async () => {
    const { url, requests } = await record();
    const file = secretFile(`${url}/{{ .GroupLabels.alertname }}`);
    const firing = ['c', 'a', 'b'].map((pod) => alert({ pod }));
    await deliver(`webhook_configs: [{url_file: ${file}, max_alerts: 2}]`, { firing });
    expect(requests[0].path).toBe('/PoolEmpty');
    expect(requests[0].body).toMatchObject({
      truncatedAlerts: 1,
      alerts: [{ labels: { pod: 'a' } }, { labels: { pod: 'b' } }],
    });
  });

  it('gets a group of any size', async () => {
    const { url, requests } = await record();
    const firing = Array.from({ length: 2000 }, (_, n) => {
      return alert({ pod: String(n) }, { t: 'x'.repeat(10_000) });
    });
    await deliver(`webhook_configs: [{url: "${url}"}]`, { firing });
    expect(requests[0].body.alerts).toHaveLength(2000);
  });

  it('is told where the incident is', async () => {
    const { url, requests } = await record();
    const links = { incident: 'http://t/i/1', acknowledge: 'http://t/i/1/ack' };
    const payload = `{go: '{{ .IncidentURL }} {{ .AcknowledgeURL }}'}`;
    const receiver = `webhook_configs: [{url: "${url}"}, {url: "${url}", payload: ${payload}}]`;
    for (const integration of integrationsOf(receiver)) {
      await integration.notify(notification({ links }), AbortSignal.timeout(5000));
    }
    expect(requests[0].body).toMatchObject({
      incidentURL: 'http://t/i/1',
      acknowledgeURL: 'http://t/i/1/ack',
    });
    expect(requests[1].body).toEqual({ go: 'http://t/i/1 http://t/i/1/ack' });
  });

  it('is tried again after 5xx and silence, and not after 4xx', async () => {
    const answers = [503, 429, 404];
    const { url } = await record((_, i) => ({ status: answers[i], text: 'go  away' }));
    const receiver = `webhook_configs: [{url: "${url}/services/T0000secret"}]`;
    const host = url.slice('http://'.length);
    const said = (status: number) => `unexpected status code ${status} from ${host}: go away`;
    expect(await refusalOf(deliver(receiver))).toEqual({ message: said(503), retry: true });
    expect(await refusalOf(deliver(receiver))).toEqual({ message: said(429), retry: false });
    expect(await refusalOf(deliver(receiver))).toEqual({ message: said(404), retry: false });
    stopServers();
    const refused = await refusalOf(deliver(receiver));
    expect(refused).toMatchObject({ retry: true });
    expect(refused.message).toContain(`POST "${url}/<redacted>": `);
    expect(refused.message).not.toContain('T0000secret');
  });
});

describe('PagerDuty', () => {
  it('gets events of its second API, with details as JSON', async () => {
    const { url, requests } = await record();
    const fields =
      `routing_key_file: ${secretFile('abc123')}, url: "${url}/v2/enqueue", class: c, ` +
      `component: '{{ .GroupLabels.alertname }}', group: g, ` +
      `severity: '{{ .CommonLabels.severity }}', ` +
      `details: {own: 'x: y', nested: {deep: '{{ .Status }}'}}, ` +
      `images: [{src: 'https://x/i.png', alt: a}, {alt: none}], ` +
      `links: [{href: 'https://x', text: T}]`;
    await deliver(`pagerduty_configs: [{${fields}}]`);
    const { body, path } = requests[0];
    expect(path).toBe('/v2/enqueue');
    const { custom_details: details, ...payload } = body.payload;
    expect({ ...body, payload }).toEqual({
      routing_key: 'abc123',
      dedup_key: KEY_HASH,
      event_action: 'trigger',
      client: 'Alertmanager',
      client_url: LINK,
      payload: {
        summary: SUBJECT,
        source: 'Alertmanager',
        severity: 'critical',
        class: 'c',
        component: 'PoolEmpty',
        group: 'g',
      },
      images: [{ src: 'https://x/i.png', alt: 'a', href: '' }],
      links: [{ href: 'https://x', text: 'T' }],
    });
    expect(details).toMatchObject({
      firing: [{ status: 'firing', labels: { alertname: 'PoolEmpty' } }],
      resolved: [],
      num_firing: 1,
      num_resolved: 0,
      own: 'x: y',
      nested: { deep: 'firing' },
    });
    await deliver(`pagerduty_configs: [{${fields}}]`, ended);
    expect(requests[1].body).toMatchObject({ event_action: 'resolve', dedup_key: KEY_HASH });
  });

  it('gets events of its first API for a service key', async () => {
    const { url, requests } = await record();
    const receiver = `pagerduty_configs: [{service_key: abc, url: "${url}/v1", details: {a: b}}]`;
    await deliver(receiver);
    await deliver(receiver, ended);
    expect(requests[0].body).toMatchObject({
      service_key: 'abc',
      incident_key: KEY_HASH,
      event_type: 'trigger',
      description: SUBJECT,
      client: 'Alertmanager',
      client_url: LINK,
      details: { a: 'b', num_firing: 1 },
    });
    expect(requests[1].body).toMatchObject({ event_type: 'resolve', incident_key: KEY_HASH });
    expect(requests[1].body).not.toHaveProperty('client');
  });

  it('gets no details where the event would be too large', async () => {
    const { url, requests } = await record();
    const huge = alert({}, { text: 'x'.repeat(600_000) });
    await deliver(`pagerduty_configs: [{routing_key: abc, url: "${url}"}]`, { firing: [huge] });
    expect(requests[0].body.payload.custom_details).toEqual({
      error:
        'Custom details have been removed because ' +
        'the original event exceeds the maximum size of 512KB',
    });
  });

  it('is tried again when there is too much, and says what is wrong with an event', async () => {
    const text =
      '{"status":"invalid","message":"Event object is invalid","errors":["key is short"]}';
    const answers = [429, 400, 403];
    const { url } = await record((_, i) => ({ status: answers[i], text }));
    const v2 = `pagerduty_configs: [{routing_key: abc, url: "${url}"}]`;
    expect((await refusalOf(deliver(v2))).retry).toBe(true);
    const refused = await refusalOf(deliver(v2));
    expect(refused.message).toContain('400 from 127.0.0.1');
    expect(refused.message).toContain('Event object is invalid: key is short');
    expect(refused.retry).toBe(false);
    const v1 = `pagerduty_configs: [{service_key: abc, url: "${url}/v1"}]`;
    expect((await refusalOf(deliver(v1))).retry).toBe(true);
    const empty = `pagerduty_configs: [{routing_key: '{{ "" }}', url: "${url}"}]`;
    expect(await refusalOf(deliver(empty))).toEqual({
      message: 'routing key cannot be empty',
      retry: false,
    });
  });
});

describe('Opsgenie', () => {
  it('creates, updates and closes an alert', async () => {
    const { url, requests } = await record(() => ({ status: 202 }));
    const responders =
      `[{name: '{{ .CommonLabels.none }}', type: '{{ .CommonLabels.none }}'}, ` +
      `{name: 'a,b', type: teams}, {username: kim, type: user}]`;
    const receiver =
      `opsgenie_configs: [{api_key: k, api_url: "${url}", tags: 'x,,y', priority: P1, note: n, ` +
      `actions: 'ping', entity: e, details: {more: '{{ .Status }}'}, update_alerts: true, ` +
      `responders: ${responders}}]`;
    await deliver(receiver);
    await deliver(receiver, ended);
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v2/alerts',
      `PUT /v2/alerts/${KEY_HASH}/message?identifierType=alias`,
      `PUT /v2/alerts/${KEY_HASH}/description?identifierType=alias`,
      `POST /v2/alerts/${KEY_HASH}/close?identifierType=alias`,
    ]);
    expect(requests[0].headers.authorization).toBe('GenieKey k');
    const description = `풀이 비었다\nAlerts Firing:\n${LIST.slice(0, -1)}`;
    expect(requests[0].body).toEqual({
      alias: KEY_HASH,
      message: SUBJECT,
      description: expect.stringContaining(description),
      details: { alertname: 'PoolEmpty', severity: 'critical', more: 'firing' },
      source: LINK,
      responders: [
        { name: 'a', type: 'team' },
        { name: 'b', type: 'team' },
        { username: 'kim', type: 'user' },
      ],
      tags: ['x', 'y'],
      note: 'n',
      priority: 'P1',
      entity: 'e',
      actions: ['ping'],
    });
    expect(requests[1].body).toEqual({ message: SUBJECT });
    expect(requests[3].body).toEqual({ source: LINK });
  });

  it('cuts what is longer than its messages, and is tried again after 429', async () => {
    const { url, requests } = await record(() => ({ status: 429 }));
    const receiver =
      `opsgenie_configs: [{api_key: k, api_url: "${url}/", ` +
      `message: '{{ .CommonAnnotations.t }}'}]`;
    const delivery = deliver(receiver, { firing: [alert({}, { t: '가'.repeat(200) })] });
    expect((await refusalOf(delivery)).retry).toBe(true);
    expect(requests[0].body.message).toBe(`${'가'.repeat(129)}…`);
  });
});

describe('VictorOps', () => {
  it('gets a message at the address of key and team', async () => {
    const { url, requests } = await record();
    const receiver =
      `victorops_configs: [{api_key: k, api_url: "${url}/in", routing_key: '{{ .Status }}', ` +
      `message_type: '{{ .CommonLabels.severity }}', custom_fields: {own: '{{ .Status }}'}}]`;
    await deliver(receiver);
    await deliver(receiver, ended);
    expect(requests.map(({ path }) => path)).toEqual(['/in/k/firing', '/in/k/resolved']);
    expect(requests[0].body).toEqual({
      message_type: 'CRITICAL',
      entity_id: KEY_HASH,
      entity_display_name: SUBJECT,
      state_message: expect.stringContaining(`Alerts Firing:\n${LIST.slice(0, -1)}`),
      monitoring_tool: 'Alertmanager',
      own: 'firing',
    });
    expect(requests[1].body.message_type).toBe('RECOVERY');
  });
});

describe('Telegram', () => {
  const fields = (url: string, more: string) =>
    `telegram_configs: [{bot_token: 'T:1', api_url: "${url}", ${more}}]`;

  it('gets a message, escaped as HTML', async () => {
    const { url, requests } = await record();
    const more =
      `chat_id: -100123, message: '<b>{{ .CommonAnnotations.t }}</b>', ` +
      `disable_notifications: true, message_thread_id: 7`;
    await deliver(fields(url, more), { firing: [alert({}, { t: '1 < 2 & 3' })] });
    expect(requests[0].path).toBe('/botT:1/sendMessage');
    expect(requests[0].body).toEqual({
      chat_id: '-100123',
      text: '<b>1 &lt; 2 &amp; 3</b>',
      parse_mode: 'HTML',
      disable_web_page_preview: 'true',
      disable_notification: 'true',
      message_thread_id: '7',
    });
  });

  it('is told that a message is too long for its markup, and cut without', async () => {
    const { url, requests } = await record();
    const firing = [alert({}, { t: 'x'.repeat(5000) })];
    const message = `message: '{{ .CommonAnnotations.t }}'`;
    const file = secretFile('42');
    await deliver(fields(url, `chat_id_file: ${file}, ${message}`), { firing });
    await deliver(fields(url, `chat_id: 1, parse_mode: '', ${message}`), { firing });
    expect(requests[0].body).toMatchObject({ chat_id: '42' });
    expect(requests[0].body.text).toContain('message length exceeds Telegram limits');
    expect(requests[1].body.text).toBe(`${'x'.repeat(4095)}…`);
    expect(requests[1].body).not.toHaveProperty('parse_mode');
  });

  it('is tried again whatever it answers', async () => {
    const text = '{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}';
    const { url } = await record((_, i) => ({ status: 403, text: i === 0 ? text : '<html>' }));
    const receiver = fields(url, 'chat_id: 1');
    const kicked = { message: 'telegram: Forbidden: bot was kicked (403)', retry: true };
    expect(await refusalOf(deliver(receiver))).toEqual(kicked);
    expect((await refusalOf(deliver(receiver))).message).toContain('no answer of its API (403)');
  });
});

describe('chats with a webhook', () => {
  it('Discord gets an embed', async () => {
    const { url, requests } = await record(() => ({ status: 204, text: '' }));
    const file = secretFile(`${url}/api/webhooks/1/x`);
    const fields =
      `webhook_url_file: ${file}, content: '@here', username: tyto, ` +
      `avatar_url: 'https://x/o.png'`;
    await deliver(`discord_configs: [{${fields}}]`);
    await deliver(`discord_configs: [{webhook_url: "${url}"}]`, ended);
    expect(requests[0].body).toEqual({
      content: '@here',
      embeds: [
        {
          title: SUBJECT,
          description: `\n\nAlerts Firing:\n${LIST}\n\n\n`,
          color: 0x992d22,
        },
      ],
      username: 'tyto',
      avatar_url: 'https://x/o.png',
    });
    expect(requests[1].body.embeds[0].color).toBe(0x2ecc71);
    expect(requests[1].body.content).toBe('');
  });

  it('Microsoft Teams gets a card, or an adaptive card', async () => {
    const { url, requests } = await record();
    await deliver(`msteams_configs: [{webhook_url: "${url}"}]`);
    await deliver(`msteamsv2_configs: [{webhook_url: "${url}"}]`, ended);
    expect(requests[0].body).toEqual({
      '@context': 'http://schema.org/extensions',
      type: 'MessageCard',
      title: SUBJECT,
      summary: SUBJECT,
      text: `\n\n# Alerts Firing:\n${MARKDOWN_LIST}\n\n\n\n`,
      themeColor: '8C1A1A',
    });
    const { content, ...attachment } = requests[1].body.attachments[0];
    expect(attachment).toEqual({
      contentType: 'application/vnd.microsoft.card.adaptive',
      contentUrl: null,
    });
    expect(content).toMatchObject({
      type: 'AdaptiveCard',
      version: '1.2',
      msteams: { width: 'full' },
    });
    expect(content.body[0]).toMatchObject({
      text: '[RESOLVED] PoolEmpty (critical)',
      color: 'Good',
    });
    expect(content.body[1].text).toContain('# Alerts Resolved:');
  });

  it('Webex gets Markdown with the token of http_config', async () => {
    const { url, requests } = await record();
    const http = 'http_config: {authorization: {credentials: bot}}';
    const receiver =
      `webex_configs: [{room_id: 'r-{{ .Status }}', api_url: "${url}/v1/messages", ` +
      `${http}, message: '{{ .CommonAnnotations.t }}'}]`;
    await deliver(receiver, { firing: [alert({}, { t: '가'.repeat(4000) })] });
    expect(requests[0].headers.authorization).toBe('Bearer bot');
    expect(requests[0].body.roomId).toBe('r-firing');
    const { markdown } = requests[0].body;
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(7439);
    expect(markdown).toMatch(/^가+…$/);
  });

  it('Mattermost gets an attachment, and no priority that it would refuse', async () => {
    const { url, requests } = await record(() => ({ text: 'ok' }));
    const more =
      `channel: ops, fields: [{title: t, value: '{{ .Status }}', short: true}], ` +
      `footer: f, priority: {priority: High, requested_ack: true}, props: {card: c}`;
    await deliver(
      `mattermost_configs: [{${more}}]`,
      {},
      `{mattermost_webhook_url: "${url}/hooks/x"}`,
    );
    expect(requests[0].path).toBe('/hooks/x');
    expect(requests[0].body).toEqual({
      channel: 'ops',
      username: 'Alertmanager',
      attachments: [
        {
          fallback: `${SUBJECT} | ${LINK}`,
          color: 'danger',
          title: SUBJECT,
          title_link: LINK,
          text: `\n\n# Alerts Firing:\n${MARKDOWN_LIST}\n\n\n\n`,
          fields: [{ title: 't', value: 'firing', short: true }],
          footer: 'f',
        },
      ],
      props: { card: 'c' },
      priority: { priority: 'standard' },
    });
  });

  it('Rocket.Chat gets a message with the token of a user', async () => {
    const answers = ['{"success":true}', '{"success":false,"error":"no such channel"}', 'oops'];
    const { url, requests } = await record((_, i) => ({ text: answers[i] }));
    const receiver =
      `rocketchat_configs: [{api_url: "${url}", token_id: id, ` +
      `token_file: ${secretFile('tok')}, channel: '#ops', fields: [{title: a, ` +
      `value: b}], actions: [{type: x, text: Open, url: 'https://x'}]}]`;
    await deliver(receiver);
    expect(requests[0]).toMatchObject({
      path: '/api/v1/chat.postMessage',
      headers: { 'x-auth-token': 'tok', 'x-user-id': 'id' },
    });
    expect(requests[0].body).toEqual({
      channel: '#ops',
      attachments: [
        {
          title: SUBJECT,
          title_link: LINK,
          color: 'red',
          fields: [{ short: false, title: 'a', value: 'b' }],
          actions: [
            {
              type: 'button',
              text: 'Open',
              url: 'https://x',
              is_webview: false,
              msg_in_chat_window: false,
            },
          ],
        },
      ],
    });
    expect(await refusalOf(deliver(receiver))).toEqual({
      message: 'channel "#ops": error response from Rocketchat: no such channel',
      retry: false,
    });
    expect((await refusalOf(deliver(receiver))).retry).toBe(true);
  });
});

describe('WeChat', () => {
  it('gets a message with a token, which is fetched once and anew when it is over', async () => {
    const texts = [
      '{"access_token":"t1"}',
      '{"errcode":0}',
      '{"errcode":42001,"errmsg":"expired"}',
    ];
    const { url, requests } = await record(({ path }, i) => ({
      text: path.startsWith('/gettoken') ? `{"access_token":"t${i}"}` : texts[Math.min(i, 2)],
    }));
    const receiver =
      `wechat_configs: [{corp_id: c, api_secret: s, api_url: "${url}", ` +
      `to_user: '@all', agent_id: '7', message: m}]`;
    const [integration] = integrationsOf(receiver);
    const tell = () => integration.notify(notification(), AbortSignal.timeout(5000));
    await tell();
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /gettoken?corpid=c&corpsecret=s',
      'POST /message/send?access_token=t0',
    ]);
    expect(requests[1].body).toEqual({
      text: { content: 'm' },
      markdown: { content: '' },
      touser: '@all',
      agentid: '7',
      safe: '0',
      msgtype: 'text',
    });
    expect(await refusalOf(tell())).toEqual({ message: 'wechat: expired', retry: true });
    await refusalOf(tell());
    expect(requests.map(({ path }) => path.split('?')[0])).toEqual([
      '/gettoken',
      '/message/send',
      '/message/send',
      '/gettoken',
      '/message/send',
    ]);
  });
});

describe('incident.io', () => {
  it('gets the JSON of a webhook; of large groups the first alert only', async () => {
    const { url, requests } = await record(() => ({ status: 202 }));
    const receiver = `incidentio_configs: [{url: "${url}", alert_source_token: tok}]`;
    const firing = Array.from({ length: 3 }, (_, n) => {
      return alert({ pod: String(n) }, { t: 'x'.repeat(200_000) });
    });
    await deliver(receiver, { firing });
    const { body, headers } = requests[0];
    expect(headers.authorization).toBe('Bearer tok');
    expect(body).toMatchObject({ version: '1', groupKey: GROUP_KEY, truncatedAlerts: 0 });
    expect(body.alerts).toHaveLength(1);
  });
});

describe('Amazon SNS', () => {
  it('gets a signed request', async () => {
    const { url, requests } = await record(() => ({ text: '<PublishResponse/>' }));
    const keys = 'sigv4: {region: us-east-2, access_key: AKID, secret_key: SECRET}';
    const receiver =
      `sns_configs: [{api_url: "${url}", ${keys}, ` +
      `topic_arn: 'arn:aws:sns:us-east-2:1:T.fifo', ` +
      `attributes: {severity: '{{ .CommonLabels.severity }}'}, message: m}]`;
    await deliver(receiver);
    const { headers, text } = requests[0];
    expect(Object.fromEntries(new URLSearchParams(text))).toEqual({
      Action: 'Publish',
      Version: '2010-03-31',
      TopicArn: 'arn:aws:sns:us-east-2:1:T.fifo',
      MessageDeduplicationId: KEY_HASH,
      MessageGroupId: KEY_HASH,
      Message: 'm',
      Subject: SUBJECT,
      'MessageAttributes.entry.1.Name': 'severity',
      'MessageAttributes.entry.1.Value.DataType': 'String',
      'MessageAttributes.entry.1.Value.StringValue': 'critical',
    });
    expect(headers['x-amz-date']).toBe('20260301T120000Z');
    expect(headers.authorization?.split(', ')).toEqual([
      'AWS4-HMAC-SHA256 Credential=AKID/20260301/us-east-2/sns/aws4_request',
      'SignedHeaders=content-type;host;x-amz-date',
      expect.stringMatching(/^Signature=[0-9a-f]{64}$/),
    ]);
  });

  it('takes its keys from the environment or a profile, and says what is missing', async () => {
    const { url, requests } = await record();
    const receiver =
      `sns_configs: [{api_url: "${url}", phone_number: '+821012345678', ` +
      `message: '{{ .CommonAnnotations.t }}'}]`;
    const tell = (environment: Record<string, string>) =>
      integrationsOf(receiver, '{}', '', { AWS_CONFIG_FILE: '/nowhere', ...environment })[0].notify(
        notification({ firing: [alert({}, { t: '가'.repeat(1000) })] }),
        AbortSignal.timeout(5000),
      );
    const region = { AWS_REGION: 'ap-northeast-2' };
    const keys = { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'B', AWS_SESSION_TOKEN: 'C' };
    const nowhere = { AWS_SHARED_CREDENTIALS_FILE: '/nowhere' };
    expect((await refusalOf(tell(nowhere))).message).toContain('region not configured');
    expect((await refusalOf(tell({ ...nowhere, ...region }))).message).toContain('no AWS keys');
    await tell({ ...nowhere, ...region, ...keys });
    expect(requests[0].headers['x-amz-security-token']).toBe('C');
    const form = new URLSearchParams(requests[0].text);
    expect(form.get('Message')).toBe('가'.repeat(533));
    expect(form.get('MessageAttributes.entry.1.Name')).toBe('truncated');
    const file = secretFile('[other]\naws_access_key_id = P\naws_secret_access_key = Q\nregion=r');
    await tell({ AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'other' });
    expect(requests[1].headers.authorization).toContain('Credential=P/20260301/r/sns');
  });
});

describe('Jira', () => {
  const issue = (category: string) =>
    `{"issues":[{"key":"OPS-1","fields":{"status":{"statusCategory":{"key":"${category}"}}}}]}`;
  const fields = (url: string, more = '') =>
    `jira_configs: [{api_url: "${url}/rest/api/2", project: OPS, issue_type: Bug, ` +
    `labels: [tyto, '{{ .CommonLabels.severity }}'], resolve_transition: Done, ` +
    `reopen_transition: Reopen, reopen_duration: 1h, ` +
    `fields: {customfield_1: {value: '{{ .Status }}'}}, ` +
    `http_config: {basic_auth: {username: u, password: p}}${more}}]`;
  const asked = (requests: readonly { method: string; path: string }[]) =>
    requests.map(({ method, path }) => `${method} ${path.replace('/rest/api/2/', '')}`);

  it('gets an issue with the key of the group as a label', async () => {
    const { url, requests } = await record(() => ({ text: '{"issues":[]}' }));
    await deliver(fields(url));
    await deliver(fields(url), ended);
    // Nothing is made of what is over.
    expect(asked(requests)).toEqual(['POST search', 'POST issue', 'POST search']);
    expect(requests[0].body).toEqual({
      jql:
        '(resolutiondate is EMPTY OR resolutiondate >= -60m) and project="OPS" and ' +
        `labels="ALERT{${KEY_HASH}}" order by status ASC,resolutiondate DESC`,
      maxResults: 2,
      fields: ['status'],
    });
    expect(requests[2].body.jql).toContain('statusCategory != Done and project="OPS"');
    expect(requests[1].headers.authorization).toBe(`Basic ${btoa('u:p')}`);
    expect(requests[1].body).toEqual({
      fields: {
        project: { key: 'OPS' },
        issuetype: { name: 'Bug' },
        summary: SUBJECT,
        description: `\n\n# Alerts Firing:\n${MARKDOWN_LIST}\n\n\n\n`,
        labels: [`ALERT{${KEY_HASH}}`, 'critical', 'tyto'],
        priority: { name: 'High' },
        customfield_1: { value: 'firing' },
      },
    });
  });

  it('brings an issue up to date, resolves it and opens it again', async () => {
    const transitions = '{"transitions":[{"id":"11","name":"Done"},{"id":"12","name":"Reopen"}]}';
    const state = { category: 'new' };
    const { url, requests } = await record(({ method, path }) => ({
      text: path.endsWith('search') ? issue(state.category) : method === 'GET' ? transitions : '',
    }));
    const receiver = fields(url, ', description: {enable_update: false}');
    await deliver(receiver, ended);
    state.category = 'done';
    await deliver(receiver);
    expect(asked(requests)).toEqual([
      'POST search',
      'PUT issue/OPS-1',
      'GET issue/OPS-1/transitions',
      'POST issue/OPS-1/transitions',
      'POST search',
      'PUT issue/OPS-1',
      'GET issue/OPS-1/transitions',
      'POST issue/OPS-1/transitions',
    ]);
    expect(requests[1].body.fields).not.toHaveProperty('description');
    expect(requests[3].body).toEqual({ transition: { id: '11' } });
    expect(requests[7].body).toEqual({ transition: { id: '12' } });
  });

  it('says which transition there is not, and follows no key that is none', async () => {
    const texts = [issue('new'), '', '{"transitions":[]}', issue('new').replace('OPS-1', '../x')];
    const { url, requests } = await record((_, i) => ({ text: texts[i] ?? '{}' }));
    expect(await refusalOf(deliver(fields(url), ended))).toEqual({
      message: "can't find transition Done for issue OPS-1",
      retry: false,
    });
    await deliver(fields(url), ended);
    expect(requests).toHaveLength(4);
  });
});

it('is told in the time of the notification', () => {
  expect(notification().nowMs).toBe(NOW_MS);
});
