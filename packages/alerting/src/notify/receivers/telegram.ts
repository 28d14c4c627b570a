/** Telegram: sendMessage of the Bot API. */
import { yaml } from '@tyto/base';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import { NotifyError } from '../notification.ts';
import {
  below,
  httpFields,
  type Message,
  type ReceiverKind,
  template,
  text,
  timeout,
  webUrl,
} from '../receiverKind.ts';

const TEXT_RUNES_MAX = 4096;
/** Markup included. */
const HTML_BYTES_MAX = 32_768;
const PARSE_MODES = ['', 'Markdown', 'MarkdownV2', 'HTML'];
const TOO_LONG =
  'Alertmanager notification could not be sent: message length exceeds Telegram limits.\n' +
  'Please check the template used for producing the message content.';

const schema = yaml.checked(
  yaml.object(
    {
      ...httpFields(true),
      api_url: yaml.optional(webUrl, ''),
      bot_token: text,
      bot_token_file: yaml.optional(filePath, ''),
      chat_id: yaml.optional(yaml.integer(-Number.MAX_SAFE_INTEGER), 0),
      chat_id_file: yaml.optional(filePath, ''),
      message_thread_id: yaml.optional(yaml.integer(-Number.MAX_SAFE_INTEGER), 0),
      message: template('telegram.default.message'),
      disable_notifications: yaml.optional(yaml.boolean, false),
      parse_mode: yaml.optional(yaml.string, 'HTML'),
      timeout,
    },
    { name: 'telegram_config' },
  ),
  (config, node, decoder) => {
    const pairs = [
      ['bot_token', 'bot_token_file'],
      ['chat_id', 'chat_id_file'],
    ] as const;
    refuseBoth(config, pairs, node, decoder);
    if (config.chat_id === 0 && config.chat_id_file === '') {
      decoder.error(node, 'missing chat_id or chat_id_file on telegram_config');
    }
    if (!PARSE_MODES.includes(config.parse_mode)) {
      const message =
        'unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string';
      decoder.error(yaml.childNode(node, 'parse_mode'), message);
    }
  },
);

type Config = ReturnType<typeof schema>;

export const telegram: ReceiverKind<Config> = {
  name: 'telegram',
  schema,
  lacks(config, global) {
    const given = [config.bot_token, config.bot_token_file];
    const shared = [global.telegram_bot_token, global.telegram_bot_token_file];
    if ([...given, ...shared].some((token) => token !== '')) return undefined;
    return 'missing bot_token or bot_token_file on telegram_config';
  },
  notifier(config, global, tools) {
    const sender = tools.sender(config.http_config ?? global.http_config);
    const base = config.api_url || global.telegram_api_url;
    const token = secretOf(config.bot_token, config.bot_token_file) ??
      secretOf(global.telegram_bot_token, global.telegram_bot_token_file) ?? { value: '' };
    return async (message) => {
      const chat = await chatId(config);
      const url = below(base, `bot${await readSecret(token)}/sendMessage`);
      const call = { ...message.call(config.timeout), url };
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(bodyOf(config, message, chat));
      // Alertmanager tries again whatever Telegram answers: what it refuses passes, mostly.
      const answer = await sender.ask({ ...call, headers, body });
      checkAnswer(answer.status, answer.text);
      return undefined;
    };
  },
};

async function chatId(config: Config): Promise<string> {
  if (config.chat_id_file === '') return String(config.chat_id);
  const id = await readSecret({ file: config.chat_id_file });
  if (/^-?\d+$/.test(id)) return id;
  throw new NotifyError('the chat_id_file of a telegram_config holds no number', true);
}

function bodyOf(config: Config, message: Message, chat: string): Record<string, string> {
  return {
    chat_id: chat,
    text: textOf(config, message),
    disable_web_page_preview: 'true',
    ...(config.disable_notifications ? { disable_notification: 'true' } : {}),
    ...(config.parse_mode === '' ? {} : { parse_mode: config.parse_mode }),
    ...(config.message_thread_id === 0
      ? {}
      : { message_thread_id: String(config.message_thread_id) }),
  };
}

function textOf(config: Config, message: Message): string {
  if (config.parse_mode !== 'HTML') return message.cut(config.message, TEXT_RUNES_MAX, 'message');
  const html = message.html(config.message);
  const isTooLong =
    Buffer.byteLength(html) > HTML_BYTES_MAX || visibleLength(html) > TEXT_RUNES_MAX;
  // Cut markup would be refused.
  return isTooLong ? TOO_LONG : html;
}

/** Characters without tags; an entity is one. */
function visibleLength(html: string): number {
  const visible = html
    .replace(/<[^<>]*>/g, '')
    .replace(/&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9a-f]{1,6});?/gi, '.');
  return [...visible].length;
}

function checkAnswer(status: number, body: string): void {
  let answer: { ok?: unknown; description?: unknown; error_code?: unknown } = {};
  try {
    answer = (JSON.parse(body) as typeof answer) ?? {};
  } catch {
    // No JSON: it was not the API that answered.
  }
  if (answer.ok === true) return;
  const { description, error_code: code = status } = answer;
  const shown =
    typeof description === 'string' ? description.slice(0, 200) : 'no answer of its API';
  throw new NotifyError(`telegram: ${shown} (${String(code)})`, true);
}
