/** `tyto tsdb create-blocks-from rules`: the call; see backfillRules.ts for the work. */
import { randomBytes } from 'node:crypto';
import { must, parseDuration, systemClock, TytoError } from '@tyto/base';
import { ApiClient, HTTP_CONFIG_FLAG } from '../apiClient.ts';
import type { Flags } from '../flags.ts';
import { parseTime } from '../times.ts';
import { backfillRules } from './backfillRules.ts';
import type { Call, TsdbCommand } from './command.ts';

/** What is newer may still be in the head of the server, whose samples a block would overlap. */
const END_AGO_MS = 3 * 3600_000;

export const createBlocksFrom: TsdbCommand = {
  usage: 'create-blocks-from rules --start=… [flags] FILE...',
  help: 'Writes what recording rules would have recorded as blocks, asking a server for it.',
  flags: [
    {
      name: 'start',
      kind: 'text',
      fallback: '',
      help: 'The first time, in seconds or as 2024-01-01T00:00:00Z. Required.',
    },
    { name: 'end', kind: 'text', fallback: '', help: 'The last time; three hours ago without it.' },
    {
      name: 'url',
      kind: 'text',
      fallback: 'http://localhost:9090',
      help: 'The server with the data, Tyto or Prometheus.',
    },
    {
      name: 'eval-interval',
      kind: 'duration',
      fallback: '60s',
      help: 'The interval of groups that state none.',
    },
    { name: 'output-dir', kind: 'text', fallback: 'data/', help: 'Where the blocks are put.' },
    HTTP_CONFIG_FLAG,
  ],
  wordsMin: 2,
  wordsMax: Infinity,
  takesMatchers: false,
  run,
};

async function run({ flags, words, output }: Call): Promise<void> {
  const [kind, ...files] = words;
  if (kind !== 'rules') {
    const hint = kind === 'openmetrics' ? 'see tyto tsdb import openmetrics' : 'write rules';
    throw new TytoError('bad_data', `create-blocks-from: unknown kind "${kind}"; ${hint}`);
  }
  const text = (name: string) => flags.get(name) ?? '';
  const startMs = timeOf(flags, 'start', undefined);
  const endMs = timeOf(flags, 'end', systemClock.nowMs() - END_AGO_MS);
  if (startMs >= endMs)
    throw new TytoError('bad_data', 'the start time is not before the end time');
  const intervalMs = must(parseDuration(text('eval-interval')), 'a checked duration');
  if (intervalMs === 0) throw new TytoError('bad_data', '--eval-interval must be more than 0');
  const httpConfigFile = text('http.config.file');
  const api = await ApiClient.open({ url: text('url'), httpConfigFile, headers: [] });
  const told = new Set<string>();
  try {
    await backfillRules({
      api,
      files,
      startMs,
      endMs,
      intervalMs,
      target: text('output-dir'),
      nowMs: () => systemClock.nowMs(),
      random: (count) => randomBytes(count),
      done: ({ ulid, seriesCount, sampleCount }) =>
        output.line(`${ulid}: ${sampleCount} samples of ${seriesCount} series`),
      warn: (message) => {
        if (!told.has(message)) process.stderr.write(`warning: ${message}\n`);
        told.add(message);
      },
    });
  } finally {
    api.close();
  }
}

function timeOf(flags: Flags, name: string, fallbackMs: number | undefined): number {
  const text = flags.get(name) ?? '';
  if (text !== '') return parseTime(text);
  if (fallbackMs !== undefined) return fallbackMs;
  throw new TytoError('bad_data', `--${name} is missing: say which time to begin with`);
}
