/** `tls_config`: what a connection trusts, shows and speaks. */
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import { yaml } from '@tyto/base';
import { filePath, readSecret, refuseBoth, type Secret, secretOf } from './secret.ts';

export interface TlsConfig {
  readonly ca: Secret | undefined;
  readonly cert: Secret | undefined;
  readonly key: Secret | undefined;
  readonly serverName: string;
  readonly insecureSkipVerify: boolean;
  readonly minVersion: SecureVersion | undefined;
  readonly maxVersion: SecureVersion | undefined;
}

export const NO_TLS: TlsConfig = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  serverName: '',
  insecureSkipVerify: false,
  minVersion: undefined,
  maxVersion: undefined,
};

const VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;

const version: yaml.Schema<SecureVersion> = yaml.mapped(
  yaml.oneOf(['TLS12', 'TLS10', 'TLS11', 'TLS13']),
  (word) => VERSIONS[word],
  () => 'TLSv1.2',
);

const rawTlsConfig = yaml.object(
  {
    ca: yaml.optional(yaml.string, ''),
    ca_file: yaml.optional(filePath, ''),
    cert: yaml.optional(yaml.string, ''),
    cert_file: yaml.optional(filePath, ''),
    key: yaml.optional(yaml.string, ''),
    key_file: yaml.optional(filePath, ''),
    server_name: yaml.optional(yaml.string, ''),
    insecure_skip_verify: yaml.optional(yaml.boolean, false),
    min_version: yaml.optional(version),
    max_version: yaml.optional(version),
  },
  { name: 'tls_config' },
);

export const tlsConfig: yaml.Schema<TlsConfig> = (node, decoder) => {
  const raw = rawTlsConfig(node, decoder);
  refuseBoth(
    raw,
    [
      ['ca', 'ca_file'],
      ['cert', 'cert_file'],
      ['key', 'key_file'],
    ],
    node,
    decoder,
  );
  const cert = secretOf(raw.cert, raw.cert_file);
  const key = secretOf(raw.key, raw.key_file);
  if (cert !== undefined && key === undefined) {
    const message =
      'exactly one of key or key_file must be configured when a client certificate is';
    decoder.error(node, message);
  }
  if (key !== undefined && cert === undefined) {
    const message = 'exactly one of cert or cert_file must be configured when a client key is';
    decoder.error(node, message);
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

export type TlsOptions = SecureContextOptions & {
  rejectUnauthorized: boolean;
  servername?: string;
};

/** The options of node:tls, with the files as they are now. */
export async function tlsOptions(tls: TlsConfig): Promise<TlsOptions> {
  const options: TlsOptions = { rejectUnauthorized: !tls.insecureSkipVerify };
  if (tls.ca !== undefined) options.ca = await readSecret(tls.ca);
  if (tls.cert !== undefined) options.cert = await readSecret(tls.cert);
  if (tls.key !== undefined) options.key = await readSecret(tls.key);
  if (tls.serverName !== '') options.servername = tls.serverName;
  if (tls.minVersion !== undefined) options.minVersion = tls.minVersion;
  if (tls.maxVersion !== undefined) options.maxVersion = tls.maxVersion;
  return options;
}
