/** `http_config`: how requests to a receiver authenticate, encrypt, and which way they take. */
import { yaml } from '@tyto/base';
import type { ProxyConfig } from './proxy.ts';
import { filePath, refuseBoth, type Secret, secretOf } from './secret.ts';
import { NO_TLS, type TlsConfig, tlsConfig } from './tlsConfig.ts';

export interface CustomHeader {
  readonly name: string;
  readonly values: readonly Secret[];
}

export interface OAuth2Config {
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly tokenUrl: string;
  readonly scopes: readonly string[];
  readonly endpointParams: Readonly<Record<string, string>>;
  readonly tls: TlsConfig;
  readonly proxy: ProxyConfig;
}

export interface HttpConfig {
  readonly basicAuth: { readonly username: Secret; readonly password: Secret } | undefined;
  readonly authorization: { readonly type: string; readonly credentials: Secret } | undefined;
  readonly oauth2: OAuth2Config | undefined;
  readonly tls: TlsConfig;
  readonly proxy: ProxyConfig;
  readonly followRedirects: boolean;
  readonly headers: readonly CustomHeader[];
}

const NO_PROXY: ProxyConfig = { url: '', noProxy: '', fromEnvironment: false, connectHeaders: [] };

/** What is meant where there is no `http_config`. */
export const DEFAULT_HTTP: HttpConfig = {
  basicAuth: undefined,
  authorization: undefined,
  oauth2: undefined,
  tls: NO_TLS,
  proxy: NO_PROXY,
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
]);

const headerValues = yaml.object(
  {
    values: yaml.optional(yaml.list(yaml.string), (): string[] => []),
    secrets: yaml.optional(yaml.list(yaml.string), (): string[] => []),
    files: yaml.optional(yaml.list(filePath), (): string[] => []),
  },
  { name: 'http header' },
);

const tokenName: yaml.Schema<string> = (node, decoder) => {
  const name = yaml.string(node, decoder);
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) decoder.error(node, `"${name}" is no header name`);
  return name;
};

const ownHeaderName = yaml.checked(tokenName, (name, node, decoder) => {
  if (RESERVED_HEADERS.has(name.toLowerCase())) {
    decoder.error(node, `setting header "${name}" is not allowed`);
  }
});

const proxyFields = {
  proxy_url: yaml.optional(yaml.string, ''),
  no_proxy: yaml.optional(yaml.string, ''),
  proxy_from_environment: yaml.optional(yaml.boolean, false),
  proxy_connect_header: yaml.optional(
    yaml.record(yaml.listOrOne(yaml.string), tokenName),
    (): Record<string, string[]> => ({}),
  ),
};

const oauth2Fields = yaml.object(
  {
    client_id: yaml.optional(yaml.string, ''),
    client_secret: yaml.optional(yaml.string, ''),
    client_secret_file: yaml.optional(filePath, ''),
    scopes: yaml.optional(yaml.list(yaml.string), (): string[] => []),
    token_url: yaml.optional(yaml.string, ''),
    endpoint_params: yaml.optional(yaml.record(yaml.string), (): Record<string, string> => ({})),
    tls_config: yaml.optional(tlsConfig, NO_TLS),
    ...proxyFields,
  },
  { name: 'oauth2' },
);

const httpFields = yaml.object(
  {
    basic_auth: yaml.optional(
      yaml.object(
        {
          username: yaml.optional(yaml.string, ''),
          username_file: yaml.optional(filePath, ''),
          password: yaml.optional(yaml.string, ''),
          password_file: yaml.optional(filePath, ''),
        },
        { name: 'basic_auth' },
      ),
    ),
    authorization: yaml.optional(
      yaml.object(
        {
          type: yaml.optional(yaml.string, ''),
          credentials: yaml.optional(yaml.string, ''),
          credentials_file: yaml.optional(filePath, ''),
        },
        { name: 'authorization' },
      ),
    ),
    bearer_token: yaml.optional(yaml.string, ''),
    bearer_token_file: yaml.optional(filePath, ''),
    oauth2: yaml.optional(oauth2Fields),
    tls_config: yaml.optional(tlsConfig, NO_TLS),
    follow_redirects: yaml.optional(yaml.boolean, true),
    http_headers: yaml.optional(
      yaml.record(headerValues, ownHeaderName),
      (): Record<string, ReturnType<typeof headerValues>> => ({}),
    ),
    ...proxyFields,
  },
  {
    name: 'http_config',
    ignored: {
      enable_http2: 'requests are made with HTTP/1.1',
      idle_conn_timeout: 'connections are kept alive and reused as it is',
      max_idle_conns_per_host: 'connections are kept alive and reused as it is',
    },
  },
);

type Raw = ReturnType<typeof httpFields>;

export const httpConfig: yaml.Schema<HttpConfig> = (node, decoder) => {
  const raw = httpFields(node, decoder);
  checkCredentials(raw, node, decoder);
  const headers = Object.entries(raw.http_headers).map(([name, { values, secrets, files }]) => ({
    name,
    values: [...[...values, ...secrets].map((value) => ({ value })), ...files.map(inFile)],
  }));
  const { basic_auth: basic } = raw;
  return {
    basicAuth: basic && {
      username: secretOf(basic.username, basic.username_file) ?? { value: '' },
      password: secretOf(basic.password, basic.password_file) ?? { value: '' },
    },
    authorization: authorizationOf(raw),
    oauth2: raw.oauth2 && oauth2Of(raw.oauth2, yaml.childNode(node, 'oauth2'), decoder),
    tls: raw.tls_config,
    proxy: proxyOf(raw, node, decoder),
    followRedirects: raw.follow_redirects,
    headers,
  };
};

function inFile(file: string): Secret {
  return { file };
}

function authorizationOf(raw: Raw): HttpConfig['authorization'] {
  const bearer = secretOf(raw.bearer_token, raw.bearer_token_file);
  if (bearer !== undefined) return { type: 'Bearer', credentials: bearer };
  if (raw.authorization === undefined) return undefined;
  const { type, credentials, credentials_file: file } = raw.authorization;
  return {
    type: type.trim() === '' ? 'Bearer' : type.trim(),
    credentials: secretOf(credentials, file) ?? { value: '' },
  };
}

function oauth2Of(
  raw: ReturnType<typeof oauth2Fields>,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): OAuth2Config {
  if (raw.client_id === '') decoder.error(node, 'oauth2 client_id must be configured');
  if (raw.token_url === '') decoder.error(node, 'oauth2 token_url must be configured');
  else if (!URL.canParse(raw.token_url)) {
    decoder.error(yaml.childNode(node, 'token_url'), `not a web address: "${raw.token_url}"`);
  }
  if (raw.client_secret !== '' && raw.client_secret_file !== '') {
    decoder.error(
      yaml.childNode(node, 'client_secret_file'),
      'at most one of oauth2 client_secret & client_secret_file must be configured',
    );
  }
  return {
    clientId: raw.client_id,
    clientSecret: secretOf(raw.client_secret, raw.client_secret_file) ?? { value: '' },
    tokenUrl: raw.token_url,
    scopes: raw.scopes,
    endpointParams: raw.endpoint_params,
    tls: raw.tls_config,
    proxy: proxyOf(raw, node, decoder),
  };
}

function proxyOf(
  raw: Pick<Raw, 'proxy_url' | 'no_proxy' | 'proxy_from_environment' | 'proxy_connect_header'>,
  node: yaml.YamlNode,
  decoder: yaml.Decoder,
): ProxyConfig {
  const at = yaml.childNode(node, 'proxy_url');
  const { proxy_url: url, no_proxy: noProxy, proxy_from_environment: fromEnvironment } = raw;
  const headers = Object.entries(raw.proxy_connect_header);
  if (fromEnvironment && url !== '') {
    decoder.error(at, 'if proxy_from_environment is configured, proxy_url must not be configured');
  }
  if (fromEnvironment && noProxy !== '') {
    decoder.error(at, 'if proxy_from_environment is configured, no_proxy must not be configured');
  }
  if (noProxy !== '' && url === '') {
    decoder.error(at, 'if no_proxy is configured, proxy_url must also be configured');
  }
  if (headers.length > 0 && !fromEnvironment && url === '') {
    decoder.error(
      at,
      'if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be',
    );
  }
  if (/^[^/]*:\/\//.test(url) && !/^https?:\/\//i.test(url)) {
    decoder.error(at, `proxies are spoken to with http or https, not as in "${url}"`);
  }
  return {
    url,
    noProxy,
    fromEnvironment,
    connectHeaders: headers.map(([name, values]) => ({
      name,
      values: values.map((value) => ({ value })),
    })),
  };
}

function checkCredentials(raw: Raw, node: yaml.YamlNode, decoder: yaml.Decoder): void {
  const at = (field: string) => yaml.childNode(node, field);
  refuseBoth(raw, [['bearer_token', 'bearer_token_file']], node, decoder);
  const bearer = raw.bearer_token !== '' || raw.bearer_token_file !== '';
  if (raw.authorization !== undefined && bearer) {
    const message = 'authorization is not compatible with bearer_token & bearer_token_file';
    decoder.error(at('authorization'), message);
  }
  const { basic_auth: basic, authorization, oauth2 } = raw;
  const ways = [basic !== undefined, authorization !== undefined || bearer, oauth2 !== undefined];
  if (ways.filter(Boolean).length > 1) {
    const message = 'at most one of basic_auth, oauth2 & authorization must be configured';
    decoder.error(at(basic === undefined ? 'oauth2' : 'basic_auth'), message);
  }
  for (const name of ['username', 'password'] as const) {
    if (basic === undefined || basic[name] === '' || basic[`${name}_file`] === '') continue;
    const message = `at most one of basic_auth ${name} & ${name}_file must be configured`;
    decoder.error(at('basic_auth'), message);
  }
  if (authorization === undefined) return;
  if (authorization.credentials !== '' && authorization.credentials_file !== '') {
    const message =
      'at most one of authorization credentials & credentials_file must be configured';
    decoder.error(at('authorization'), message);
  }
  if (authorization.type.trim().toLowerCase() === 'basic') {
    const message = 'authorization type cannot be set to "basic", use "basic_auth" instead';
    decoder.error(at('authorization'), message);
  }
}
