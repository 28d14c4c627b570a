import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLogger, systemClock } from '@tyto/base';
import { HostMetrics, type HostMetricsOptions } from '@tyto/collect';
import { ENTRY_END, ENTRY_SAMPLE, ExpositionParser } from '@tyto/wire';
import { afterAll, describe, expect, test } from 'vitest';
import { sharedPath } from '../testing.ts';

const temporary = mkdtempSync(join(tmpdir(), 'tyto-host-'));
afterAll(() => rmSync(temporary, { recursive: true }));

const options = { clock: systemClock, logger: silentLogger, platform: 'linux' };

/** Series and values of an exposition. */
function samplesOf(text: string): Map<string, number> {
  const parser = new ExpositionParser('text');
  parser.start(Buffer.from(text));
  const samples = new Map<string, number>();
  for (let entry = parser.next(); entry !== ENTRY_END; entry = parser.next()) {
    if (entry === ENTRY_SAMPLE) samples.set(parser.labels().toString(), parser.value);
  }
  return samples;
}

/** Writes the files of a ttar archive below `root`. */
function unpack(archive: string, root: string): void {
  const lines = readFileSync(archive, 'utf8').split('\n');
  let path = '';
  for (let i = 0; i < lines.length; i++) {
    const [, key, value] = /^(Directory|Path|Lines|SymlinkTo): (.*)$/.exec(lines[i]) ?? [];
    if (key === 'Directory') mkdirSync(join(root, value), { recursive: true });
    else if (key === 'Path') {
      path = join(root, value);
      mkdirSync(dirname(path), { recursive: true });
    } else if (key === 'SymlinkTo') symlinkSync(value, path);
    else if (key === 'Lines') {
      const body = lines.slice(i + 1, i + 1 + Number(value)).map((line) => `${line}\n`);
      i += Number(value);
      const text = body
        .join('')
        .replace(/(?<!\\)NULLBYTE/g, '\0')
        .replace(/\\NULLBYTE/g, 'NULLBYTE');
      writeFileSync(path, text.replace(/(?<!\\)EOF\n$/, '').replace(/\\EOF/g, 'EOF'));
    }
  }
}

async function read(more: Partial<HostMetricsOptions> = {}): Promise<Map<string, number>> {
  return samplesOf(await new HostMetrics({ ...options, ...more }).read());
}

/** Metrics of the collectors that there are, of which every line must be the same. */
const COMPARED = new RegExp(
  '^node_(arp|udp_queues|cpu_seconds|cpu_guest|load\\d|memory_(?!numa)|vmstat|filefd|entropy|' +
    'schedstat|pressure|sockstat|netstat|softnet|nf_conntrack|boot|context|forks|intr|procs|disk|' +
    'os_|time_clocksource|' +
    'thermal_zone|cooling|hwmon|network_(?!receive|transmit_(?!queue)))',
);
/** Chips that the end-to-end run of node_exporter leaves out by a flag. */
const CHIPS = /chip="(applesmc|asus_nb_wmi|coretemp|hwmon4|ieee80211|nct6779|platform_)/;

const fixtures = sharedPath('conformance/node_exporter/fixtures');
describe.skipIf(fixtures === undefined)("node_exporter's end-to-end fixture", () => {
  const root = fixtures ?? '';
  let unpacked = false;
  const readFixture = async () => {
    if (!unpacked) {
      unpack(join(root, 'sys.ttar'), temporary);
      unpack(join(root, 'udev.ttar'), temporary);
    }
    unpacked = true;
    return await read({
      paths: {
        procfs: join(root, 'proc'),
        sysfs: join(temporary, 'sys'),
        udev: join(temporary, 'udev/data'),
        osRelease: [join(root, 'usr/lib/os-release')],
        textfiles: join(root, 'textfile/two_metric_files'),
      },
      filters: { netClassDevice: (name) => !/^(dmz|int)$/.test(name) },
    });
  };

  test('all lines of the collectors that there are', async () => {
    const found = await readFixture();
    const expected = samplesOf(readFileSync(join(root, 'e2e-output.txt'), 'utf8'));
    const compared = (series: string) =>
      COMPARED.test(series) &&
      // Left out by flags of that run.
      !series.includes('device="nope"') &&
      (!series.startsWith('node_hwmon') || CHIPS.test(series));
    const missing: string[] = [];
    for (const [series, value] of expected) {
      if (!compared(series)) continue;
      const own = found.get(series) ?? Number.NaN;
      const close = Math.abs(own - value) <= Math.abs(value) * 1e-12;
      if (!close) missing.push(`${series} ${value}, found ${found.get(series)}`);
    }
    expect(missing).toEqual([]);
    const surplus = [...found.keys()].filter((s) => compared(s) && !expected.has(s));
    expect(surplus).toEqual([]);
  });

  test('textfiles are part of it', async () => {
    const found = await readFixture();
    for (const metric of ['testmetric1_1', 'testmetric2_2']) {
      expect(
        [...found.keys()].some((series) => series.startsWith(metric)),
        metric,
      ).toBe(true);
    }
    expect(found.get('node_textfile_scrape_error')).toBe(0);
  });
});

test('network devices, mounts with blanks, and collectors that find nothing', async () => {
  const proc = join(temporary, 'proc');
  mkdirSync(join(proc, 'net'), { recursive: true });
  mkdirSync(join(proc, '1'), { recursive: true });
  const counts = Array.from({ length: 16 }, (_, i) => i + 1).join(' ');
  writeFileSync(join(proc, 'net/dev'), `Inter-| Receive\n face |bytes\n  eth0: ${counts}\n`);
  const blank = `/dev/sda1 ${temporary}/with\\040blank ext4 ro,relatime 0 0\n`;
  const mounts = `${blank}/dev/sdb / ext4 rw 0 0\nproc /proc proc rw 0 0\n`;
  writeFileSync(join(proc, '1/mounts'), mounts);
  const found = await read({ paths: { procfs: proc, sysfs: join(temporary, 'nothing') } });
  expect(found.get('node_network_receive_bytes_total{device="eth0"}')).toBe(1);
  expect(found.get('node_network_transmit_compressed_total{device="eth0"}')).toBe(16);
  const mount = `device="/dev/sda1", fstype="ext4", mountpoint="${temporary}/with blank"`;
  expect(found.get(`node_filesystem_readonly{${mount}}`)).toBe(1);
  expect(found.get(`node_filesystem_device_error{${mount}}`)).toBe(1);
  const rootMount = 'device="/dev/sdb", fstype="ext4", mountpoint="/"';
  expect(found.get(`node_filesystem_size_bytes{${rootMount}}`)).toBeGreaterThan(0);
  expect([...found.keys()].some((series) => series.includes('mountpoint="/proc"'))).toBe(false);
  expect(found.get('node_scrape_collector_success{collector="netdev"}')).toBe(1);
  expect(found.get('node_scrape_collector_success{collector="meminfo"}')).toBe(0);
});

test('a bad textfile is told and spoils no other', async () => {
  const textfiles = join(temporary, 'textfiles');
  mkdirSync(textfiles);
  writeFileSync(join(textfiles, 'a.prom'), 'a 1\n');
  writeFileSync(join(textfiles, 'b.prom'), 'b 1\nb{ 2\n');
  const found = await read({ paths: { textfiles } });
  expect(found.get('a')).toBe(1);
  expect(found.has('b')).toBe(false);
  expect(found.get('node_textfile_scrape_error')).toBe(1);
});

test('what Node.js tells, on a system without /proc', async () => {
  const found = await read({ platform: 'darwin' });
  expect(found.get('node_memory_total_bytes')).toBeGreaterThan(0);
  expect(found.get('node_load1')).toBeGreaterThanOrEqual(0);
  expect([...found.keys()].some((series) => series.startsWith('node_uname_info'))).toBe(true);
});
