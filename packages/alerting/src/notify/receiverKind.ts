/** What the kinds of receivers have in common: their shape, their message, their YAML fields. */
import { type Logger, parseDuration, TytoError, yaml } from '@tyto/base';
import type { Labels } from '@tyto/model';
import type { GoStruct } from '@tyto/gotemplate';
import type { GlobalConfig } from './globalConfig.ts';
import { type HttpConfig, httpConfig } from './http/httpConfig.ts';
import { hashKey, type HttpSender } from './http/httpSender.ts';
import type { Environment } from './http/proxy.ts';
import { type Notification, type NotifyData, NotifyError } from './notification.ts';
import type { NotifyTemplates } from './notifyTemplate.ts';
import { alertsOf, common, statusOf, templateData } from './templateData.ts';
import { truncateRunes } from './truncate.ts';

/** A kind of receiver, `<name>_configs`; its file holds all that is known of it. */
export interface ReceiverKind<C extends { readonly send_resolved: boolean }> {
  readonly name: string;
  readonly schema: yaml.Schema<C>;
  /** What a configuration lacks although the section `global` could give it. */
  lacks?(config: C, global: GlobalConfig): string | undefined;
  /** `config` has no errors. */
  notifier(config: C, global: GlobalConfig, tools: NotifierTools): Notifier;
}

export interface NotifierTools {
  readonly logger: Logger;
  readonly environment: Environment;
  sender(http: HttpConfig | undefined): HttpSender;
}

/** Delivers; rejects with NotifyError, or with the TytoError of a template. */
export type Notifier = (message: Message) => Promise<NotifyData | undefined>;

/** A notification, with its templates at hand. */
export class Message {
  readonly notification: Notification;
  readonly status: 'firing' | 'resolved';
  readonly signal: AbortSignal;
  readonly #templates: NotifyTemplates;
  readonly #logger: Logger;
  #data: GoStruct | undefined;

  constructor(
    notification: Notification,
    templates: NotifyTemplates,
    logger: Logger,
    signal: AbortSignal,
  ) {
    this.notification = notification;
    this.status = statusOf(notification);
    this.signal = signal;
    this.#templates = templates;
    this.#logger = logger;
  }

  /** What templates see: made when the first of them asks. */
  get data(): GoStruct {
    this.#data ??= templateData(this.notification);
    return this.#data;
  }

  /** Expands a field. Throws NotifyError: a template that fails now fails the next time. */
  text(template: string): string {
    return this.#expand(template, false);
  }

  html(template: string): string {
    return this.#expand(template, true);
  }

  /** Expands, and cuts what the receiver would not take. */
  cut(template: string, runesMax: number, what: string): string {
    return this.cutText(this.text(template), runesMax, what);
  }

  cutText(text: string, runesMax: number, what: string): string {
    const shown = truncateRunes(text, runesMax);
    if (shown !== text) this.logger.warn(`the ${what} was cut`, { characters: runesMax });
    return shown;
  }

  get logger(): Logger {
    return this.#logger;
  }

  get commonLabels(): Labels {
    return common(alertsOf(this.notification).map(({ labels }) => labels));
  }

  /** The same for all notifications of a group, and for no other. */
  get keyHash(): string {
    return hashKey(this.notification.groupKey);
  }

  /** What each request takes; `timeoutMs` 0 sets none. */
  call(timeoutMs = 0): { readonly signal: AbortSignal; readonly nowMs: number } {
    const { nowMs } = this.notification;
    if (timeoutMs === 0) return { signal: this.signal, nowMs };
    return { signal: eitherOf(this.signal, AbortSignal.timeout(timeoutMs)), nowMs };
  }

  #expand(template: string, html: boolean): string {
    // Most addresses are no templates, and need no data to be made for them.
    if (!template.includes('{{')) return template;
    try {
      return this.#templates.expand(template, this.data, html);
    } catch (error) {
      if (!(error instanceof TytoError)) throw error;
      throw new NotifyError(`template: ${error.message}`, false, error);
    }
  }
}

/**
 * Aborted with the first of the two. Not AbortSignal.any: in Node.js 20 what it makes may be
 * collected with its timeout before that fires, and the request would wait for ever.
 */
function eitherOf(first: AbortSignal, second: AbortSignal): AbortSignal {
  const controller = new AbortController();
  for (const signal of [first, second]) {
    if (signal.aborted) controller.abort();
    else signal.addEventListener('abort', () => controller.abort(), { once: true });
  }
  return controller.signal;
}

/** Fields that every HTTP receiver has. */
export function httpFields(sendsResolved: boolean) {
  return {
    send_resolved: yaml.optional(yaml.boolean, sendsResolved),
    http_config: yaml.optional(httpConfig),
  };
}

/** A text; '' where it is not written. */
export const text = yaml.optional(yaml.string, '');

/** A template; the default one of this name where it is not written. */
export function template(name: string): yaml.Field<string> {
  return yaml.optional(yaml.string, `{{ template "${name}" . }}`);
}

/** A time limit in milliseconds; 0 for none. */
export const timeout = yaml.optional(yaml.duration, 0);

/** Go's notation too, with fractions: `1.5h`. In milliseconds. */
export const goDuration: yaml.Schema<number> = (node, decoder) => {
  const given = yaml.string(node, decoder);
  const ms = parseDuration(given) ?? fractions(given);
  if (ms === undefined) {
    decoder.error(node, `not a valid duration: "${given}"; write for example 30s, 5m or 1h30m`);
  }
  return ms ?? 0;
};

function fractions(given: string): number | undefined {
  const units: Readonly<Record<string, number>> = { h: 3600_000, m: 60_000, s: 1000, ms: 1 };
  if (!/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(given)) return undefined;
  let ms = 0;
  for (const [, number, , unit] of given.matchAll(/(\d+(\.\d+)?)(ms|h|m|s)/g)) {
    ms += Number(number) * units[unit];
  }
  return ms;
}

/** A web address, '' where it is not written; templates are judged when they are used. */
export const webUrl: yaml.Schema<string> = (node, decoder) => {
  const url = yaml.string(node, decoder);
  if (url !== '') checkUrl(url, node, decoder);
  return url;
};

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

/** Whatever YAML it is, as plain values. */
export const plainValue: yaml.Schema<unknown> = (node) => node?.toJSON() ?? null;

/** `base` with `path` below it, whether or not it ends with a slash. */
export function below(base: string, path: string): string {
  return base.endsWith('/') ? base + path : `${base}/${path}`;
}

/** The record without what is empty, as Go's `omitempty` leaves it out. */
export function withoutEmpty(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isEmpty = (value: unknown) =>
    value === '' ||
    value === undefined ||
    value === false ||
    (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(record).filter(([, value]) => !isEmpty(value)));
}

/** The comma-separated parts that say something. */
export function commaSeparated(list: string): string[] {
  return list
    .trim()
    .split(',')
    .filter((part) => part !== '');
}
