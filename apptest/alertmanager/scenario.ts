/** What one scenario is, and short words for writing one down. */

/** Milliseconds from the beginning of the run. */
type At = number;

export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** 0 where it is not said. */
  readonly startsAt?: At;
  /** Not told where it is not said: then the resolve timeout ends it. */
  readonly endsAt?: At;
}

export interface PostedSilence {
  /** By what later steps name it. */
  readonly key: string;
  /** `name="value"` and the other operators. */
  readonly matchers: readonly string[];
  readonly startsAt?: At;
  readonly endsAt: At;
}

export interface Step {
  readonly at: At;
  readonly alerts?: readonly PostedAlert[];
  readonly silence?: PostedSilence;
  /** The key of a silence that ends now. */
  readonly unsilence?: string;
}

export interface Scenario {
  readonly name: string;
  /** Fields of the route for `scenario="<name>"`, as YAML, and of those below it. */
  readonly route: string;
  /**
   * Entries of `receivers`; `{sink}` is where they are to post, `{mail}` a mail server, `{proxy}`
   * an HTTP proxy in front of every address.
   */
  readonly receivers: string;
  readonly inhibit?: string;
  readonly intervals?: string;
  /** How often the sink answers a path of this scenario with which status before it takes it. */
  readonly failures?: { readonly count: number; readonly status: number };
  readonly steps: readonly Step[];
  /** Notifications that there are at all: what a comparison of two empty lists would miss. */
  readonly expected: number;
}

export const HOUR = 3_600_000;

export function alert(
  name: string,
  more: Readonly<Record<string, string>> = {},
  rest = {},
): PostedAlert {
  return {
    labels: { alertname: name, ...more },
    annotations: { summary: `${name} is wrong` },
    endsAt: HOUR,
    ...rest,
  };
}

export const ended = (at: At) => ({ endsAt: at });
export const hook = (name: string, more = '') =>
  `- name: ${name}\n  webhook_configs: [{url: "{sink}/${name}"${more}}]`;
export const QUICK = 'group_wait: 1s, group_interval: 2s';

/** Fields of a route in flow style: `group_by: [a], group_wait: 1s`. */
export const route = (receiver: string, more = `group_by: [alertname], ${QUICK}`) =>
  `receiver: ${receiver}, ${more}`;
