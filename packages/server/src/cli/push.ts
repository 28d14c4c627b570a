/** `tyto push metrics URL [FILE…]`: metrics in text to a remote write endpoint, for trying out. */
import { readFile } from 'node:fs/promises';
import { errorMessage, parseDuration, must, systemClock, TytoError } from '@tyto/base';
import { encodeSnappy } from '@tyto/kernels';
import { Labels } from '@tyto/model';
import {
  encodeWriteRequest,
  ENTRY_END,
  ENTRY_SAMPLE,
  ExpositionParser,
  type WriteSeries,
} from '@tyto/wire';
import { ApiClient, HEADER_FLAG, HTTP_CONFIG_FLAG } from './apiClient.ts';
import {
  type Command,
  type CommandCall,
  complain,
  print,
  readStandardInput,
  runCommands,
} from './commands.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  metrics: {
    usage: '[flags] URL [FILE...]',
    help: 'Sends metrics of files, or of standard input, to a remote write endpoint.',
    flags: [
      {
        name: 'label',
        kind: 'text',
        fallback: '',
        help: 'A label for all series, name=value; job=promtool without it. May be given again.',
      },
      { name: 'timeout', kind: 'duration', fallback: '30s', help: 'How long to wait.' },
      {
        name: 'protobuf_message',
        kind: 'text',
        fallback: 'prometheus.WriteRequest',
        help: 'prometheus.WriteRequest or io.prometheus.write.v2.Request.',
      },
      HEADER_FLAG,
      HTTP_CONFIG_FLAG,
    ],
    wordsMin: 1,
    wordsMax: Infinity,
    run: pushMetrics,
  },
};

/** Rejects with TytoError for a wrong call. */
export async function push(args: readonly string[]): Promise<void> {
  await runCommands('push', 'Sends what is not scraped.', COMMANDS, args);
}

const V1 = 'prometheus.WriteRequest';
const V2 = 'io.prometheus.write.v2.Request';

async function pushMetrics(call: CommandCall): Promise<number> {
  const [given, ...files] = call.words;
  const message = call.text('protobuf_message');
  if (message !== V1 && message !== V2) {
    throw new TytoError('bad_data', `--protobuf_message: "${message}" is neither ${V1} nor ${V2}`);
  }
  const labels = parseLabels(call.all('label'));
  const httpConfigFile = call.text('http.config.file');
  const url = withPath(given);
  const api = await ApiClient.open({ url, httpConfigFile, headers: call.all('header') });
  const timeoutMs = must(parseDuration(call.text('timeout')), 'a checked duration');
  let hasFailed = false;
  try {
    for (const file of files.length === 0 ? [''] : files) {
      const name = file === '' ? 'standard input' : file;
      try {
        const text = file === '' ? await readStandardInput() : await readFile(file);
        const series = readSeries(text, name, labels);
        await send(api, series, message === V2 ? 2 : 1, timeoutMs);
        print(`${name}: ${series.length} series sent`);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        complain(`${name}: ${errorMessage(error)}`);
        hasFailed = true;
      }
    }
  } finally {
    api.close();
  }
  return hasFailed ? 1 : 0;
}

/** A bare address means the usual path. */
function withPath(text: string): string {
  const url = /^https?:\/\//.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url)) throw new TytoError('bad_data', `"${text}" is no web address`);
  const { pathname } = new URL(url);
  return pathname === '/' ? `${url.replace(/\/$/, '')}/api/v1/write` : url;
}

function parseLabels(given: readonly string[]): Labels {
  if (given.length === 0) return Labels.of({ job: 'promtool' });
  return Labels.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new TytoError('bad_data', `--label: "${text}" is not name=value`);
    }),
  );
}

function readSeries(text: Uint8Array, file: string, more: Labels): WriteSeries[] {
  const nowMs = systemClock.nowMs();
  const found: WriteSeries[] = [];
  const parser = new ExpositionParser('text');
  try {
    parser.start(text);
    for (let entry = parser.next(); entry !== ENTRY_END; entry = parser.next()) {
      if (entry !== ENTRY_SAMPLE) continue;
      found.push({
        labels: Labels.fromEntries([...parser.labels().entries(), ...more.entries()]),
        timestamps: Float64Array.of(parser.hasTimestamp ? parser.timestampMs : nowMs),
        values: Float64Array.of(parser.value),
      });
    }
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    throw new TytoError('bad_data', `${file} holds no metrics: ${errorMessage(error)}`);
  }
  return found;
}

async function send(
  api: ApiClient,
  series: readonly WriteSeries[],
  version: 1 | 2,
  timeoutMs: number,
): Promise<void> {
  const headers = {
    'content-encoding': 'snappy',
    'content-type': `application/x-protobuf;proto=${version === 2 ? V2 : V1}`,
    'x-prometheus-remote-write-version': version === 2 ? '2.0.0' : '0.1.0',
  };
  const body = encodeSnappy(encodeWriteRequest({ series }, version));
  const { status, text } = await api.send(body, headers, timeoutMs);
  if (status >= 200 && status < 300) return;
  throw new TytoError('unavailable', `the endpoint answers ${status}: ${text}`);
}
