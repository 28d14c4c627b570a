/** POSTs JSON for the HTTP integrations, with their authentication, within a time. */
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { errorMessage } from '@tyto/base';
import type { HttpConfig } from './receiverConfig.ts';
import { NotifyError } from './notification.ts';

/** Of an error's answer, this much is shown. */
const ANSWER_LENGTH_MAX = 1024;

/** Sends; resolves on 2xx. Rejects with NotifyError: 5xx and 429 may be tried again. */
export async function postJson(
  url: string,
  body: unknown,
  config: HttpConfig | undefined,
  signal: AbortSignal,
): Promise<string> {
  const payload = JSON.stringify(body);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(payload)),
    'user-agent': 'Tyto',
    ...(await authorization(config)),
  };
  const { status, text } = await post(url, payload, headers, config, signal);
  if (status >= 200 && status < 300) return text;
  const retry = status >= 500 || status === 429;
  throw new NotifyError(`unexpected status code ${status}: ${text.slice(0, 200)}`, retry);
}

async function authorization(config: HttpConfig | undefined): Promise<Record<string, string>> {
  if (config === undefined) return {};
  if (config.basic_auth !== undefined) {
    const { username, password, password_file: file } = config.basic_auth;
    const secret = file === '' ? password : await readSecret(file);
    return { authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}` };
  }
  if (config.authorization !== undefined) {
    const { type, credentials, credentials_file: file } = config.authorization;
    return { authorization: `${type} ${file === '' ? credentials : await readSecret(file)}` };
  }
  if (config.bearer_token !== '') return { authorization: `Bearer ${config.bearer_token}` };
  if (config.bearer_token_file !== '') {
    return { authorization: `Bearer ${await readSecret(config.bearer_token_file)}` };
  }
  return {};
}

/** A secret's file, without the line end that editors add. */
export async function readSecret(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new NotifyError(`cannot read the secret: ${errorMessage(error)}`, true, error);
  }
}

async function post(
  url: string,
  payload: string,
  headers: Record<string, string>,
  config: HttpConfig | undefined,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const tls = config?.tls_config;
  const options = {
    method: 'POST',
    headers,
    signal,
    ...(tls === undefined
      ? {}
      : {
          rejectUnauthorized: !tls.insecure_skip_verify,
          ...(tls.server_name === '' ? {} : { servername: tls.server_name }),
          ...(tls.ca_file === '' ? {} : { ca: await readSecret(tls.ca_file) }),
          ...(tls.cert_file === '' ? {} : { cert: await readSecret(tls.cert_file) }),
          ...(tls.key_file === '' ? {} : { key: await readSecret(tls.key_file) }),
        }),
  };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      const address = hideSecrets(url);
      reject(new NotifyError(`Post "${address}": ${errorMessage(error)}`, true, error));
    };
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    let call: ReturnType<typeof httpRequest>;
    try {
      call = send(url, options);
    } catch (error) {
      reject(new NotifyError(`not a web address: ${hideSecrets(url)}`, false, error));
      return;
    }
    call.on('error', fail);
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        if (text.length < ANSWER_LENGTH_MAX) text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', fail);
    });
    call.end(payload);
  });
}

/** Paths and queries of webhooks are secrets: only the host is shown. */
function hideSecrets(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}/<redacted>`;
  } catch {
    return '<redacted>';
  }
}
