/** The two that are compared, each with its own sink: Debian's Alertmanager, and Tyto. */
import { join } from 'node:path';
import {
  freePort,
  type Program,
  sleep,
  startProgram,
  startTyto,
  temporaryDirectory,
  waitFor,
  writeIn,
} from '../harness.ts';
import type { Scenario, Step } from './scenario.ts';
import { configOf, TEMPLATE } from './scenarios.ts';
import { type Arrival, type Failures, type Sink, startSink } from './sink.ts';

/** The same for both, so that links in notifications are. */
const EXTERNAL_URL = 'http://alerts.test/';
/** What comes so close after one another counts as at once. */
const BURST_MS = 300;

export interface Side {
  readonly name: string;
  readonly sink: Sink;
  /** Without a slash at the end. */
  url(): string;
  /** Writes alertmanager.yml anew for these scenarios. */
  configure(scenarios: readonly Scenario[]): void;
  signal(signal: NodeJS.Signals): void;
  /** Stops it with SIGTERM and starts it again on the same data and port. */
  restart(): Promise<void>;
  post(path: string, body: unknown): Promise<unknown>;
  remove(path: string): Promise<void>;
  /** Ids of silences by their keys. */
  readonly silences: Map<string, string>;
}

export async function startSides(scenarios: readonly Scenario[]): Promise<readonly [Side, Side]> {
  const failures = new Map(
    scenarios.flatMap(({ name, failures: own }) => (own === undefined ? [] : [[name, own]])),
  ) as Map<string, Failures>;
  const [alertmanager, tyto] = await Promise.all([
    startSide('alertmanager', scenarios, failures),
    startSide('tyto', scenarios, failures),
  ]);
  // What both do at their start is not measured.
  await sleep(3000);
  return [alertmanager, tyto];
}

async function startSide(
  name: 'alertmanager' | 'tyto',
  scenarios: readonly Scenario[],
  failures: ReadonlyMap<string, Failures>,
): Promise<Side> {
  const sink = await startSink(failures);
  const directory = temporaryDirectory({ 'story.tmpl': TEMPLATE });
  const port = await freePort();
  const configure = (applied: readonly Scenario[]) =>
    void writeIn(directory, 'alertmanager.yml', configOf(applied, name, sink));
  configure(scenarios);
  const start = name === 'tyto' ? startOurs : startTheirs;
  let program = await start(directory, port);
  const url = () => `http://127.0.0.1:${port}`;
  const ask = async (path: string, init: RequestInit) => {
    const response = await fetch(`${url()}/api/v2/${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${name}: ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    name,
    sink,
    url,
    configure,
    signal: (signal) => void process.kill(program.pid, signal),
    restart: async () => {
      await program.kill('SIGTERM');
      program = await start(directory, port);
    },
    post: (path, body) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    remove: (path) => ask(path, { method: 'DELETE' }),
    silences: new Map(),
  };
}

async function startTheirs(directory: string, port: number): Promise<Program> {
  const program = startProgram(
    'prometheus-alertmanager',
    [
      `--config.file=${join(directory, 'alertmanager.yml')}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--web.external-url=${EXTERNAL_URL}`,
      '--cluster.listen-address=',
    ],
    directory,
  );
  await waitFor(`Alertmanager is ready:\n${program.output()}`, async () => {
    return (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok;
  });
  return program;
}

async function startOurs(directory: string, port: number): Promise<Program> {
  return await startTyto({
    port,
    dataDirectory: join(directory, 'data'),
    config: 'scrape_configs: []\n',
    args: [
      `--alertmanager.config.file=${join(directory, 'alertmanager.yml')}`,
      `--web.external-url=${EXTERNAL_URL}`,
    ],
  });
}

/**
 * Runs all steps of all scenarios on both sides, at their times after `startMs`; alerts that say
 * nothing else have begun at `zeroMs`.
 */
export async function play(
  sides: readonly Side[],
  scenarios: readonly Scenario[],
  startMs: number,
  zeroMs = startMs,
): Promise<void> {
  const steps = scenarios
    .flatMap(({ name, steps: own }) => own.map((step) => ({ name, step })))
    .sort((a, b) => a.step.at - b.step.at);
  await Promise.all(
    steps.map(async ({ name, step }) => {
      await sleep(Math.max(0, startMs + step.at - Date.now()));
      await Promise.all(sides.map((side) => doStep(side, name, step, startMs, zeroMs)));
    }),
  );
}

async function doStep(
  side: Side,
  scenario: string,
  step: Step,
  startMs: number,
  zeroMs: number,
): Promise<void> {
  const time = (at: number) => new Date(startMs + at).toISOString();
  if (step.alerts !== undefined) {
    const alerts = step.alerts.map(({ labels, annotations = {}, startsAt, endsAt }) => ({
      labels: { ...labels, scenario },
      annotations,
      startsAt: startsAt === undefined ? new Date(zeroMs).toISOString() : time(startsAt),
      ...(endsAt === undefined ? {} : { endsAt: time(endsAt) }),
      generatorURL: `http://prometheus.test/graph?g0.expr=${labels.alertname}`,
    }));
    await side.post('alerts', alerts);
  }
  if (step.silence !== undefined) {
    const { key, matchers, startsAt = step.at, endsAt } = step.silence;
    const answer = (await side.post('silences', {
      matchers: matchers.map(matcherOf),
      startsAt: time(startsAt),
      endsAt: time(endsAt),
      createdBy: 'me',
      comment: 'because',
    })) as { silenceID: string };
    side.silences.set(key, answer.silenceID);
  }
  if (step.unsilence !== undefined) {
    await side.remove(`silence/${side.silences.get(step.unsilence)}`);
  }
}

function matcherOf(text: string) {
  const [, name, operator, value] = /^(\w+)(=~|!~|!=|=)"(.*)"$/.exec(text) ?? [];
  return { name, value, isRegex: operator.includes('~'), isEqual: operator.startsWith('=') };
}

/** What arrived for a scenario, by receiver path, without what differs by nature. */
export function arrivalsOf(
  side: Side,
  scenario: string,
  startMs: number,
): Map<string, { atMs: number; content: unknown }[]> {
  const found = new Map<string, { atMs: number; content: unknown }[]>();
  for (const arrival of side.sink.arrivals) {
    const path = arrival.path.replaceAll(side.name, 'side');
    if (!belongsTo(arrival, scenario, side.name)) continue;
    const list = found.get(path) ?? [];
    list.push({ atMs: arrival.timeMs - startMs, content: comparable(arrival.content, side) });
    found.set(path, list);
  }
  for (const list of found.values()) sortBursts(list);
  return found;
}

/** Groups whose time has come at once are told in any order. */
function sortBursts(list: { atMs: number; content: unknown }[]): void {
  let from = 0;
  for (let to = 1; to <= list.length; to++) {
    if (to < list.length && list[to].atMs - list[to - 1].atMs < BURST_MS) continue;
    const burst = list.slice(from, to);
    const times = burst.map(({ atMs }) => atMs);
    const contents = burst.map(({ content }) => content);
    contents.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    burst.forEach((_, i) => {
      list[from + i] = { atMs: times[i], content: contents[i] };
    });
    from = to;
  }
}

function belongsTo({ path }: Arrival, scenario: string, sideName: string): boolean {
  const name = path.startsWith('mail ')
    ? path.slice(`mail ${sideName}-`.length).split('@')[0]
    : path.slice(1).split(/[/?]/)[0];
  return name === scenario || new RegExp(`^${scenario}-[\\da-c]$`).test(name);
}

/** Times as milliseconds, the side's own name and port away, and no fields of newer versions. */
function comparable(value: unknown, side: Side): unknown {
  if (typeof value === 'string') {
    const text = value.replaceAll(side.sink.url, '<sink>').replaceAll(side.name, 'side');
    // The mail that is sent where nothing else is said is designed by each side for itself.
    if (/^<!doctype html/i.test(text)) return factsOf(text);
    return /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : text;
  }
  if (Array.isArray(value)) return value.map((item) => comparable(item, side));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'notification_reason')
      .map(([name, item]) => [name, comparable(item, side)]),
  );
}

/** What a page says: its labels and annotations, how many alerts of which kind. */
function factsOf(html: string): string[] {
  const text = html.replace(/<(style|title)[\s\S]*?<\/\1>/gi, '').replace(/<[^>]*>/g, '\n');
  return text.match(/\[\d+\] (Firing|Resolved)|\w+ = [^\n]*\S/g) ?? [];
}
