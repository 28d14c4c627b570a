/** E-mail: what a mail says, whom it goes to, and how the server is spoken to. */
import { isIP } from 'node:net';
import { yaml } from '@tyto/base';
import addressparser from 'nodemailer/lib/addressparser/index.js';
import type { GlobalConfig } from '../globalConfig.ts';
import { filePath, readSecret, refuseBoth, secretOf } from '../http/secret.ts';
import { NO_TLS, tlsConfig, tlsOptions } from '../http/tlsConfig.ts';
import { NotifyError } from '../notification.ts';
import { type Message, type ReceiverKind, template, text } from '../receiverKind.ts';
import { deliver, type Envelope, type SmtpAccess } from '../smtp.ts';

const DEFAULT_SUBJECT = '{{ template "email.default.subject" . }}';
/** Of the key of a group, this much tells threads apart. */
const THREAD_KEY_LENGTH = 16;

/** A list of addresses as RFC 5322 writes them; empty items do not count. */
const addressList = yaml.checked(yaml.string, (list, node, decoder) => {
  if (list.includes('{{') || list === '') return;
  const bad = addressesOf(list).find((address) => !isAddress(address));
  if (bad !== undefined) decoder.error(node, `not an e-mail address: "${bad}"`);
});

/** `host:port`. */
export const hostPort = yaml.checked(yaml.string, (address, node, decoder) => {
  if (address === '') return;
  const port = /:([^:\]]*)$/.exec(address)?.[1];
  if (port === undefined) decoder.error(node, `address ${address}: missing port in address`);
  else if (port === '') decoder.error(node, `address "${address}": port cannot be empty`);
});

const threading = yaml.object(
  {
    enabled: yaml.optional(yaml.boolean, false),
    thread_by_date: yaml.optional(yaml.string, 'daily'),
  },
  { name: 'threading' },
);

const schema = yaml.checked(
  yaml.object(
    {
      send_resolved: yaml.optional(yaml.boolean, false),
      to: yaml.optional(addressList, ''),
      from: text,
      smarthost: yaml.optional(hostPort, ''),
      hello: text,
      auth_username: text,
      auth_password: text,
      auth_password_file: yaml.optional(filePath, ''),
      auth_secret: text,
      auth_secret_file: yaml.optional(filePath, ''),
      auth_identity: text,
      require_tls: yaml.optional(yaml.boolean),
      force_implicit_tls: yaml.optional(yaml.boolean),
      tls_config: yaml.optional(tlsConfig),
      headers: yaml.optional(yaml.record(yaml.string), (): Record<string, string> => ({})),
      html: template('email.default.html'),
      text,
      threading: yaml.optional(threading),
    },
    { name: 'email_config' },
  ),
  (config, node, decoder) => {
    if (config.to.trim() === '') decoder.error(node, 'missing to address in email config');
    const pairs = [
      ['auth_password', 'auth_password_file'],
      ['auth_secret', 'auth_secret_file'],
    ] as const;
    refuseBoth(config, pairs, node, decoder);
    checkHeaders(config, node, decoder);
  },
);

type Config = ReturnType<typeof schema>;

function checkHeaders(
  config: Pick<Config, 'headers' | 'threading'>,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): void {
  const at = yaml.childNode(node, 'headers');
  const seen = new Set<string>();
  for (const name of Object.keys(config.headers)) {
    const canonical = canonicalName(name);
    if (seen.has(canonical)) {
      decoder.error(at, `duplicate header "${canonical}" in email config`);
    }
    if (!/^[!-9;-~]+$/.test(name)) decoder.error(at, `"${name}" is no header name`);
    seen.add(canonical);
  }
  if (config.threading?.enabled !== true) return;
  for (const name of ['References', 'In-Reply-To'].filter((one) => seen.has(one))) {
    const conflict = `threading.enabled conflicts with custom ${name} header`;
    decoder.error(at, `conflicting configuration: ${conflict}`);
  }
  if (!['none', 'daily'].includes(config.threading.thread_by_date)) {
    const message = "threading.thread_by_date must be either 'none' or 'daily'";
    decoder.error(yaml.childNode(node, 'threading'), message);
  }
}

export const email: ReceiverKind<Config> = {
  name: 'email',
  schema,
  lacks(config, global) {
    if ((config.smarthost || global.smtp_smarthost) === '') return 'no global SMTP smarthost set';
    return (config.from || global.smtp_from) === '' ? 'no global SMTP from set' : undefined;
  },
  notifier(config, global, { logger }) {
    return async (message) => {
      const envelope = envelopeOf(config, global, message);
      const headers = headersOf(config, global, message);
      const mail = {
        envelope,
        from: headers.get('From'),
        to: headers.get('To'),
        subject: headers.get('Subject'),
        date: new Date(message.notification.nowMs),
        headers: ownHeaders(headers),
        ...threadOf(config, message),
        ...bodiesOf(config, message),
      };
      const access = await accessOf(config, global);
      const refused = await deliver(mail, access, message.signal);
      // Whom the server does not know keeps nobody else from being told, and is not told twice.
      if (refused.length > 0) {
        logger.error('the mail server refused some of the recipients', {
          server: `${access.host}:${access.port}`,
          recipients: refused.join(', '),
        });
      }
      return undefined;
    };
  },
};

function envelopeOf(config: Config, global: GlobalConfig, message: Message): Envelope {
  const from = addressesOf(message.text(config.from || global.smtp_from));
  if (from.length !== 1) {
    throw new NotifyError(`must be exactly one 'from' address (got: ${from.length})`, false);
  }
  const to = addressesOf(message.text(config.to));
  if (to.length === 0) throw new NotifyError("parse 'to' addresses: no address", false);
  const bad = [...from, ...to].find((address) => !isAddress(address));
  if (bad !== undefined) throw new NotifyError(`not an e-mail address: "${bad}"`, false);
  return { from: from[0], to };
}

function headersOf(config: Config, global: GlobalConfig, message: Message): Map<string, string> {
  const templates = new Map([
    ['Subject', DEFAULT_SUBJECT],
    ['To', config.to],
    ['From', config.from || global.smtp_from],
    ...Object.entries(config.headers).map(([name, value]): [string, string] => [
      canonicalName(name),
      value,
    ]),
  ]);
  return new Map([...templates].map(([name, value]) => [name, oneLine(message.text(value))]));
}

/** Those that are not of the mail itself. */
function ownHeaders(headers: ReadonlyMap<string, string>): Record<string, string> {
  const own = [...headers].filter(([name]) => !['From', 'To', 'Subject'].includes(name));
  return Object.fromEntries(own);
}

/** All mails of a group, or of a group and a day, answer one that never was. */
function threadOf(config: Config, message: Message): Record<string, string> {
  if (config.threading?.enabled !== true) return {};
  const date = new Date(message.notification.nowMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  const by = config.threading.thread_by_date === 'none' ? '' : day;
  const root = `<alert-${message.keyHash.slice(0, THREAD_KEY_LENGTH)}-${by}@alertmanager>`;
  return { references: root, inReplyTo: root };
}

function bodiesOf(config: Config, message: Message): Record<string, string> {
  return {
    ...(config.text === '' ? {} : { text: message.text(config.text) }),
    ...(config.html === '' ? {} : { html: message.html(config.html) }),
  };
}

async function accessOf(config: Config, global: GlobalConfig): Promise<SmtpAccess> {
  const smarthost = config.smarthost || global.smtp_smarthost;
  const separator = smarthost.lastIndexOf(':');
  const host = smarthost.slice(0, separator).replace(/^\[|\]$/g, '');
  const port = Number(smarthost.slice(separator + 1));
  const implicit = config.force_implicit_tls ?? global.smtp_force_implicit_tls;
  const tls = await tlsOptions(config.tls_config ?? global.smtp_tls_config ?? NO_TLS);
  const password =
    secretOf(config.auth_password, config.auth_password_file) ??
    secretOf(global.smtp_auth_password, global.smtp_auth_password_file);
  const secret =
    secretOf(config.auth_secret, config.auth_secret_file) ??
    secretOf(global.smtp_auth_secret, global.smtp_auth_secret_file);
  return {
    host,
    port,
    implicitTls: implicit ?? port === 465,
    requireTls: config.require_tls ?? global.smtp_require_tls,
    // An address is no name that a certificate could be checked against in the greeting.
    tls: isIP(host) === 0 && tls.servername === undefined ? { ...tls, servername: host } : tls,
    hello: config.hello || global.smtp_hello || 'localhost',
    username: config.auth_username || global.smtp_auth_username,
    identity: config.auth_identity || global.smtp_auth_identity,
    password: password === undefined ? '' : await readSecret(password),
    secret: secret === undefined ? '' : await readSecret(secret),
  };
}

function addressesOf(list: string): string[] {
  return addressparser(list, { flatten: true })
    .map(({ address }) => address ?? '')
    .filter((address) => address !== '');
}

/** One `@` between two things, and nothing that ends a command. */
function isAddress(address: string): boolean {
  return /^[^\s@<>]+@[^\s@<>]+$/.test(address);
}

/** `x-my-header` is `X-My-Header`, as Go writes it. */
function canonicalName(name: string): string {
  return name
    .toLowerCase()
    .replace(/(^|-)([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
}

/** A line break in a header would begin another header. */
function oneLine(value: string): string {
  return value.replace(/[\r\n]+/g, ' ').trim();
}
