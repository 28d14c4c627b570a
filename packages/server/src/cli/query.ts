/** `tyto query …`: questions to a server's API, with promtool's commands and outputs. */
import { must, parseDuration, systemClock, TytoError } from '@tyto/base';
import { ApiClient, HEADER_FLAG, HTTP_CONFIG_FLAG, timeParameter } from './apiClient.ts';
import { type Command, type CommandCall, complain, print, runCommands } from './commands.ts';
import type { FlagDefinition } from './flags.ts';
import { analyzeHistograms } from './query/analyze.ts';
import { labelSetText, valueText } from './query/valueText.ts';

const FORMAT: FlagDefinition = {
  name: 'format',
  short: 'o',
  kind: 'text',
  fallback: 'promql',
  help: 'promql or json.',
};
const START: FlagDefinition = {
  name: 'start',
  kind: 'text',
  fallback: '',
  help: 'The first time, in seconds or as 2024-01-01T00:00:00Z.',
};
const END: FlagDefinition = { ...START, name: 'end', help: 'The last time; now without it.' };
const MATCH: FlagDefinition = {
  name: 'match',
  kind: 'text',
  fallback: '',
  help: 'A selector of series; may be given again.',
};
const SHARED = [FORMAT, HEADER_FLAG, HTTP_CONFIG_FLAG];

/** Without --start, series and labels are looked for in all times. */
const WIDE_MS = 9999 * 3600_000;
const RANGE_MS = 5 * 60_000;
const RANGE_STEPS = 250;

const COMMANDS: Readonly<Record<string, Command>> = {
  instant: {
    usage: '[flags] SERVER EXPRESSION',
    help: 'Evaluates an expression at one time.',
    flags: [{ ...START, name: 'time', help: 'The time; now without it.' }, ...SHARED],
    wordsMin: 2,
    wordsMax: 2,
    run: (call) =>
      ask(call, call.words[0], async (api) => {
        const time = timeParameter('time', call.text('time'), systemClock.nowMs());
        const { data, warnings } = await api.post('/api/v1/query', [
          ['query', call.words[1]],
          ['time', time],
        ]);
        printValue(data, warnings, call);
      }),
  },
  range: {
    usage: '[flags] SERVER EXPRESSION',
    help: 'Evaluates an expression at many times.',
    flags: [
      { ...START, help: 'The first time; five minutes before the last without it.' },
      END,
      { name: 'step', kind: 'duration', fallback: '0s', help: 'The time between two results.' },
      ...SHARED,
    ],
    wordsMin: 2,
    wordsMax: 2,
    run: (call) => ask(call, call.words[0], (api) => queryRange(api, call)),
  },
  series: {
    usage: '[flags] --match=<selector> SERVER',
    help: 'Lists series.',
    flags: [MATCH, START, END, ...SHARED],
    wordsMin: 1,
    wordsMax: 1,
    run: (call) =>
      ask(call, call.words[0], async (api) => {
        if (call.all('match').length === 0) {
          throw new TytoError('bad_data', '--match is missing: say which series');
        }
        const { data } = await api.post('/api/v1/series', wideParameters(call));
        printList(data, call, (item) => labelSetText(item as Record<string, string>));
      }),
  },
  labels: {
    usage: '[flags] SERVER NAME',
    help: 'Lists the values of a label.',
    flags: [MATCH, START, END, ...SHARED],
    wordsMin: 2,
    wordsMax: 2,
    run: (call) =>
      ask(call, call.words[0], async (api) => {
        const path = `/api/v1/label/${labelPath(call.words[1])}/values`;
        const { data, warnings } = await api.get(path, wideParameters(call));
        for (const warning of warnings) complain(`query warning: ${warning}`);
        printList(data, call, String);
      }),
  },
  analyze: {
    usage: '[flags] --server=URL --type=histogram --match=<selector>',
    help: 'Tells how many buckets of histograms are used, and how many change.',
    flags: [
      { name: 'server', kind: 'text', fallback: '', help: 'The address of the server. Required.' },
      {
        name: 'type',
        kind: 'text',
        fallback: '',
        help: 'histogram; or nativehistograms or classichistograms for one kind alone. Required.',
      },
      { name: 'duration', kind: 'duration', fallback: '1h', help: 'How far back to look.' },
      { ...START, name: 'time', help: 'The time to look back from; now without it.' },
      MATCH,
      HTTP_CONFIG_FLAG,
    ],
    wordsMin: 0,
    wordsMax: 0,
    run: (call) =>
      ask(call, call.text('server'), async (api) => {
        const lines = await analyzeHistograms(api, {
          type: call.text('type'),
          duration: call.text('duration'),
          time: timeParameter('time', call.text('time'), systemClock.nowMs()),
          matchers: call.all('match'),
        });
        for (const line of lines) print(line);
      }),
  },
};

/** Rejects with TytoError: for a wrong call, and with the server's words where it refuses. */
export async function query(args: readonly string[]): Promise<void> {
  await runCommands('query', 'Questions to a server, Tyto or Prometheus.', COMMANDS, args);
}

async function ask(
  call: CommandCall,
  server: string,
  work: (api: ApiClient) => Promise<void>,
): Promise<number> {
  if (server === '') throw new TytoError('bad_data', '--server is missing: say which one to ask');
  const httpConfigFile = call.text('http.config.file');
  const api = await ApiClient.open({ url: server, httpConfigFile, headers: call.all('header') });
  try {
    await work(api);
    return 0;
  } finally {
    api.close();
  }
}

async function queryRange(api: ApiClient, call: CommandCall): Promise<void> {
  const end = timeParameter('end', call.text('end'), systemClock.nowMs());
  const start = timeParameter('start', call.text('start'), Number(end) * 1000 - RANGE_MS);
  if (Number(end) < Number(start)) {
    throw new TytoError('bad_data', 'the end time is before the start time');
  }
  const stepMs = must(parseDuration(call.text('step')), 'a checked duration');
  const usual = Math.max(1, Math.floor((Number(end) - Number(start)) / RANGE_STEPS));
  const { data, warnings } = await api.post('/api/v1/query_range', [
    ['query', call.words[1]],
    ['start', start],
    ['end', end],
    ['step', String(stepMs === 0 ? usual : stepMs / 1000)],
  ]);
  printValue(data, warnings, call);
}

function wideParameters(call: CommandCall): (readonly [string, string])[] {
  const nowMs = systemClock.nowMs();
  return [
    ...call.all('match').map((selector) => ['match[]', selector] as const),
    ['start', timeParameter('start', call.text('start'), nowMs - WIDE_MS)],
    ['end', timeParameter('end', call.text('end'), nowMs + WIDE_MS)],
  ];
}

/** Names that are no path are written as Prometheus reads them: U__, and _hex_ for the rest. */
function labelPath(name: string): string {
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return name;
  const escaped = [...name].map((character) => {
    if (character === '_') return '__';
    if (/[a-zA-Z0-9]/.test(character)) return character;
    return `_${character.codePointAt(0)?.toString(16)}_`;
  });
  return `U__${escaped.join('')}`;
}

function isJson(call: CommandCall): boolean {
  const format = call.text('format');
  if (format === 'json' || format === 'promql') return format === 'json';
  throw new TytoError('bad_data', `--format: "${format}" is neither promql nor json`);
}

function printValue(data: unknown, warnings: readonly string[], call: CommandCall): void {
  for (const warning of warnings) complain(`query warning: ${warning}`);
  if (isJson(call)) print(JSON.stringify((data as { result?: unknown } | null)?.result));
  else print(valueText(data));
}

function printList(data: unknown, call: CommandCall, show: (item: unknown) => string): void {
  if (!Array.isArray(data)) throw new TytoError('unavailable', 'the server answers with no list');
  if (isJson(call)) print(JSON.stringify(data));
  else for (const item of data) print(show(item));
}
