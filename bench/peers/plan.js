/** What is asked for on the command line, and what a workload is. */
import { parseArgs } from 'node:util';

/**
 * @typedef {object} Plan
 * @property {readonly string[]} servers
 * @property {readonly string[]} workloads
 * @property {number} runs
 * @property {number} scale of the numbers of series and targets; times stay as they are
 * @property {number} seed
 * @property {number} backgroundSeconds that W1 waits for the cutting and merging of blocks
 * @property {number} killSeries of R, before scaling
 * @property {number} scrapeSeconds of W3
 * @property {string | undefined} out
 *
 * @typedef {object} Workload
 * @property {string} name
 * @property {string} title
 * @property {readonly import('./servers.js').ServerKind[]} [servers] other ones than those
 *   that store metrics
 * @property {string} [base] the one that the others are compared with; Prometheus by default
 * @property {(plan: Plan) => any} prepare makes all request bodies; `dispose` removes them
 * @property {(plan: Plan, data: any) => string} describe
 * @property {(outcomes: import('./report.js').Outcome[], data: any) => string[]} [detail] further
 *   lines of Markdown
 * @property {(kind: import('./servers.js').ServerKind, plan: Plan, data: any, number: number) =>
 *   Promise<import('./figures.js').Figure[]>} run `number`: which run it is, from 1 on
 */

export const USAGE = `npm run bench:peers -- [options]
  --servers a,b       tyto,prometheus,victoria-metrics; default: all that are installed
  --workloads a,b     W1,W2,W3,M200k,M1M,R,Q,A (M is both of the Ms); default: all
  --runs n            of each workload and server; the report has medians; default 3
  --scale x           of the numbers of series and targets; default 1
  --seed n            of all data; default 1
  --background n      seconds that W1 waits for background work after the last ack; default 65
  --kill-series n     of R; default 1000000
  --scrape-seconds n  of W3; default 60
  --out file          writes the report there as Markdown
`;

function list(text, all, what) {
  if (text === undefined) return all;
  const names = text.split(',').flatMap((name) => (name === 'M' ? ['M200k', 'M1M'] : [name]));
  for (const name of names) {
    if (!all.includes(name)) throw new Error(`there is no ${what} "${name}"; ${all.join(', ')}`);
  }
  return names;
}

function positive(text, fallback, name) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} is a number above 0, not "${text}"`);
  return value;
}

/**
 * @param {readonly string[]} servers that exist
 * @param {readonly string[]} workloads that exist
 * @returns {Plan | undefined} undefined: help was asked for
 */
export function readPlan(servers, workloads) {
  const { values } = parseArgs({
    options: {
      servers: { type: 'string' },
      workloads: { type: 'string' },
      runs: { type: 'string' },
      scale: { type: 'string' },
      seed: { type: 'string' },
      background: { type: 'string' },
      'kill-series': { type: 'string' },
      'scrape-seconds': { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return undefined;
  return {
    servers: list(values.servers, servers, 'server'),
    workloads: list(values.workloads, workloads, 'workload'),
    runs: Math.ceil(positive(values.runs, 3, 'runs')),
    scale: positive(values.scale, 1, 'scale'),
    seed: positive(values.seed, 1, 'seed'),
    backgroundSeconds: positive(values.background, 65, 'background'),
    killSeries: positive(values['kill-series'], 1_000_000, 'kill-series'),
    scrapeSeconds: positive(values['scrape-seconds'], 60, 'scrape-seconds'),
    out: values.out,
  };
}
