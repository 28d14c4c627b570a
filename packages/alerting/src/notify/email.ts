/** E-mail over SMTP. Port 465 is TLS from the start; elsewhere STARTTLS, demanded by default. */
import { errorMessage } from '@tyto/base';
import { createTransport } from 'nodemailer';
import type { GlobalConfig } from './globalConfig.ts';
import type { EmailConfig } from './receiverConfig.ts';
import { readSecret } from './httpSend.ts';
import { type Integration, NotifyError } from './notification.ts';
import type { NotifyTemplates } from './notifyTemplate.ts';
import { templateData } from './templateData.ts';

const CONNECT_TIMEOUT_MS = 15_000;
const DEFAULT_SUBJECT = '{{ template "email.default.subject" . }}';

export function emailIntegration(
  config: EmailConfig,
  index: number,
  global: GlobalConfig,
  templates: NotifyTemplates,
): Integration {
  return {
    kind: 'email',
    index,
    sendResolved: config.send_resolved,
    async notify(notification, signal) {
      const data = templateData(notification);
      const headers = new Map(
        Object.entries(config.headers).map(([name, value]) => [
          name.toLowerCase(),
          oneLine(templates.expand(value, data)),
        ]),
      );
      const subject = headers.get('subject') ?? oneLine(templates.expand(DEFAULT_SUBJECT, data));
      headers.delete('subject');
      const html = templates.expand(config.html, data, true);
      const text = templates.expand(config.text, data);
      const mail = {
        from: templates.expand(config.from || global.smtp_from, data),
        to: templates.expand(config.to, data),
        subject,
        headers: Object.fromEntries(headers),
        ...(html === '' ? {} : { html }),
        ...(text === '' ? {} : { text }),
      };
      await deliver(mail, config, global, signal);
      return undefined;
    },
  };
}

async function deliver(
  mail: Record<string, unknown>,
  config: EmailConfig,
  global: GlobalConfig,
  signal: AbortSignal,
): Promise<void> {
  const transport = createTransport(await transportOptions(config, global));
  const abort = () => transport.close();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await transport.sendMail(mail);
  } catch (error) {
    // 5xx answers are the server's last word; all else may pass.
    const code = (error as { responseCode?: number }).responseCode;
    const isFinal = code !== undefined && code >= 500;
    throw new NotifyError(`SMTP: ${errorMessage(error)}`, !isFinal, error);
  } finally {
    signal.removeEventListener('abort', abort);
    transport.close();
  }
}

async function transportOptions(config: EmailConfig, global: GlobalConfig) {
  const smarthost = config.smarthost || global.smtp_smarthost;
  const separator = smarthost.lastIndexOf(':');
  if (separator <= 0) throw new NotifyError(`smarthost "${smarthost}" lacks its port`, false);
  const host = smarthost.slice(0, separator).replace(/^\[|\]$/g, '');
  const port = Number(smarthost.slice(separator + 1));
  const requireTls = config.require_tls ?? global.smtp_require_tls;
  const user = config.auth_username || global.smtp_auth_username;
  const tls = config.tls_config;
  return {
    host,
    port,
    secure: port === 465,
    requireTLS: requireTls && port !== 465,
    ignoreTLS: !requireTls,
    name: config.hello || global.smtp_hello || 'localhost',
    ...(user === '' ? {} : { auth: { user, pass: await password(config, global) } }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: 2 * CONNECT_TIMEOUT_MS,
    tls: {
      rejectUnauthorized: !(tls?.insecure_skip_verify ?? false),
      ...(tls?.server_name ? { servername: tls.server_name } : {}),
      ...(tls?.ca_file ? { ca: await readSecret(tls.ca_file) } : {}),
    },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

async function password(config: EmailConfig, global: GlobalConfig): Promise<string> {
  if (config.auth_password !== '') return config.auth_password;
  if (config.auth_password_file !== '') return readSecret(config.auth_password_file);
  if (global.smtp_auth_password !== '') return global.smtp_auth_password;
  return global.smtp_auth_password_file === '' ? '' : readSecret(global.smtp_auth_password_file);
}

/** A line break in a header would begin another header. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').trim();
}
