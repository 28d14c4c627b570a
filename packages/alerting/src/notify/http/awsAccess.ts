/**
 * The keys that requests to AWS are signed with: those of the configuration, of the environment or
 * of `~/.aws/credentials`; with `role_arn` those of the role. Metadata services of machines and
 * containers, single sign-on and web identities are not asked.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NotifyError } from '../notification.ts';
import { type AwsKeys, signed } from './awsSignature.ts';
import type { Environment } from './proxy.ts';
import type { HttpSender, Outgoing } from './httpSender.ts';

export interface AwsAccess extends AwsKeys {
  readonly expiresAtMs: number;
}

interface SigV4 {
  readonly region?: string;
  readonly access_key?: string;
  readonly secret_key?: string;
  readonly profile?: string;
  readonly role_arn?: string;
  readonly external_id?: string;
  readonly use_fips_sts_endpoint?: boolean;
}

/** Keys in files may change: they are read again so often. */
const KEYS_MS_MAX = 5 * 60_000;
/** Keys of a role are not used in their last moments. */
const SPARE_MS = 60_000;

/** Rejects with NotifyError where there are no keys. */
export async function awsAccess(
  config: SigV4,
  sender: HttpSender,
  call: Pick<Outgoing, 'signal' | 'nowMs'>,
  environment: Environment,
): Promise<AwsAccess> {
  const profile = config.profile || environment.AWS_PROFILE || 'default';
  const credentials = environment.AWS_SHARED_CREDENTIALS_FILE ?? join(awsHome(), 'credentials');
  const settings = environment.AWS_CONFIG_FILE ?? join(awsHome(), 'config');
  const shared = await section(credentials, [profile]);
  const own = await section(settings, [`profile ${profile}`, profile]);
  const region =
    config.region ||
    environment.AWS_REGION ||
    environment.AWS_DEFAULT_REGION ||
    own.get('region') ||
    shared.get('region') ||
    '';
  if (region === '') {
    const message = 'sns: region not configured in sigv4.region, the environment or ~/.aws/config';
    throw new NotifyError(message, true);
  }
  const keys = keysOf(config, environment, shared.size > 0 ? shared : own, region);
  if (keys === undefined) {
    const message =
      'sns: no AWS keys in sigv4, in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or in ~/.aws';
    throw new NotifyError(message, true);
  }
  const role = config.role_arn || own.get('role_arn') || '';
  if (role === '') return { ...keys, expiresAtMs: call.nowMs + KEYS_MS_MAX };
  return await assumeRole(role, config, keys, sender, call);
}

function awsHome(): string {
  return join(homedir(), '.aws');
}

function keysOf(
  config: SigV4,
  environment: Environment,
  file: ReadonlyMap<string, string>,
  region: string,
): AwsKeys | undefined {
  if (config.access_key && config.secret_key) {
    return {
      region,
      accessKey: config.access_key,
      secretKey: config.secret_key,
      sessionToken: '',
    };
  }
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = environment;
  // A profile that is named comes before the environment.
  if (id && secret && !config.profile) {
    const sessionToken = environment.AWS_SESSION_TOKEN ?? '';
    return { region, accessKey: id, secretKey: secret, sessionToken };
  }
  const accessKey = file.get('aws_access_key_id');
  const secretKey = file.get('aws_secret_access_key');
  if (accessKey === undefined || secretKey === undefined) return undefined;
  return { region, accessKey, secretKey, sessionToken: file.get('aws_session_token') ?? '' };
}

/** The entries of one section of an INI file; none where there is no such file. */
async function section(
  path: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    // No file is no mistake: keys may come from elsewhere.
    return new Map();
  }
  const entries = new Map<string, string>();
  let isWanted = false;
  for (const line of text.split(/\r?\n/)) {
    const heading = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line);
    if (heading !== null) isWanted = names.includes(heading[1]);
    const entry = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (isWanted && entry !== null) entries.set(entry[1].toLowerCase(), entry[2]);
  }
  return entries;
}

/** Keys for a role, from the security token service of the region. */
async function assumeRole(
  role: string,
  config: SigV4,
  keys: AwsKeys,
  sender: HttpSender,
  call: Pick<Outgoing, 'signal' | 'nowMs'>,
): Promise<AwsAccess> {
  const fips = config.use_fips_sts_endpoint === true ? '-fips' : '';
  const url = `https://sts${fips}.${keys.region}.amazonaws.com/`;
  const parameters = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: `tyto-${call.nowMs}`,
    ...(config.external_id ? { ExternalId: config.external_id } : {}),
  });
  const body = parameters.toString();
  const headers = signed(new URL(url), body, keys, 'sts', call.nowMs);
  const { text } = await sender.send({ ...call, url, headers, body });
  const find = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1];
  const accessKey = find('AccessKeyId');
  const secretKey = find('SecretAccessKey');
  if (accessKey === undefined || secretKey === undefined) {
    throw new NotifyError('sns: the answer to AssumeRole has no keys', true);
  }
  const endMs = Date.parse(find('Expiration') ?? '');
  return {
    region: keys.region,
    accessKey,
    secretKey,
    sessionToken: find('SessionToken') ?? '',
    expiresAtMs: Number.isNaN(endMs) ? call.nowMs + KEYS_MS_MAX : endMs - SPARE_MS,
  };
}
