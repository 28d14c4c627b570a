/** The logger port on pino: JSON lines on standard error, or text where a person looks on. */
import type { LogFields, Logger } from '@tyto/base';
import { type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';

export interface LogOptions {
  readonly level: string;
  readonly format: 'json' | 'text';
}

export function createLogger(options: LogOptions): Logger {
  const stream = options.format === 'json' ? process.stderr : textStream();
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'msg',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['password', 'credentials', 'authorization'],
    },
    stream,
  );
  return adapt(logger);
}

function adapt(logger: PinoLogger): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) =>
      logger[level](fields ?? {}, message);
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => adapt(logger.child(fields)),
  };
}

/** `10:21:03 INFO  message  key=value`, with colours that say the level. */
function textStream(): { write(line: string): void } {
  const colours: Record<string, string> = { warn: '\x1b[33m', error: '\x1b[31m', debug: '\x1b[2m' };
  return {
    write(line) {
      const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const rest = Object.entries(fields)
        .map(
          ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
        )
        .join(' ');
      const colour = colours[String(level)] ?? '';
      const clock = String(time).slice(11, 19);
      const shown = `${clock} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}`;
      process.stderr.write(`${colour}${shown}${colour === '' ? '' : '\x1b[0m'}  ${rest}\n`);
    },
  };
}
