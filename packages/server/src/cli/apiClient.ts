/** Questions to the HTTP API of a server, Tyto or Prometheus, with promtool's options. */
import { TytoError, yaml } from '@tyto/base';
import {
  DEFAULT_HTTP_CLIENT,
  type HttpClientConfig,
  httpClientSchema,
  NodeHttpClient,
} from '@tyto/collect';
import { readConfigFile } from '../config/load.ts';
import type { FlagDefinition } from './flags.ts';
import { parseTime } from './times.ts';

/** One answer may be this large; it is held in memory as a whole. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
const TIMEOUT_MS = 5 * 60_000;

export const HTTP_CONFIG_FLAG: FlagDefinition = {
  name: 'http.config.file',
  kind: 'text',
  fallback: '',
  help: 'A file with authentication and TLS, as in a scrape config.',
};

export const HEADER_FLAG: FlagDefinition = {
  name: 'header',
  kind: 'text',
  fallback: '',
  help: 'A header to send, name=value; may be given again.',
};

export interface ApiSettings {
  readonly url: string;
  /** '' for none. */
  readonly httpConfigFile: string;
  /** `name=value` each. */
  readonly headers: readonly string[];
}

export interface ApiAnswer {
  readonly data: unknown;
  readonly warnings: readonly string[];
}

export type Parameters = readonly (readonly [name: string, value: string])[];

export class ApiClient {
  readonly #base: string;
  readonly #http: NodeHttpClient;
  readonly #headers: Record<string, string>;

  private constructor(base: string, http: NodeHttpClient, headers: Record<string, string>) {
    this.#base = base;
    this.#http = http;
    this.#headers = headers;
  }

  /** Rejects with TytoError `bad_data` for a URL, a file or a header that is none. */
  static async open({ url, httpConfigFile, headers }: ApiSettings): Promise<ApiClient> {
    const text = /^https?:\/\//.test(url) ? url : `http://${url}`;
    if (!URL.canParse(text)) throw new TytoError('bad_data', `"${url}" is no web address`);
    const parsed = new URL(text);
    let config = await readHttpConfig(httpConfigFile);
    if (parsed.username !== '') {
      const [username, password] = [parsed.username, parsed.password].map(decodeURIComponent);
      config = {
        ...config,
        basicAuth: { username: { value: username }, password: { value: password } },
      };
      parsed.username = '';
      parsed.password = '';
    }
    const base = parsed.href.replace(/\/$/, '');
    return new ApiClient(base, new NodeHttpClient(config), parseHeaders(headers));
  }

  /** Rejects with TytoError: the server's own words where it refuses. */
  async post(path: string, parameters: Parameters): Promise<ApiAnswer> {
    const body = encode(parameters);
    const { status, body: answer } = await this.#http.post({
      url: `${this.#base}${path}`,
      headers: { ...this.#headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      bodyBytesMax: ANSWER_BYTES_MAX,
    });
    return this.#read(path, status, answer);
  }

  /** Like `post`, for what can only be asked so. */
  async get(path: string, parameters: Parameters): Promise<ApiAnswer> {
    const query = encode(parameters);
    const { status, body } = await this.#http.get({
      url: `${this.#base}${path}?${query}`,
      headers: this.#headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      bodyBytesMax: ANSWER_BYTES_MAX,
    });
    return this.#read(path, status, body);
  }

  /** The text of a page. Rejects with TytoError for another status than 2xx. */
  async page(path: string, timeoutMs: number): Promise<string> {
    const { status, body } = await this.#http.get({
      url: `${this.#base}${path}`,
      headers: this.#headers,
      signal: AbortSignal.timeout(timeoutMs),
      bodyBytesMax: ANSWER_BYTES_MAX,
    });
    if (status >= 200 && status < 300) return Buffer.from(body).toString('utf8').trim();
    throw new TytoError('unavailable', `${this.#base}${path}: status ${status}`);
  }

  /** Posts bytes as they are. Resolves to the status and the beginning of the answer. */
  async send(
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    timeoutMs: number,
  ): Promise<{ status: number; text: string }> {
    const answer = await this.#http.post({
      url: this.#base,
      headers: { ...headers, ...this.#headers },
      body,
      signal: AbortSignal.timeout(timeoutMs),
      bodyBytesMax: ANSWER_BYTES_MAX,
    });
    return { status: answer.status, text: Buffer.from(answer.body).toString('utf8').trim() };
  }

  close(): void {
    this.#http.close();
  }

  #read(path: string, status: number, body: Uint8Array): ApiAnswer {
    const text = Buffer.from(body).toString('utf8');
    const answer = parseJson(text);
    if (status >= 200 && status < 300 && answer?.status === 'success') {
      const warnings = Array.isArray(answer.warnings) ? answer.warnings.map(String) : [];
      return { data: answer.data, warnings };
    }
    const reason = typeof answer?.error === 'string' ? answer.error : text.slice(0, 200).trim();
    throw new TytoError('unavailable', `${this.#base}${path}: status ${status}: ${reason}`);
  }
}

function encode(parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of parameters) query.append(name, value);
  return query.toString();
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

async function readHttpConfig(file: string): Promise<HttpClientConfig> {
  if (file === '') return DEFAULT_HTTP_CLIENT;
  const { value, problems } = yaml.decodeYaml(await readConfigFile(file), file, httpClientSchema);
  if (value === undefined || yaml.hasErrors(problems)) {
    throw new TytoError('bad_data', yaml.formatProblems(problems));
  }
  return value;
}

function parseHeaders(headers: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    headers.map((header) => {
      const match = /^([\w-]+)=(.*)$/s.exec(header);
      if (match !== null) return [match[1].toLowerCase(), match[2]];
      throw new TytoError('bad_data', `--header: "${header}" is not name=value`);
    }),
  );
}

/** A time of a flag in seconds, as the API takes it; `fallbackMs` where it is not given. */
export function timeParameter(flag: string, text: string, fallbackMs: number): string {
  if (text === '') return String(fallbackMs / 1000);
  try {
    return String(parseTime(text) / 1000);
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    throw new TytoError('bad_data', `--${flag}: ${error.message}`);
  }
}
