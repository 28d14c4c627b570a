/** Collectors of processor, memory and kernel figures in /proc, with node_exporter's names. */
import {
  type HostCollector,
  linesOf,
  readOptional,
  readProc,
  toNumber,
  wordsOf,
} from './hostContext.ts';
import { join } from 'node:path';

/** The kernel's USER_HZ, which is 100 on every platform that Node.js runs on. */
const TICKS_PER_SECOND = 100;
const CPU_MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'];
const PAGE_BYTES = 4096;

export const cpu: HostCollector = async (context) => {
  const seconds = 'Seconds the CPUs spent in each mode.';
  const guests = 'Seconds the CPUs spent in guests (VMs) for each mode.';
  for (const line of linesOf(await readProc(context, 'stat'))) {
    const match = /^cpu(\d+) (.*)$/.exec(line);
    if (match === null) continue;
    const ticks = wordsOf(match[2]).map(Number);
    CPU_MODES.forEach((mode, i) => {
      const labels = { cpu: match[1], mode };
      const value = (ticks[i] ?? 0) / TICKS_PER_SECOND;
      context.families.counter('node_cpu_seconds_total', seconds, value, labels);
    });
    ['user', 'nice'].forEach((mode, i) => {
      const labels = { cpu: match[1], mode };
      const value = (ticks[8 + i] ?? 0) / TICKS_PER_SECOND;
      context.families.counter('node_cpu_guest_seconds_total', guests, value, labels);
    });
  }
};

export const stat: HostCollector = async (context) => {
  const { families } = context;
  const values = new Map<string, number>();
  for (const line of linesOf(await readProc(context, 'stat'))) {
    const [name, value] = wordsOf(line);
    values.set(name, Number(value));
  }
  const value = (name: string) => values.get(name) ?? Number.NaN;
  families.counter('node_intr_total', 'Total number of interrupts serviced.', value('intr'));
  const switches = 'Total number of context switches.';
  families.counter('node_context_switches_total', switches, value('ctxt'));
  families.counter('node_forks_total', 'Total number of forks.', value('processes'));
  families.gauge('node_boot_time_seconds', 'Node boot time, in unixtime.', value('btime'));
  const running = 'Number of processes in runnable state.';
  families.gauge('node_procs_running', running, value('procs_running'));
  const blocked = 'Number of processes blocked waiting for I/O to complete.';
  families.gauge('node_procs_blocked', blocked, value('procs_blocked'));
};

export const loadavg: HostCollector = async (context) => {
  const [one, five, fifteen] = wordsOf(await readProc(context, 'loadavg')).map(Number);
  context.families.gauge('node_load1', '1m load average.', one);
  context.families.gauge('node_load5', '5m load average.', five);
  context.families.gauge('node_load15', '15m load average.', fifteen);
};

export const meminfo: HostCollector = async (context) => {
  for (const line of linesOf(await readProc(context, 'meminfo'))) {
    const [field, value, unit] = wordsOf(line);
    const base = field.replace(/:$/, '').replace(/\((.*)\)/, '_$1');
    const name = unit === 'kB' ? `${base}_bytes` : base;
    const number = Number(value) * (unit === 'kB' ? 1024 : 1);
    context.families.gauge(`node_memory_${name}`, `Memory information field ${name}.`, number);
  }
};

const VMSTAT_FIELDS = /^(oom_kill|pgpg|pswp|pg.*fault).*/;

export const vmstat: HostCollector = async (context) => {
  for (const line of linesOf(await readProc(context, 'vmstat'))) {
    const [field, value] = wordsOf(line);
    if (!VMSTAT_FIELDS.test(field)) continue;
    const help = `/proc/vmstat information field ${field}.`;
    context.families.untyped(`node_vmstat_${field}`, help, Number(value));
  }
};

export const filefd: HostCollector = async (context) => {
  const [allocated, , maximum] = wordsOf(await readProc(context, 'sys/fs/file-nr')).map(Number);
  const help = (what: string) => `File descriptor statistics: ${what}.`;
  context.families.gauge('node_filefd_allocated', help('allocated'), allocated);
  context.families.gauge('node_filefd_maximum', help('maximum'), maximum);
};

export const entropy: HostCollector = async (context) => {
  const { families } = context;
  const available = toNumber(await readProc(context, 'sys/kernel/random/entropy_avail'));
  families.gauge('node_entropy_available_bits', 'Bits of available entropy.', available);
  const size = toNumber(await readProc(context, 'sys/kernel/random/poolsize'));
  families.gauge('node_entropy_pool_size_bits', 'Bits of entropy pool.', size);
};

export const schedstat: HostCollector = async (context) => {
  const { families } = context;
  for (const line of linesOf(await readProc(context, 'schedstat'))) {
    const match = /^cpu(\d+) (.*)$/.exec(line);
    if (match === null) continue;
    const [running, waiting, slices] = wordsOf(match[2]).slice(6).map(Number);
    const labels = { cpu: match[1] };
    const name = (what: string) => `node_schedstat_${what}_total`;
    const ran = 'Number of seconds CPU spent running a process.';
    families.counter(name('running_seconds'), ran, running / 1e9, labels);
    const waited = 'Number of seconds spent by processing waiting for this CPU.';
    families.counter(name('waiting_seconds'), waited, waiting / 1e9, labels);
    families.counter(name('timeslices'), 'Number of timeslices executed by CPU.', slices, labels);
  }
};

const PRESSURES: readonly (readonly [file: string, line: string, name: string, help: string])[] = [
  ['cpu', 'some', 'cpu_waiting', 'that processes have waited for CPU time'],
  ['io', 'some', 'io_waiting', 'that processes have waited due to IO congestion'],
  ['io', 'full', 'io_stalled', 'no process could make progress due to IO congestion'],
  ['memory', 'some', 'memory_waiting', 'that processes have waited for memory'],
  ['memory', 'full', 'memory_stalled', 'no process could make progress due to memory congestion'],
  ['irq', 'full', 'irq_stalled', 'no process could make progress due to IRQ congestion'],
];

export const pressure: HostCollector = async (context) => {
  const { families, paths } = context;
  await readProc(context, 'pressure/cpu');
  for (const [file, kind, name, help] of PRESSURES) {
    const text = await readOptional(join(paths.procfs, 'pressure', file));
    const total = new RegExp(`^${kind} .*total=(\\d+)`, 'm').exec(text ?? '')?.[1];
    const metric = `node_pressure_${name}_seconds_total`;
    families.counter(metric, `Total time in seconds ${help}`, toNumber(total) / 1e6);
  }
};

export const sockstat: HostCollector = async (context) => {
  const { families, paths } = context;
  const four = await readProc(context, 'net/sockstat');
  const six = (await readOptional(join(paths.procfs, 'net/sockstat6'))) ?? '';
  for (const line of linesOf(`${four}\n${six}`)) {
    const [title, ...pairs] = wordsOf(line);
    const protocol = title.replace(/:$/, '');
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const [state, value] = [pairs[i], Number(pairs[i + 1])];
      const help = (of: string) => `Number of ${protocol} sockets in state ${of}.`;
      if (protocol === 'sockets') {
        const used = 'Number of IPv4 sockets in use.';
        families.gauge('node_sockstat_sockets_used', used, value);
        continue;
      }
      const name = `node_sockstat_${protocol}_${state}`;
      families.gauge(name, help(state), value);
      if (state !== 'mem') continue;
      families.gauge(`${name}_bytes`, help('mem_bytes'), value * PAGE_BYTES);
    }
  }
};
