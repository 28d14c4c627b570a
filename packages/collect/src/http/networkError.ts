/** What went wrong on the network, in the words that users know from Prometheus' target page. */
import { errorCode, errorMessage } from '@tyto/base';

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  EPIPE: 'write: broken pipe',
  EMFILE: 'socket: too many open files',
};

const CERTIFICATE_WORDS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
};

interface SystemError {
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly errors?: readonly unknown[];
}

export function describeNetworkError(thrown: unknown): string {
  const several = systemError(thrown).errors;
  const error = several !== undefined && several.length > 0 ? several[several.length - 1] : thrown;
  const { address, port, hostname } = systemError(error);
  const code = errorCode(error) ?? '';
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname ?? ''}: no such host`;
  if (code === 'EAI_AGAIN') {
    return `dial tcp: lookup ${hostname ?? ''}: temporary failure in name resolution`;
  }
  const certificate = CERTIFICATE_WORDS[code];
  if (certificate !== undefined) return `tls: failed to verify certificate: x509: ${certificate}`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `tls: failed to verify certificate: x509: ${errorMessage(error)}`;
  }
  const words = WORDS[code];
  if (words === undefined) return errorMessage(error);
  const host = address?.includes(':') ? `[${address}]` : address;
  return address === undefined ? words : `dial tcp ${host}:${port}: ${words}`;
}

function systemError(error: unknown): SystemError {
  return typeof error === 'object' && error !== null ? error : {};
}
