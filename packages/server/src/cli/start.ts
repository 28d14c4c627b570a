/** `tyto start`: from flags to a running Tyto, and down again on a signal. */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import {
  type AnchoredRegExp,
  compileAnchored,
  errorCode,
  errorMessage,
  type Logger,
  must,
  parseDuration,
  systemClock,
  TytoError,
} from '@tyto/base';
import { loadConfig } from '../config/load.ts';
import { createLogger } from '../logging.ts';
import { parseFeatures } from '../features.ts';
import { tuneGarbageCollector } from '../garbageCollector.ts';
import { Tyto, type TytoOptions } from '../tyto.ts';
import { VERSION } from '../version.ts';
import { parseFlags, parseSize, START_FLAGS, type Flags } from './flags.ts';

/** A clean end takes less than this, or it is not clean. */
const STOP_MS_MAX = 4500;

export async function start(args: readonly string[]): Promise<void> {
  const { flags, given, rest } = parseFlags(args, START_FLAGS);
  if (rest.length > 0) {
    throw new TytoError(
      'bad_data',
      `unexpected argument "${rest[0]}"; flags begin with --, see tyto --help`,
    );
  }
  const logger = createLogger(logOptions(flags));
  for (const { name, unused } of START_FLAGS) {
    if (unused !== undefined && given.has(name))
      logger.warn(`--${name} is accepted but changes nothing: ${unused}`);
  }
  const { host, port } = parseListenAddress(text(flags, 'web.listen-address'));
  const { features, notes } = parseFeatures(text(flags, 'enable-feature'));
  for (const { level, message } of notes) logger[level](message);
  const options = { ...tytoOptions(flags, host, port, logger), features };
  const config = await loadConfig(options.files, systemClock, { features });
  const { storage } = config.prometheus;
  const tyto = await Tyto.start(
    {
      ...options,
      dataDirectory:
        given.has('storage.tsdb.path') || storage.path === ''
          ? options.dataDirectory
          : storage.path,
      retentionMs: given.has('storage.tsdb.retention.time')
        ? options.retentionMs
        : (storage.retentionMs ?? options.retentionMs),
      retentionBytes: given.has('storage.tsdb.retention.size')
        ? options.retentionBytes
        : (storage.retentionBytes ?? options.retentionBytes),
    },
    config,
  ).catch((error: unknown) => {
    throw startError(error, options.dataDirectory);
  });
  handleSignals(tyto, logger);
  tuneGarbageCollector(systemClock);
  try {
    const address = await tyto.listen(host, port);
    if (text(flags, 'web.stack-ports') === 'true') await openStackPorts(tyto, host);
    await openGrpc(tyto, text(flags, 'otlp.grpc-listen-address'));
    await tyto.run();
    logger.info('listening', { address, version: VERSION, externalUrl: options.externalUrl });
    await tyto.rehearse();
  } catch (error) {
    await tyto.stop();
    throw listenError(error, host, port);
  }
}

/** Ports that scripts and links of the stack that Tyto replaces know. */
const STACK_PORTS = [9093, 4318, 3100, 9080];
const STACK_GRPC_PORT = 4317;

async function openStackPorts(tyto: Tyto, host: string): Promise<void> {
  for (const port of [...STACK_PORTS, STACK_GRPC_PORT]) {
    try {
      if (port === STACK_GRPC_PORT) await tyto.listenOtlpGrpc(host, port);
      else await tyto.alsoListen(host, port);
    } catch (error) {
      throw listenError(error, host, port, 'leave out --web.stack-ports');
    }
  }
}

async function openGrpc(tyto: Tyto, address: string): Promise<void> {
  if (address === '') return;
  const { host, port } = parseListenAddress(address, 'otlp.grpc-listen-address');
  try {
    await tyto.listenOtlpGrpc(host, port);
  } catch (error) {
    throw listenError(error, host, port, 'choose another with --otlp.grpc-listen-address');
  }
}

let stopping: (() => void) | undefined;

function handleSignals(tyto: Tyto, logger: Logger): void {
  let isStopping = false;
  const stop = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    logger.info('stopping', { signal });
    const timer = setTimeout(() => {
      logger.error('stopping took too long; the log is replayed at the next start');
      process.exit(1);
    }, STOP_MS_MAX);
    tyto.stop().then(
      () => {
        clearTimeout(timer);
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error('stopping failed', { error: errorMessage(error) });
        process.exit(1);
      },
    );
  };
  stopping = () => stop('quit');
  // A mistake of ours in one corner must not end what watches everything else.
  process.on('unhandledRejection', (error: unknown) => {
    const stack = error instanceof Error ? error.stack : undefined;
    logger.error('BUG: nobody handled an error', { error: errorMessage(error), stack });
  });
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  // What went wrong is in the log already; the old configuration stays in force.
  process.on('SIGHUP', () => tyto.reload().catch(() => undefined));
}

function tytoOptions(
  flags: Flags,
  host: string,
  port: number,
  logger: Logger,
): Omit<TytoOptions, 'features'> {
  // A link that leads nowhere helps nobody: on the loopback Tyto is reached from here alone.
  const reached = /^(127\.|::1$|localhost$)/.test(host) ? 'localhost' : hostname();
  const externalUrl = text(flags, 'web.external-url') || `http://${reached}:${port}`;
  if (!URL.canParse(externalUrl) || !/^https?:/.test(externalUrl)) {
    throw new TytoError('bad_data', `--web.external-url: "${externalUrl}" is no web address`);
  }
  return {
    clock: systemClock,
    logger,
    files: {
      config: text(flags, 'config.file'),
      alertmanager: text(flags, 'alertmanager.config.file'),
      loki: text(flags, 'loki.config.file'),
    },
    dataDirectory: resolve(text(flags, 'storage.tsdb.path')),
    externalUrl: externalUrl.replace(/\/$/, ''),
    lifecycle: text(flags, 'web.enable-lifecycle') === 'true',
    receivesOtlp: text(flags, 'web.enable-otlp-receiver') === 'true',
    receivesWrites: text(flags, 'web.enable-remote-write-receiver') === 'true',
    // scripts/build.js puts it beside the bundle that this file is in.
    readerScript: new URL('./reader.js', import.meta.url),
    engineScript: new URL('./columnar.js', import.meta.url),
    isAdminApiEnabled: text(flags, 'web.enable-admin-api') === 'true',
    corsOrigin: pattern(flags, 'web.cors.origin'),
    followersMax: Number(text(flags, 'web.max-notifications-subscribers')),
    searchLimitMax: Number(text(flags, 'web.search.max-limit')),
    retentionMs: duration(flags, 'storage.tsdb.retention.time'),
    retentionBytes: must(parseSize(text(flags, 'storage.tsdb.retention.size')), 'a checked size'),
    remoteWriteQueueBytes: must(
      parseSize(text(flags, 'storage.remote-write-queue.size')),
      'a checked size',
    ),
    runsResponses: text(flags, 'incidents.enable-responses') === 'true',
    logCompression: text(flags, 'storage.tsdb.wal-compression') === 'true',
    logFsyncIntervalMs: duration(flags, 'storage.tsdb.wal-fsync-interval'),
    query: {
      timeoutMs: duration(flags, 'query.timeout'),
      concurrencyMax: Math.max(1, Number(text(flags, 'query.max-concurrency'))),
      slowMs: duration(flags, 'query.log-slower-than'),
      sampleLimit: Number(text(flags, 'query.max-samples')),
      resultCacheBytes: parseSize(text(flags, 'query.result-cache-size')) ?? 0,
      samplesTotalMax: samplesTotalMax(flags),
      lookbackMs: duration(flags, 'query.lookback-delta'),
    },
    silenceLimits: {
      countMax: Number(text(flags, 'silences.max-silences')),
      bytesMax: Number(text(flags, 'silences.max-silence-size-bytes')),
      retentionMs: duration(flags, 'data.retention'),
    },
    forwarding: {
      queueMax: Math.max(1, Number(text(flags, 'alertmanager.notification-queue-capacity'))),
      batchMax: Math.max(1, Number(text(flags, 'alertmanager.notification-batch-size'))),
    },
    rules: {
      resendDelayMs: duration(flags, 'rules.alert.resend-delay'),
      outageToleranceMs: duration(flags, 'rules.alert.for-outage-tolerance'),
      gracePeriodMs: duration(flags, 'rules.alert.for-grace-period'),
    },
    flags,
    quit: () => stopping?.(),
  };
}

/** Those of one query fit in any case. */
function samplesTotalMax(flags: Flags): number {
  const one = Number(text(flags, 'query.max-samples'));
  const all = Number(text(flags, 'query.max-samples-total'));
  return Math.max(one, all === 0 ? 2 * one : all);
}

function logOptions(flags: Flags): { level: string; format: 'json' | 'text' } {
  const level = text(flags, 'log.level');
  const format = text(flags, 'log.format') || (process.stderr.isTTY ? 'text' : 'json');
  if (!['debug', 'info', 'warn', 'error'].includes(level)) {
    throw new TytoError('bad_data', `--log.level: "${level}" is none of debug, info, warn, error`);
  }
  if (format !== 'json' && format !== 'text') {
    throw new TytoError('bad_data', `--log.format: "${format}" is neither json nor text`);
  }
  return { level, format };
}

/** `host:port`, `:port`, `[::1]:9090`. */
function parseListenAddress(
  address: string,
  flag = 'web.listen-address',
): { host: string; port: number } {
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(address);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new TytoError(
      'bad_data',
      `--${flag}: "${address}" is no address; write for example 127.0.0.1:9090`,
    );
  }
  return { host: match[1].replace(/^\[|\]$/g, '') || '::', port };
}

function text(flags: Flags, name: string): string {
  return must(flags.get(name), `the flag ${name} is declared`);
}

function duration(flags: Flags, name: string): number {
  return must(parseDuration(text(flags, name)), 'a checked duration');
}

function pattern(flags: Flags, name: string): AnchoredRegExp {
  try {
    return compileAnchored(text(flags, name));
  } catch (error) {
    throw new TytoError('bad_data', `--${name}: ${errorMessage(error)}`);
  }
}

function startError(error: unknown, directory: string): unknown {
  const code = errorCode(error);
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    return new TytoError(
      'io',
      `the data directory ${directory} may not be written by this user; choose another with --storage.tsdb.path`,
    );
  }
  if (code === 'ENOENT') {
    return new TytoError(
      'io',
      `the data directory ${directory} cannot be made; choose another with --storage.tsdb.path`,
    );
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new TytoError(
      'io',
      `${directory} is no directory; choose another with --storage.tsdb.path`,
    );
  }
  return error;
}

function listenError(
  error: unknown,
  host: string,
  port: number,
  way = `choose another with --web.listen-address=${host}:<port>`,
): unknown {
  if (error instanceof TytoError) return error;
  const code = errorCode(error);
  if (code === 'EADDRINUSE') {
    return new TytoError(
      'unavailable',
      `port ${port} on ${host} is taken by another process; ${way}`,
    );
  }
  if (code === 'EACCES') {
    return new TytoError(
      'unavailable',
      `port ${port} may not be opened by this user; ports below 1024 need the right to`,
    );
  }
  if (code === 'EADDRNOTAVAIL') {
    return new TytoError(
      'unavailable',
      `${host} is no address of this machine; see --web.listen-address`,
    );
  }
  return error;
}
