/** Collectors that need no more than what Node.js and files of any system tell. */
import { readFile, stat } from 'node:fs/promises';
import * as os from 'node:os';
import { join } from 'node:path';
import { errorMessage, TytoError } from '@tyto/base';
import { ENTRY_END, ENTRY_SAMPLE, ExpositionParser } from '@tyto/wire';
import { TEXTFILE_BYTES_MAX } from '../limits.ts';
import {
  type HostCollector,
  linesOf,
  listOptional,
  readOptional,
  toNumber,
  wordsOf,
} from './hostContext.ts';

export const uname: HostCollector = async ({ families, paths }) => {
  const domain = await readOptional(join(paths.procfs, 'sys/kernel/domainname'));
  const help = 'Labeled system information as provided by the uname system call.';
  families.gauge('node_uname_info', help, 1, {
    sysname: os.type(),
    release: os.release(),
    version: os.version(),
    machine: os.machine(),
    nodename: os.hostname(),
    domainname: domain ?? '(none)',
  });
};

export const time: HostCollector = async ({ families, clock, paths }) => {
  const nowMs = clock.nowMs();
  const now = 'System time in seconds since epoch (1970).';
  families.gauge('node_time_seconds', now, nowMs / 1000);
  const date = new Date(nowMs);
  const zone = /\((.*)\)/.exec(date.toString())?.[1] ?? 'UTC';
  const short =
    date.toLocaleTimeString('en-US', { timeZoneName: 'short' }).split(' ').at(-1) ?? zone;
  const offset = 'System time zone offset in seconds.';
  const seconds = -date.getTimezoneOffset() * 60 || 0;
  families.gauge('node_time_zone_offset_seconds', offset, seconds, { time_zone: short });
  const root = join(paths.sysfs, 'devices/system/clocksource');
  for (const entry of await listOptional(root)) {
    const device = /^clocksource(\d+)$/.exec(entry)?.[1];
    if (device === undefined) continue;
    const read = async (file: string) => (await readOptional(join(root, entry, file))) ?? '';
    const from = "read from '/sys/devices/system/clocksource'.";
    for (const clocksource of wordsOf(await read('available_clocksource'))) {
      const labels = { device, clocksource };
      const help = `Available clocksources ${from}`;
      families.gauge('node_time_clocksource_available_info', help, 1, labels);
    }
    const labels = { device, clocksource: await read('current_clocksource') };
    const help = `Current clocksource ${from}`;
    families.gauge('node_time_clocksource_current_info', help, 1, labels);
  }
};

const OS_FIELDS = [
  'build_id',
  'id',
  'id_like',
  'image_id',
  'image_version',
  'name',
  'pretty_name',
  'variant',
  'variant_id',
  'version',
  'version_codename',
  'version_id',
];

export const osRelease: HostCollector = async ({ families, paths }) => {
  let text: string | undefined;
  for (const path of paths.osRelease) text ??= await readOptional(path);
  if (text === undefined) throw new TytoError('not_found', 'there is no os-release file');
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const match = /^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line);
    if (match !== null) values.set(match[1].toLowerCase(), match[2] ?? match[3] ?? match[4]);
  }
  const info = `A metric with a constant '1' value labeled by ${OS_FIELDS.join(', ')}.`;
  const pick = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, values.get(name) ?? '']));
  families.gauge('node_os_info', info, 1, pick(OS_FIELDS));
  const version = /^[0-9]+\.?[0-9]*/.exec(values.get('version_id') ?? '')?.[0];
  const help = 'Metric containing the major.minor part of the OS version.';
  families.gauge('node_os_version', help, toNumber(version), pick(['id', 'id_like', 'name']));
};

/** Metrics that others leave as `*.prom` files; one that cannot be read spoils no other. */
export const textfile: HostCollector = async ({ families, paths, complain }) => {
  const directory = paths.textfiles;
  let failed = 0;
  for (const name of directory === undefined ? [] : await listOptional(directory)) {
    if (!name.endsWith('.prom')) continue;
    const path = join(directory ?? '', name);
    try {
      const { size, mtimeMs } = await stat(path);
      if (size > TEXTFILE_BYTES_MAX) throw new TytoError('too_large', `${path} is too large`);
      families.addText(checkExposition(await readFile(path)));
      const help = 'Unixtime mtime of textfiles successfully read.';
      families.gauge('node_textfile_mtime_seconds', help, mtimeMs / 1000, { file: path });
    } catch (error) {
      failed = 1;
      complain(path, errorMessage(error));
    }
  }
  const help = '1 if there was an error opening or reading a file, 0 otherwise';
  families.gauge('node_textfile_scrape_error', help, failed);
};

/** The text of an exposition that is valid as a whole and has no timestamps; throws otherwise. */
function checkExposition(bytes: Buffer): string {
  const parser = new ExpositionParser('text');
  parser.start(bytes);
  for (let entry = parser.next(); entry !== ENTRY_END; entry = parser.next()) {
    if (entry !== ENTRY_SAMPLE) continue;
    if (parser.hasTimestamp) throw new TytoError('bad_data', 'timestamps are not allowed');
    parser.labels();
  }
  return bytes.toString('utf8');
}

/** Processor, load and memory of macOS, as far as Node.js tells them. */
export const darwinSystem: HostCollector = async ({ families, clock }) => {
  const seconds = 'Seconds the CPUs spent in each mode.';
  os.cpus().forEach(({ times }, index) => {
    const modes = { user: times.user, system: times.sys, idle: times.idle, nice: times.nice };
    for (const [mode, ms] of Object.entries(modes)) {
      families.counter('node_cpu_seconds_total', seconds, ms / 1000, { cpu: String(index), mode });
    }
  });
  const [one, five, fifteen] = os.loadavg();
  families.gauge('node_load1', '1m load average.', one);
  families.gauge('node_load5', '5m load average.', five);
  families.gauge('node_load15', '15m load average.', fifteen);
  const memory = (name: string) => `Memory information field ${name}.`;
  families.gauge('node_memory_total_bytes', memory('total_bytes'), os.totalmem());
  families.gauge('node_memory_free_bytes', memory('free_bytes'), os.freemem());
  const boot = Math.round(clock.nowMs() / 1000 - os.uptime());
  families.gauge('node_boot_time_seconds', 'Node boot time, in unixtime.', boot);
};
