/**
 * `tyto check web-config`: the files with which Prometheus and its exporters are told of TLS,
 * headers and users. Specification: exporter-toolkit's web configuration.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { errorMessage, TytoError, yaml } from '@tyto/base';
import { readConfigFile } from '../../config/load.ts';

const VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
const CLIENT_AUTH = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'RequireClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
const HEADERS = [
  'Strict-Transport-Security',
  'X-Content-Type-Options',
  'X-Frame-Options',
  'X-XSS-Protection',
  'Content-Security-Policy',
] as const;
const BCRYPT = /^\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}$/;

const words = yaml.optional(yaml.list(yaml.string), () => []);

const tlsSchema = yaml.object(
  {
    cert_file: yaml.optional(yaml.string, ''),
    key_file: yaml.optional(yaml.string, ''),
    cert: yaml.optional(yaml.string, ''),
    key: yaml.optional(yaml.string, ''),
    client_auth_type: yaml.optional(yaml.oneOf(['', ...CLIENT_AUTH]), '' as const),
    client_ca_file: yaml.optional(yaml.string, ''),
    client_ca: yaml.optional(yaml.string, ''),
    client_allowed_sans: words,
    min_version: yaml.optional(yaml.oneOf(VERSIONS)),
    max_version: yaml.optional(yaml.oneOf(VERSIONS)),
    cipher_suites: words,
    prefer_server_cipher_suites: yaml.optional(yaml.boolean, true),
    curve_preferences: words,
  },
  { name: 'tls_server_config' },
);

const httpSchema = yaml.object(
  {
    http2: yaml.optional(yaml.boolean, true),
    headers: yaml.optional(yaml.record(yaml.string, yaml.oneOf(HEADERS)), () => ({})),
  },
  { name: 'http_server_config' },
);

const usersSchema = yaml.checked(yaml.record(yaml.string), (users, node, decoder) => {
  for (const [name, hash] of Object.entries(users)) {
    if (BCRYPT.test(hash)) continue;
    const message = `the password of ${name} is no bcrypt hash; htpasswd -nBC 10 makes one`;
    decoder.error(yaml.childNode(node, name), message);
  }
});

const fileSchema = yaml.object(
  {
    tls_server_config: yaml.optional(tlsSchema),
    http_server_config: yaml.optional(httpSchema),
    basic_auth_users: yaml.optional(usersSchema),
    rate_limit: yaml.optional(
      yaml.object(
        {
          burst: yaml.optional(yaml.integer()),
          interval: yaml.optional(yaml.duration),
        },
        { name: 'rate_limit' },
      ),
    ),
  },
  { name: 'web configuration' },
);

type TlsSection = ReturnType<typeof tlsSchema>;

/** What is wrong with a file, a line each; '' for nothing. Rejects where it cannot be read. */
export async function checkWebConfig(file: string): Promise<string> {
  const { value, problems } = yaml.decodeYaml(await readConfigFile(file), file, fileSchema);
  if (value === undefined || yaml.hasErrors(problems)) return yaml.formatProblems(problems);
  const tls = value.tls_server_config;
  const problem = tls === undefined ? undefined : await tlsProblem(tls, dirname(file));
  return problem === undefined ? '' : `${file}: tls_server_config: ${problem}`;
}

async function tlsProblem(tls: TlsSection, directory: string): Promise<string | undefined> {
  for (const name of ['cert', 'key', 'client_ca'] as const) {
    if (tls[name] === '' || tls[`${name}_file`] === '') continue;
    return `only one of ${name} and ${name}_file may be there`;
  }
  const read = async (text: string, path: string): Promise<string> => {
    if (path === '') return text;
    return await readFile(isAbsolute(path) ? path : join(directory, path), 'utf8');
  };
  try {
    const cert = await read(tls.cert, tls.cert_file);
    const key = await read(tls.key, tls.key_file);
    if (cert === '') return 'cert or cert_file is missing';
    if (key === '') return 'key or key_file is missing';
    createSecureContext({ cert, key });
    const ca = await read(tls.client_ca, tls.client_ca_file);
    if (ca === '') return undefined;
    // Throws for what is no certificate.
    new X509Certificate(ca);
    return authProblem(tls);
  } catch (error) {
    if (error instanceof TytoError || !(error instanceof Error)) throw error;
    return errorMessage(error);
  }
}

/** A CA is of no use where clients are not asked for certificates. */
function authProblem({ client_auth_type: type }: TlsSection): string | undefined {
  const isAsked = type !== '' && type !== 'NoClientCert';
  return isAsked ? undefined : 'client_ca_file is there, but client_auth_type asks for nothing';
}
