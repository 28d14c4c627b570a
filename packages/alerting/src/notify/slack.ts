/** Slack: one message with an attachment, over an incoming webhook or chat.postMessage. */
import type { GlobalConfig } from './globalConfig.ts';
import type { SlackConfig } from './receiverConfig.ts';
import { postJson, readSecret } from './httpSend.ts';
import { type Integration, type Notification, NotifyError } from './notification.ts';
import type { NotifyTemplates } from './notifyTemplate.ts';
import { templateData } from './templateData.ts';

/** Slack cuts longer titles itself, in the middle of what they say. */
const TITLE_LENGTH_MAX = 1024;

export function slackIntegration(
  config: SlackConfig,
  index: number,
  global: GlobalConfig,
  templates: NotifyTemplates,
): Integration {
  return {
    kind: 'slack',
    index,
    sendResolved: config.send_resolved,
    async notify(notification, signal) {
      const url = await apiUrl(config, global);
      const message = slackMessage(config, notification, templates);
      const answer = await postJson(url, message, config.http_config ?? global.http_config, signal);
      checkAnswer(answer);
      return undefined;
    },
  };
}

async function apiUrl(config: SlackConfig, global: GlobalConfig): Promise<string> {
  if (config.api_url !== '') return config.api_url;
  if (config.api_url_file !== '') return readSecret(config.api_url_file);
  return global.slack_api_url === '' ? readSecret(global.slack_api_url_file) : global.slack_api_url;
}

/** chat.postMessage answers 200 with {"ok": false}; an incoming webhook answers "ok". */
function checkAnswer(answer: string): void {
  if (!answer.startsWith('{')) return;
  let parsed: { ok?: boolean; error?: string };
  try {
    parsed = JSON.parse(answer) as { ok?: boolean; error?: string };
  } catch {
    return;
  }
  if (parsed.ok === false) throw new NotifyError(`Slack refused: ${parsed.error ?? answer}`, false);
}

function slackMessage(
  config: SlackConfig,
  notification: Notification,
  templates: NotifyTemplates,
): unknown {
  const data = templateData(notification);
  const expand = (text: string) => templates.expand(text, data);
  const attachment = {
    title: truncate(expand(config.title), TITLE_LENGTH_MAX),
    title_link: expand(config.title_link),
    pretext: expand(config.pretext),
    text: expand(config.text),
    fallback: expand(config.fallback),
    callback_id: expand(config.callback_id),
    image_url: expand(config.image_url),
    thumb_url: expand(config.thumb_url),
    footer: expand(config.footer),
    color: expand(config.color),
    mrkdwn_in: config.mrkdwn_in,
    fields: config.fields.map((field) => ({
      title: expand(field.title),
      value: expand(field.value),
      short: field.short ?? config.short_fields,
    })),
    actions: config.actions.map((action) => actionJson(action, expand)),
  };
  return withoutEmpty({
    channel: expand(config.channel),
    username: expand(config.username),
    icon_emoji: expand(config.icon_emoji),
    icon_url: expand(config.icon_url),
    link_names: config.link_names,
    text: expand(config.message_text),
    attachments: [withoutEmpty(attachment)],
  });
}

function actionJson(
  action: SlackConfig['actions'][number],
  expand: (text: string) => string,
): unknown {
  const confirm = action.confirm;
  return withoutEmpty({
    type: expand(action.type),
    text: expand(action.text),
    url: expand(action.url),
    style: expand(action.style),
    name: expand(action.name),
    value: expand(action.value),
    confirm:
      confirm === undefined
        ? undefined
        : withoutEmpty({
            text: expand(confirm.text),
            title: expand(confirm.title),
            ok_text: expand(confirm.ok_text),
            dismiss_text: expand(confirm.dismiss_text),
          }),
  });
}

function withoutEmpty(record: Record<string, unknown>): Record<string, unknown> {
  const isEmpty = (value: unknown) =>
    value === '' || value === undefined || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(record).filter(([, value]) => !isEmpty(value)));
}

function truncate(text: string, lengthMax: number): string {
  const characters = [...text];
  return characters.length <= lengthMax ? text : `${characters.slice(0, lengthMax - 1).join('')}…`;
}
