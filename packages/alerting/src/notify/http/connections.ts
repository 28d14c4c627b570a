/**
 * The connections that requests with one TLS configuration and one proxy go over. They are made
 * anew when a certificate in a file has changed; idle ones close themselves after some seconds.
 */
import type { Dispatcher } from 'undici';
import { type Environment, type ProxyConfig, proxyFor } from './proxy.ts';
import { readSecret } from './secret.ts';
import { type TlsConfig, tlsOptions } from './tlsConfig.ts';

/** From the first packet to an encrypted connection. */
const CONNECT_MS_MAX = 15_000;

export class Connections {
  readonly #tls: TlsConfig;
  readonly #proxy: ProxyConfig;
  readonly #environment: Environment;
  readonly #made = new Map<string, { readonly key: string; readonly dispatcher: Dispatcher }>();

  constructor(tls: TlsConfig, proxy: ProxyConfig, environment: Environment) {
    this.#environment = environment;
    this.#tls = tls;
    this.#proxy = proxy;
  }

  /** What sends a request to `url`. Rejects with NotifyError where a file cannot be read. */
  async to(url: URL): Promise<Dispatcher> {
    const proxy = proxyFor(url, this.#proxy, this.#environment);
    const tls = await tlsOptions(this.#tls);
    const headers = proxy === undefined ? {} : await this.#connectHeaders();
    const key = JSON.stringify([tls, headers]);
    const way = `${proxy ?? ''} ${url.protocol}`;
    const known = this.#made.get(way);
    if (known?.key === key) return known.dispatcher;
    // Loaded with the first notification: it takes 20 MB and longer than the rest of a start.
    const { Agent, ProxyAgent } = await import('undici');
    const connect = { ...tls, timeout: CONNECT_MS_MAX };
    const dispatcher =
      proxy === undefined
        ? new Agent({ connect })
        : new ProxyAgent({
            uri: proxy,
            // Tunnels are for TLS: many proxies open none to other ports.
            proxyTunnel: url.protocol === 'https:',
            headers,
            requestTls: connect,
            proxyTls: connect,
          });
    // Idle connections of the old one close themselves.
    this.#made.set(way, { key, dispatcher });
    return dispatcher;
  }

  async #connectHeaders(): Promise<Record<string, string>> {
    const headers: Record<string, string> = {};
    for (const { name, values } of this.#proxy.connectHeaders) {
      headers[name] = (await Promise.all(values.map(readSecret))).join(', ');
    }
    return headers;
  }
}
