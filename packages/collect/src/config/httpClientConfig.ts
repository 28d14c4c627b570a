/** `http_config`: how a request authenticates, encrypts and follows. Inlined in scrape configs. */
import { yaml } from '@tyto/base';
import { anything, filePath } from './fields.ts';

/** A secret, or the file that holds it, which is read anew for each request. */
export type Secret = { readonly value: string } | { readonly file: string };

export interface TlsConfig {
  readonly ca: Secret | undefined;
  readonly cert: Secret | undefined;
  readonly key: Secret | undefined;
  readonly serverName: string;
  readonly insecureSkipVerify: boolean;
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface CustomHeader {
  readonly name: string;
  readonly values: readonly Secret[];
}

export interface HttpClientConfig {
  readonly basicAuth: { readonly username: Secret; readonly password: Secret } | undefined;
  readonly authorization: { readonly type: string; readonly credentials: Secret } | undefined;
  readonly tls: TlsConfig;
  readonly followRedirects: boolean;
  readonly headers: readonly CustomHeader[];
}

const NO_TLS: TlsConfig = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  serverName: '',
  insecureSkipVerify: false,
  minVersion: undefined,
  maxVersion: undefined,
};

export const DEFAULT_HTTP_CLIENT: HttpClientConfig = {
  basicAuth: undefined,
  authorization: undefined,
  tls: NO_TLS,
  followRedirects: true,
  headers: [],
};

/** Headers that requests set themselves, in lower case. */
const RESERVED_HEADERS = new Set([
  'authorization',
  'host',
  'content-encoding',
  'content-length',
  'content-type',
  'user-agent',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'www-authenticate',
  'accept-encoding',
  'x-prometheus-remote-write-version',
  'x-prometheus-remote-read-version',
  'x-prometheus-scrape-timeout-seconds',
]);

const basicAuthSchema = yaml.object(
  {
    username: yaml.optional(yaml.string),
    username_file: yaml.optional(filePath),
    password: yaml.optional(yaml.string),
    password_file: yaml.optional(filePath),
  },
  { name: 'basic_auth' },
);

const authorizationSchema = yaml.object(
  {
    type: yaml.optional(yaml.string, ''),
    credentials: yaml.optional(yaml.string),
    credentials_file: yaml.optional(filePath),
  },
  { name: 'authorization' },
);

const TLS_VERSIONS = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const;
const tlsVersion: yaml.Schema<TlsVersion> = yaml.mapped(
  yaml.oneOf(['TLS12', 'TLS10', 'TLS11', 'TLS13']),
  (word) => TLS_VERSIONS[word],
  () => 'TLSv1.2',
);

const tlsFields = {
  ca: yaml.optional(yaml.string),
  ca_file: yaml.optional(filePath),
  cert: yaml.optional(yaml.string),
  cert_file: yaml.optional(filePath),
  key: yaml.optional(yaml.string),
  key_file: yaml.optional(filePath),
  server_name: yaml.optional(yaml.string, ''),
  insecure_skip_verify: yaml.optional(yaml.boolean, false),
  min_version: yaml.optional(tlsVersion),
  max_version: yaml.optional(tlsVersion),
};
const rawTlsSchema = yaml.object(tlsFields, { name: 'tls_config' });

/** `tls_config`. */
export const tlsConfigSchema: yaml.Schema<TlsConfig> = (node, decoder) => {
  const raw = rawTlsSchema(node, decoder);
  for (const name of ['ca', 'cert', 'key'] as const) {
    if (raw[name] !== undefined && raw[`${name}_file`] !== undefined) {
      decoder.error(node, `at most one of ${name} and ${name}_file must be configured`);
    }
  }
  const cert = secretOf(raw.cert, raw.cert_file);
  const key = secretOf(raw.key, raw.key_file);
  if (cert !== undefined && key === undefined) {
    decoder.error(node, 'a client certificate needs exactly one of key or key_file');
  }
  if (key !== undefined && cert === undefined) {
    decoder.error(node, 'a client key needs exactly one of cert or cert_file');
  }
  return {
    ca: secretOf(raw.ca, raw.ca_file),
    cert,
    key,
    serverName: raw.server_name,
    insecureSkipVerify: raw.insecure_skip_verify,
    minVersion: raw.min_version,
    maxVersion: raw.max_version,
  };
};

const headerSchema = yaml.object(
  {
    values: yaml.optional(yaml.list(yaml.string), () => []),
    secrets: yaml.optional(yaml.list(yaml.string), () => []),
    files: yaml.optional(yaml.list(filePath), () => []),
  },
  { name: 'http header' },
);

/** The name of a header that requests do not set themselves. */
export const headerName: yaml.Schema<string> = (node, decoder) => {
  const name = yaml.string(node, decoder);
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) decoder.error(node, `"${name}" is no header name`);
  if (RESERVED_HEADERS.has(name.toLowerCase())) {
    decoder.error(node, `setting header "${name}" is not allowed`);
  }
  return name;
};

interface RawHeader {
  values: string[];
  secrets: string[];
  files: string[];
}
const headersSchema: yaml.Schema<Record<string, RawHeader>> = yaml.record(headerSchema, headerName);

/** The fields of `http_config`, to be spread into the object that inlines them. */
export const httpClientFields = {
  basic_auth: yaml.optional(basicAuthSchema),
  authorization: yaml.optional(authorizationSchema),
  bearer_token: yaml.optional(yaml.string),
  bearer_token_file: yaml.optional(filePath),
  oauth2: yaml.optional(anything),
  tls_config: yaml.optional(tlsConfigSchema, NO_TLS),
  follow_redirects: yaml.optional(yaml.boolean, true),
  enable_http2: yaml.optional(yaml.boolean, true),
  proxy_url: yaml.optional(yaml.string, ''),
  no_proxy: yaml.optional(yaml.string, ''),
  proxy_from_environment: yaml.optional(yaml.boolean, false),
  proxy_connect_header: yaml.optional(anything),
  http_headers: yaml.optional(headersSchema, (): Record<string, RawHeader> => ({})),
};
type Raw = yaml.ObjectOf<typeof httpClientFields>;

/** `http_config` on its own. */
export const httpClientSchema: yaml.Schema<HttpClientConfig> = (node, decoder) =>
  toHttpClientConfig(
    yaml.object(httpClientFields, { name: 'http config' })(node, decoder),
    node,
    decoder,
  );

/** Judges the fields against each other and gives them their meaning. */
export function toHttpClientConfig(
  raw: Raw,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): HttpClientConfig {
  checkExclusive(raw, node, decoder);
  warnUnused(node, decoder);
  const headers = Object.entries(raw.http_headers).map(([name, header]) => ({
    name,
    values: [
      ...[...header.values, ...header.secrets].map((value) => ({ value })),
      ...header.files.map((file) => ({ file })),
    ],
  }));
  const { basic_auth: basic } = raw;
  return {
    basicAuth: basic && {
      username: secretOf(basic.username, basic.username_file) ?? { value: '' },
      password: secretOf(basic.password, basic.password_file) ?? { value: '' },
    },
    authorization: authorizationOf(raw),
    tls: raw.tls_config,
    followRedirects: raw.follow_redirects,
    headers,
  };
}

function authorizationOf(raw: Raw): HttpClientConfig['authorization'] {
  const bearer = secretOf(raw.bearer_token, raw.bearer_token_file);
  if (bearer !== undefined) return { type: 'Bearer', credentials: bearer };
  if (raw.authorization === undefined) return undefined;
  const { type, credentials, credentials_file: file } = raw.authorization;
  return {
    type: type.trim() === '' ? 'Bearer' : type.trim(),
    credentials: secretOf(credentials, file) ?? { value: '' },
  };
}

function checkExclusive(raw: Raw, node: yaml.YamlNode, decoder: yaml.Decoder): void {
  const at = (field: string) => yaml.childNode(node, field);
  const bearer = raw.bearer_token !== undefined || raw.bearer_token_file !== undefined;
  const oauth2 = yaml.writesField(node, 'oauth2');
  if (raw.bearer_token !== undefined && raw.bearer_token_file !== undefined) {
    const message = 'at most one of bearer_token & bearer_token_file must be configured';
    decoder.error(at('bearer_token_file'), message);
  }
  if (raw.authorization !== undefined && bearer) {
    const message = 'authorization is not compatible with bearer_token & bearer_token_file';
    decoder.error(at('authorization'), message);
  }
  const ways = [raw.basic_auth !== undefined, raw.authorization !== undefined || bearer, oauth2];
  if (ways.filter(Boolean).length > 1) {
    const message = 'at most one of basic_auth, oauth2 & authorization must be configured';
    decoder.error(at(raw.basic_auth === undefined ? 'oauth2' : 'basic_auth'), message);
  }
  for (const name of ['username', 'password'] as const) {
    if (raw.basic_auth?.[name] !== undefined && raw.basic_auth[`${name}_file`] !== undefined) {
      const message = `at most one of basic_auth ${name} & ${name}_file must be configured`;
      decoder.error(at('basic_auth'), message);
    }
  }
  const { authorization } = raw;
  if (authorization?.credentials !== undefined && authorization.credentials_file !== undefined) {
    const message =
      'at most one of authorization credentials & credentials_file must be configured';
    decoder.error(at('authorization'), message);
  }
  if (authorization?.type.trim().toLowerCase() === 'basic') {
    const message = 'authorization type cannot be set to "basic", use "basic_auth" instead';
    decoder.error(at('authorization'), message);
  }
  checkProxy(raw, node, decoder);
}

function checkProxy(raw: Raw, node: yaml.YamlNode, decoder: yaml.Decoder): void {
  const at = yaml.childNode(node, 'proxy_url');
  if (raw.proxy_url !== '' && !URL.canParse(raw.proxy_url)) {
    decoder.error(at, `not a valid URL: "${raw.proxy_url}"`);
  }
  if (raw.proxy_from_environment && (raw.proxy_url !== '' || raw.no_proxy !== '')) {
    const message = 'if proxy_from_environment is configured, proxy_url and no_proxy must not be';
    decoder.error(at, message);
  }
  if (raw.no_proxy !== '' && raw.proxy_url === '') {
    decoder.error(at, 'if no_proxy is configured, proxy_url must also be configured');
  }
}

const UNUSED: readonly (readonly [field: string, why: string])[] = [
  ['oauth2', 'requests are sent without a token'],
  ['proxy_url', 'requests go straight to the target'],
  ['proxy_from_environment', 'requests go straight to the target'],
  ['proxy_connect_header', 'requests go straight to the target'],
];

function warnUnused(node: yaml.YamlNode, decoder: yaml.Decoder): void {
  for (const [field, why] of UNUSED) {
    if (!yaml.writesField(node, field)) continue;
    decoder.warn(yaml.childNode(node, field), `"${field}" is accepted but not used yet: ${why}`);
  }
}

function secretOf(value: string | undefined, file: string | undefined): Secret | undefined {
  if (value !== undefined && value !== '') return { value };
  return file === undefined || file === '' ? undefined : { file };
}
