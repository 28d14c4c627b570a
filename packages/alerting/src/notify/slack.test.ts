import { afterEach, describe, expect, it } from 'vitest';
import {
  alert,
  deliver,
  ended,
  integrationsOf,
  notification,
  record,
  refusalOf,
  stopServers,
} from './testing.ts';

afterEach(stopServers);

const webhookOk = { text: 'ok', headers: { 'content-type': 'text/html' } };
const LINK = 'http://tyto:9090/#/alerts?receiver=team';

describe('Slack', () => {
  it('gets one message with an attachment over a webhook', async () => {
    const { url, requests } = await record(() => webhookOk);
    await deliver(`slack_configs: [{api_url: "${url}/services/x", channel: '#ops'}]`);
    expect(requests[0].path).toBe('/services/x');
    expect(requests[0].body).toEqual({
      channel: '#ops',
      username: 'Alertmanager',
      attachments: [
        {
          title: '[FIRING:1] PoolEmpty (critical)',
          title_link: LINK,
          text: '',
          fallback: `[FIRING:1] PoolEmpty (critical) | ${LINK}`,
          callback_id: '',
          footer: '',
          color: 'danger',
          mrkdwn_in: ['fallback', 'pretext', 'text'],
        },
      ],
    });
  });

  it('gets fields, buttons and questions before them', async () => {
    const { url, requests } = await record(() => webhookOk);
    const confirm = '{text: Sure, ok_text: Yes}';
    const fields =
      `short_fields: true, fields: [{title: a, value: '{{ .Status }}'}, ` +
      `{title: b, value: c, short: false}], actions: [{type: button, text: Open, ` +
      `url: 'https://x/{{ .GroupLabels.alertname }}', name: ignored, confirm: ${confirm}}, ` +
      `{type: button, text: Ack, name: ack, value: '1', style: primary, confirm: ${confirm}}], ` +
      `link_names: true, message_text: hi, title: '{{ .CommonAnnotations.t }}'`;
    const firing = [alert({}, { t: 'x'.repeat(2000) })];
    await deliver(`slack_configs: [{api_url: "${url}", ${fields}}]`, { firing });
    const { attachments, ...message } = requests[0].body;
    expect(message).toEqual({ username: 'Alertmanager', link_names: true, text: 'hi' });
    expect(attachments[0].title).toHaveLength(1024);
    expect(attachments[0].fields).toEqual([
      { title: 'a', value: 'firing', short: true },
      { title: 'b', value: 'c', short: false },
    ]);
    expect(attachments[0].actions).toEqual([
      { type: 'button', text: 'Open', url: 'https://x/PoolEmpty' },
      {
        type: 'button',
        text: 'Ack',
        name: 'ack',
        value: '1',
        style: 'primary',
        confirm: { text: 'Sure', ok_text: 'Yes' },
      },
    ]);
  });

  it('is told who does not take it: 200 may be a refusal', async () => {
    const answers = [
      { text: '{"ok":false,"error":"channel_not_found"}' },
      { text: 'invalid_token', headers: { 'content-type': 'text/plain' } },
      { text: '{"ok":', headers: { 'content-type': 'application/json' } },
      { status: 500, text: 'rollup' },
    ];
    const { url } = await record((_, i) => answers[i]);
    const tell = () => refusalOf(deliver(`slack_configs: [{api_url: "${url}", channel: a}]`));
    const start = 'channel "a": error response from Slack: ';
    expect(await tell()).toEqual({ message: `${start}channel_not_found`, retry: false });
    expect(await tell()).toEqual({ message: `${start}invalid_token`, retry: false });
    expect((await tell()).retry).toBe(true);
    expect((await tell()).retry).toBe(true);
  });

  it('as an app is posted to with its token, and its message is updated', async () => {
    const { url, requests } = await record(() => ({
      text: '{"ok":true,"ts":"17.01","channel":"C1"}',
    }));
    const receiver =
      "slack_configs: [{channel: '#ops', app_token: xoxb-1, " +
      `app_url: "${url}/api/chat.postMessage", update_message: true, send_resolved: true}]`;
    const data = (await deliver(receiver)) ?? {};
    expect(data).toEqual({ threadTs: '17.01', channelId: 'C1' });
    await deliver(receiver, { ...ended, data });
    expect(requests.map(({ path }) => path)).toEqual(['/api/chat.postMessage', '/api/chat.update']);
    expect(requests[0].headers.authorization).toBe('Bearer xoxb-1');
    expect(requests[1].body).toMatchObject({ ts: '17.01', channel: 'C1' });
    expect(requests[1].body.attachments[0].title).toBe('[RESOLVED] PoolEmpty (critical)');
  });

  it('gets a new message where the one to update is gone', async () => {
    const { url, requests } = await record(({ path }) => ({
      text: path.endsWith('update')
        ? '{"ok":false,"error":"message_not_found"}'
        : '{"ok":true,"ts":"18.01","channel":"C1"}',
    }));
    const receiver =
      `slack_configs: [{channel: '#ops', api_url: "${url}/api/chat.postMessage", ` +
      'update_message: true, http_config: {authorization: {credentials: t}}}]';
    const data = await deliver(receiver, { data: { threadTs: '1', channelId: 'C1' } });
    expect(data).toEqual({ threadTs: '18.01', channelId: 'C1' });
    expect(requests[1].body).toMatchObject({ channel: '#ops' });
    expect(requests[1].body).not.toHaveProperty('ts');
  });

  it('is not configured in two ways, nor to update what only an app may', () => {
    const auth = 'http_config: {authorization: {credentials: x}}';
    const cases: [string, string][] = [
      ['channel: a', 'no Slack API URL nor App token set'],
      ["api_url: 'http://a', app_token: b", 'at most one of api_url/api_url_file & app_token'],
      [`app_token: a, ${auth}`, "http authorization can't be set when using Slack App tokens"],
      ["api_url: 'http://a/x', update_message: true", 'update_message can only be used with bot'],
      ["api_url: 'http://a', actions: [{type: button, text: b}]", 'missing name or url in Slack'],
      ["api_url: 'http://a', fields: [{title: b}]", 'the field "value" is missing'],
    ];
    for (const [fields, message] of cases) {
      expect(() => integrationsOf(`slack_configs: [{${fields}}]`), fields).toThrow(message);
    }
    const shared = '{slack_app_token: shared}';
    expect(integrationsOf('slack_configs: [{update_message: true}]', shared)).toHaveLength(1);
  });

  it('takes the token of the section global only where it has no way of its own', async () => {
    const { url, requests } = await record(() => webhookOk);
    const global = `{slack_app_token: shared, slack_app_url: "${url}/app"}`;
    const receiver =
      `slack_configs: [{channel: a}, {channel: b, api_url: "${url}/own"}, ` +
      '{channel: c, app_token: mine}]';
    for (const one of integrationsOf(receiver, global)) {
      await one.notify(notification(), AbortSignal.timeout(5000));
    }
    const seen = requests.map(({ path, headers }) => `${path} ${headers.authorization}`);
    expect(seen).toEqual(['/app Bearer shared', '/own undefined', '/app Bearer mine']);
  });
});
