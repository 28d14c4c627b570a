/**
 * The connections that requests with one TLS configuration and one proxy go over. They are made
 * anew when a certificate in a file has changed; idle ones close themselves after some seconds.
 */
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { type Environment, type ProxyConfig, proxyFor } from './proxy.ts';
import { readSecret } from './secret.ts';
import { type TlsConfig, type TlsOptions, tlsOptions } from './tlsConfig.ts';

/** Idle ones end before most servers end them: one that is closed would fail a notification. */
const OPTIONS = { keepAlive: true, timeout: 4000 };

/** What a request goes over: an agent, and what TLS to the receiver itself takes. */
export interface Way {
  readonly agent: Agent;
  readonly tls: Partial<TlsOptions>;
}

export class Connections {
  readonly #tls: TlsConfig;
  readonly #proxy: ProxyConfig;
  readonly #environment: Environment;
  readonly #made = new Map<string, { readonly key: string; readonly way: Way }>();

  constructor(tls: TlsConfig, proxy: ProxyConfig, environment: Environment) {
    this.#environment = environment;
    this.#tls = tls;
    this.#proxy = proxy;
  }

  /** What a request to `url` goes over. Rejects with NotifyError where a file cannot be read. */
  async to(url: URL): Promise<Way> {
    const proxy = proxyFor(url, this.#proxy, this.#environment);
    const tls = await tlsOptions(this.#tls);
    const headers = proxy === undefined ? {} : await this.#connectHeaders();
    const key = JSON.stringify([tls, headers]);
    const name = `${proxy ?? ''} ${url.protocol}`;
    const known = this.#made.get(name);
    if (known?.key === key) return known.way;
    const isSecure = url.protocol === 'https:';
    const agent = await makeAgent(isSecure, proxy, { ...OPTIONS, ...tls, headers });
    const way = { agent, tls: isSecure ? tls : {} };
    // Idle connections of the old one close themselves.
    this.#made.set(name, { key, way });
    return way;
  }

  async #connectHeaders(): Promise<Record<string, string>> {
    const headers: Record<string, string> = {};
    for (const { name, values } of this.#proxy.connectHeaders) {
      headers[name] = (await Promise.all(values.map(readSecret))).join(', ');
    }
    return headers;
  }
}

/** `options` are those of the proxy too: its certificate is judged as the receiver's is. */
async function makeAgent(
  isSecure: boolean,
  proxy: string | undefined,
  options: typeof OPTIONS & TlsOptions & { headers: Record<string, string> },
): Promise<Agent> {
  if (proxy === undefined) return isSecure ? new SecureAgent(OPTIONS) : new Agent(OPTIONS);
  if (isSecure) {
    // Tunnels are for TLS: many proxies open none to other ports.
    const { HttpsProxyAgent } = await import('https-proxy-agent');
    return new HttpsProxyAgent(proxy, options);
  }
  const { HttpProxyAgent } = await import('http-proxy-agent');
  return new HttpProxyAgent(proxy, options);
}
