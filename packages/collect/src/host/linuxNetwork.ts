/** Collectors of the network in /proc/net and /sys/class/net, with node_exporter's names. */
import { join } from 'node:path';
import { TytoError } from '@tyto/base';
import {
  type HostCollector,
  type HostContext,
  linesOf,
  listOptional,
  readOptional,
  readProc,
  toNumber,
  wordsOf,
} from './hostContext.ts';

const RECEIVE_FIELDS = [
  'bytes',
  'packets',
  'errs',
  'drop',
  'fifo',
  'frame',
  'compressed',
  'multicast',
];
const TRANSMIT_FIELDS = [
  'bytes',
  'packets',
  'errs',
  'drop',
  'fifo',
  'colls',
  'carrier',
  'compressed',
];

export const netdev: HostCollector = async (context) => {
  const { families, filters, paths } = context;
  const add = (device: string, field: string, value: number) => {
    const help = `Network device statistic ${field}.`;
    families.counter(`node_network_${field}_total`, help, value, { device });
  };
  // Behind the link `self`: the network of this process, which is the host's outside containers.
  const text = await readProc(context, 'net/dev');
  for (const line of linesOf(text).slice(2)) {
    const colon = line.lastIndexOf(':');
    const device = line.slice(0, colon).trim();
    if (!filters.netDevice(device)) continue;
    const values = wordsOf(line.slice(colon + 1)).map(Number);
    RECEIVE_FIELDS.forEach((field, i) => {
      add(device, `receive_${field}`, values[i]);
    });
    TRANSMIT_FIELDS.forEach((field, i) => {
      add(device, `transmit_${field}`, values[RECEIVE_FIELDS.length + i]);
    });
    const unhandled = join(paths.sysfs, 'class/net', device, 'statistics/rx_nohandler');
    add(device, 'receive_nohandler', toNumber(await readOptional(unhandled)));
  }
};

/** Files of a network device that are gauges, and the names of their metrics. */
const NET_GAUGES: Readonly<Record<string, string>> = {
  addr_assign_type: 'address_assign_type',
  carrier: 'carrier',
  dev_id: 'device_id',
  dormant: 'dormant',
  flags: 'flags',
  ifindex: 'iface_id',
  iflink: 'iface_link',
  link_mode: 'iface_link_mode',
  mtu: 'mtu_bytes',
  name_assign_type: 'name_assign_type',
  netdev_group: 'net_dev_group',
  tx_queue_len: 'transmit_queue_length',
  type: 'protocol_type',
};
const NET_COUNTERS: Readonly<Record<string, string>> = {
  carrier_changes: 'carrier_changes_total',
  carrier_up_count: 'carrier_up_changes_total',
  carrier_down_count: 'carrier_down_changes_total',
};

export const netclass: HostCollector = async (context) => {
  const root = join(context.paths.sysfs, 'class/net');
  const devices = await listOptional(root);
  if (devices.length === 0)
    throw new TytoError('not_found', 'no network devices in /sys/class/net');
  for (const device of devices) {
    if (device === 'bonding_masters' || !context.filters.netClassDevice(device)) continue;
    await netDevice(context, join(root, device), device);
  }
};

async function netDevice(context: HostContext, path: string, device: string): Promise<void> {
  const { families } = context;
  const read = async (file: string) => await readOptional(join(path, file));
  const help = (name: string) => `Network device property: ${name}`;
  const state = await read('operstate');
  if (state === undefined) return;
  const up = "Value is 1 if operstate is 'up', 0 otherwise.";
  families.gauge('node_network_up', up, state === 'up' ? 1 : 0, { device });
  for (const [file, name] of Object.entries(NET_GAUGES)) {
    families.gauge(`node_network_${name}`, help(name), toNumber(await read(file)), { device });
  }
  for (const [file, name] of Object.entries(NET_COUNTERS)) {
    families.counter(`node_network_${name}`, help(name), toNumber(await read(file)), { device });
  }
  const megabits = toNumber(await read('speed'));
  if (megabits >= 0) {
    const bytes = (megabits * 1e6) / 8;
    families.gauge('node_network_speed_bytes', help('speed_bytes'), bytes, { device });
  }
  const flags = toNumber(await read('flags'));
  families.gauge(
    'node_network_info',
    'Non-numeric data from /sys/class/net/<iface>, value is always 1.',
    1,
    {
      device,
      address: (await read('address')) ?? '',
      broadcast: (await read('broadcast')) ?? '',
      duplex: (await read('duplex')) ?? '',
      operstate: state,
      adminstate: (flags & 1) === 1 ? 'up' : 'down',
      ifalias: (await read('ifalias')) ?? '',
    },
  );
}

const NETSTAT_FIELDS = new RegExp(
  '^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|' +
    'TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|' +
    'Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|' +
    'Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$',
);

export const netstat: HostCollector = async (context) => {
  const add = (protocol: string, field: string, value: number) => {
    const key = `${protocol}_${field}`;
    if (!NETSTAT_FIELDS.test(key)) return;
    context.families.untyped(`node_netstat_${key}`, `Statistic ${protocol}${field}.`, value);
  };
  for (const file of ['net/netstat', 'net/snmp']) {
    const lines = linesOf(await readProc(context, file));
    for (let i = 0; i + 1 < lines.length; i += 2) {
      const [title, ...names] = wordsOf(lines[i]);
      const values = wordsOf(lines[i + 1]).slice(1);
      names.forEach((name, j) => {
        add(title.replace(/:$/, ''), name, Number(values[j]));
      });
    }
  }
  const six = (await readOptional(join(context.paths.procfs, 'net/snmp6'))) ?? '';
  for (const line of linesOf(six)) {
    const [name, value] = wordsOf(line);
    const at = name.indexOf('6') + 1;
    if (at > 0) add(name.slice(0, at), name.slice(at), Number(value));
  }
};

const SOFTNET: readonly (readonly [name: string, column: number, help: string])[] = [
  ['processed_total', 0, 'Number of processed packets'],
  ['dropped_total', 1, 'Number of dropped packets'],
  ['times_squeezed_total', 2, 'Number of times processing packets ran out of quota'],
  [
    'cpu_collision_total',
    8,
    'Number of collision occur while obtaining device lock while transmitting',
  ],
  ['received_rps_total', 9, 'Number of times cpu woken up received_rps'],
  ['flow_limit_count_total', 10, 'Number of times flow limit has been reached'],
];

export const softnet: HostCollector = async (context) => {
  const { families } = context;
  linesOf(await readProc(context, 'net/softnet_stat')).forEach((line, index) => {
    const columns = wordsOf(line).map((word) => Number.parseInt(word, 16));
    const cpu = String(columns[12] ?? index);
    for (const [name, column, help] of SOFTNET) {
      families.counter(`node_softnet_${name}`, help, columns[column] ?? 0, { cpu });
    }
    families.gauge('node_softnet_backlog_len', 'Softnet backlog status', columns[11] ?? 0, { cpu });
  });
};

const CONNTRACK: Readonly<Record<string, string>> = {
  found: 'Number of searched entries which were successful.',
  invalid: 'Number of packets seen which can not be tracked.',
  ignore: 'Number of packets seen which are already connected to a conntrack entry.',
  insert: 'Number of entries inserted into the list.',
  insert_failed: 'Number of entries for which list insertion was attempted but failed.',
  drop: 'Number of packets dropped due to conntrack failure.',
  early_drop:
    'Number of dropped conntrack entries to make room for new ones, ' +
    'if maximum table size was reached.',
  search_restart:
    'Number of conntrack table lookups which had to be restarted due to hashtable resizes.',
};

export const conntrack: HostCollector = async (context) => {
  const { families, paths } = context;
  const count = toNumber(await readProc(context, 'sys/net/netfilter/nf_conntrack_count'));
  const limit = toNumber(await readProc(context, 'sys/net/netfilter/nf_conntrack_max'));
  const entries = 'Number of currently allocated flow entries for connection tracking.';
  families.gauge('node_nf_conntrack_entries', entries, count);
  const size = 'Maximum size of connection tracking table.';
  families.gauge('node_nf_conntrack_entries_limit', size, limit);
  const text = (await readOptional(join(paths.procfs, 'net/stat/nf_conntrack'))) ?? '';
  const [header, ...rows] = linesOf(text).map(wordsOf);
  if (header === undefined) return;
  for (const [field, help] of Object.entries(CONNTRACK)) {
    const column = header.indexOf(field);
    if (column < 0) continue;
    const total = rows.reduce((sum, row) => sum + Number.parseInt(row[column], 16), 0);
    families.gauge(`node_nf_conntrack_stat_${field}`, help, total);
  }
};

export const arp: HostCollector = async (context) => {
  const counts = new Map<string, number>();
  const text = await readProc(context, 'net/arp');
  for (const line of linesOf(text).slice(1)) {
    const device = wordsOf(line).at(-1) ?? '';
    counts.set(device, (counts.get(device) ?? 0) + 1);
  }
  for (const [device, count] of counts) {
    context.families.gauge('node_arp_entries', 'ARP entries by device', count, { device });
  }
};

export const udpQueues: HostCollector = async (context) => {
  const help = 'Number of allocated memory in the kernel for UDP datagrams in bytes.';
  for (const [file, ip] of [
    ['udp', 'v4'],
    ['udp6', 'v6'],
  ]) {
    const text = await readOptional(join(context.paths.procfs, 'net', file));
    if (text === undefined) continue;
    let [transmit, receive] = [0, 0];
    for (const line of linesOf(text).slice(1)) {
      const [tx, rx] = (wordsOf(line)[4] ?? '').split(':').map((word) => Number.parseInt(word, 16));
      transmit += tx || 0;
      receive += rx || 0;
    }
    context.families.gauge('node_udp_queues', help, transmit, { queue: 'tx', ip });
    context.families.gauge('node_udp_queues', help, receive, { queue: 'rx', ip });
  }
};
