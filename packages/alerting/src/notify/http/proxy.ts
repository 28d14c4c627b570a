/**
 * Which proxy a request goes through. The rules of `no_proxy` are those of Go's httpproxy, which
 * every Prometheus program follows: addresses, networks, domains with all below them, ports.
 */
import { BlockList, isIP } from 'node:net';
import type { CustomHeader } from './httpConfig.ts';

export interface ProxyConfig {
  /** '' for none. */
  readonly url: string;
  readonly noProxy: string;
  readonly fromEnvironment: boolean;
  /** Sent with CONNECT. */
  readonly connectHeaders: readonly CustomHeader[];
}

/** The variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The address of the proxy for a request to `url`; undefined where it goes straight. */
export function proxyFor(
  url: URL,
  config: ProxyConfig,
  environment: Environment,
): string | undefined {
  if (!config.fromEnvironment) {
    if (config.url === '') return undefined;
    const isExempt = config.noProxy !== '' && goesStraight(url, config.noProxy);
    return isExempt ? undefined : withScheme(config.url);
  }
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = variable(environment, name);
  if (proxy === '' || goesStraight(url, variable(environment, 'NO_PROXY'))) return undefined;
  return withScheme(proxy);
}

function variable(environment: Environment, name: string): string {
  return environment[name] ?? environment[name.toLowerCase()] ?? '';
}

/** `proxy:3128` means `http://proxy:3128`. */
function withScheme(address: string): string {
  return address.includes('://') ? address : `http://${address}`;
}

function goesStraight(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  if (host === 'localhost' || host === '::1' || /^127\./.test(host)) return true;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && isExempt(host, port, entry));
}

function isExempt(host: string, port: string, entry: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(host, entry);
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry);
  const name = (match === null ? entry : match[1]).replace(/^\[|\]$/g, '');
  if (match?.[2] !== undefined && match[2] !== port) return false;
  if (isIP(name) !== 0) return host === name;
  const domain = name.replace(/^\*?\./, '');
  // `.example.com` is for what is below it, `example.com` for itself too.
  return host.endsWith(`.${domain}`) || (domain === name && host === domain);
}

function isInNetwork(host: string, network: string): boolean {
  const [address, prefix] = network.split('/');
  const family = isIP(address);
  const bits = Number(prefix);
  if (family === 0 || isIP(host) !== family || !/^\d+$/.test(prefix)) return false;
  if (bits > (family === 4 ? 32 : 128)) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, bits, kind);
  return list.check(host, kind);
}
