/** Collectors of block devices and file systems, with node_exporter's names. */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { TytoError } from '@tyto/base';
import { FILESYSTEM_TIMEOUT_MS } from '../limits.ts';
import {
  type HostCollector,
  type HostContext,
  linesOf,
  readOptional,
  readProc,
  toNumber,
  wordsOf,
} from './hostContext.ts';

const SECTOR_BYTES = 512;

type Column = readonly [name: string, type: 'counter' | 'gauge', factor: number, help: string];

/** What the columns of /proc/diskstats behind the device's name mean. */
const COLUMNS: readonly Column[] = [
  ['reads_completed_total', 'counter', 1, 'The total number of reads completed successfully.'],
  ['reads_merged_total', 'counter', 1, 'The total number of reads merged.'],
  ['read_bytes_total', 'counter', SECTOR_BYTES, 'The total number of bytes read successfully.'],
  ['read_time_seconds_total', 'counter', 0.001, 'The total number of seconds spent by all reads.'],
  ['writes_completed_total', 'counter', 1, 'The total number of writes completed successfully.'],
  ['writes_merged_total', 'counter', 1, 'The number of writes merged.'],
  [
    'written_bytes_total',
    'counter',
    SECTOR_BYTES,
    'The total number of bytes written successfully.',
  ],
  [
    'write_time_seconds_total',
    'counter',
    0.001,
    'This is the total number of seconds spent by all writes.',
  ],
  ['io_now', 'gauge', 1, 'The number of I/Os currently in progress.'],
  ['io_time_seconds_total', 'counter', 0.001, 'Total seconds spent doing I/Os.'],
  [
    'io_time_weighted_seconds_total',
    'counter',
    0.001,
    'The weighted # of seconds spent doing I/Os.',
  ],
  [
    'discards_completed_total',
    'counter',
    1,
    'The total number of discards completed successfully.',
  ],
  ['discards_merged_total', 'counter', 1, 'The total number of discards merged.'],
  ['discarded_sectors_total', 'counter', 1, 'The total number of sectors discarded successfully.'],
  [
    'discard_time_seconds_total',
    'counter',
    0.001,
    'This is the total number of seconds spent by all discards.',
  ],
  [
    'flush_requests_total',
    'counter',
    1,
    'The total number of flush requests completed successfully',
  ],
  [
    'flush_requests_time_seconds_total',
    'counter',
    0.001,
    'This is the total number of seconds spent by all flush requests.',
  ],
];

export const diskstats: HostCollector = async (context) => {
  const { families, filters } = context;
  for (const line of linesOf(await readProc(context, 'diskstats'))) {
    const [major, minor, device, ...values] = wordsOf(line);
    if (!filters.disk(device)) continue;
    await diskInfo(context, device, major, minor);
    COLUMNS.forEach(([name, type, factor, help], i) => {
      if (i >= values.length) return;
      families[type](`node_disk_${name}`, help, Number(values[i]) * factor, { device });
    });
  }
};

async function diskInfo(
  context: HostContext,
  device: string,
  major: string,
  minor: string,
): Promise<void> {
  const { families, paths } = context;
  const udev = await udevProperties(join(paths.udev, `b${major}:${minor}`));
  const get = (name: string) => udev.get(name) ?? '';
  const rotational = await readOptional(join(paths.sysfs, 'block', device, 'queue/rotational'));
  families.gauge('node_disk_info', 'Info of /sys/block/<block_device>.', 1, {
    device,
    major,
    minor,
    path: get('ID_PATH'),
    wwn: get('ID_WWN'),
    model: get('ID_MODEL'),
    serial: get('SCSI_IDENT_SERIAL') || get('ID_SERIAL_SHORT') || get('ID_SERIAL'),
    revision: get('ID_REVISION'),
    rotational: rotational ?? '0',
  });
  if (get('DM_NAME') !== '') {
    families.gauge('node_disk_device_mapper_info', 'Info about disk device mapper.', 1, {
      device,
      name: get('DM_NAME'),
      uuid: get('DM_UUID'),
      vg_name: get('DM_VG_NAME'),
      lv_name: get('DM_LV_NAME'),
      lv_layer: get('DM_LV_LAYER'),
    });
  }
  if (get('ID_FS_TYPE') !== '') {
    families.gauge('node_disk_filesystem_info', 'Info about disk filesystem.', 1, {
      device,
      type: get('ID_FS_TYPE'),
      usage: get('ID_FS_USAGE'),
      uuid: get('ID_FS_UUID'),
      version: get('ID_FS_VERSION'),
    });
  }
  for (const [name, property, help] of ATA) {
    families.gauge(`node_disk_ata_${name}`, help, toNumber(udev.get(property)), { device });
  }
}

const ATA: readonly (readonly [name: string, property: string, help: string])[] = [
  ['write_cache', 'ID_ATA_WRITE_CACHE', 'ATA disk has a write cache.'],
  ['write_cache_enabled', 'ID_ATA_WRITE_CACHE_ENABLED', 'ATA disk has its write cache enabled.'],
  ['rotation_rate_rpm', 'ID_ATA_ROTATION_RATE_RPM', 'ATA disk rotation rate in RPMs (0 for SSDs).'],
];

async function udevProperties(path: string): Promise<Map<string, string>> {
  const properties = new Map<string, string>();
  for (const line of linesOf((await readOptional(path)) ?? '')) {
    const match = /^E:([^=]+)=(.*)$/.exec(line);
    if (match !== null) properties.set(match[1], match[2]);
  }
  return properties;
}

/** File systems whose server may be gone. */
const NETWORK_TYPES = /^(nfs4?|cifs|smb3|smbfs|ceph|glusterfs|afs|9p|fuse.*)$/;

interface Mount {
  readonly device: string;
  readonly mountpoint: string;
  readonly fstype: string;
  readonly readonly: boolean;
}

export const filesystem: HostCollector = async (context) => {
  const mounts = parseMounts(await readMounts(context)).filter(
    ({ mountpoint, fstype }) =>
      context.filters.mountPoint(mountpoint) && context.filters.fsType(fstype),
  );
  const local = mounts.filter((mount) => !NETWORK_TYPES.test(mount.fstype));
  await Promise.all(local.map((mount) => fileSystem(context, mount)));
  for (const mount of mounts) if (!local.includes(mount)) await fileSystem(context, mount);
};

async function readMounts(context: HostContext): Promise<string> {
  return (
    (await readOptional(join(context.paths.procfs, '1/mounts'))) ??
    (await readProc(context, 'self/mounts'))
  );
}

/** The mounts of /proc/mounts; of several on one place the last one is seen. */
function parseMounts(text: string): Mount[] {
  const mounts = new Map<string, Mount>();
  for (const line of linesOf(text)) {
    const [device, mountpoint, fstype, options] = wordsOf(line).map((word) =>
      word.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
    if (options === undefined) continue;
    const readonly = options.split(',').includes('ro');
    mounts.set(mountpoint, { device, mountpoint, fstype, readonly });
  }
  return [...mounts.values()];
}

async function fileSystem(context: HostContext, mount: Mount): Promise<void> {
  const { families } = context;
  const { device, mountpoint, fstype } = mount;
  const labels = { device, mountpoint, fstype, device_error: '' };
  const gauge = (name: string, help: string, value: number) =>
    families.gauge(`node_filesystem_${name}`, help, value, labels);
  const errors = 'Whether an error occurred while getting statistics for the given device.';
  gauge('readonly', 'Filesystem read-only status.', mount.readonly ? 1 : 0);
  try {
    const figures = await statWithTimeout(context, mount);
    const { bsize } = figures;
    gauge('device_error', errors, 0);
    gauge('size_bytes', 'Filesystem size in bytes.', figures.blocks * bsize);
    gauge('free_bytes', 'Filesystem free space in bytes.', figures.bfree * bsize);
    const available = 'Filesystem space available to non-root users in bytes.';
    gauge('avail_bytes', available, figures.bavail * bsize);
    gauge('files', 'Filesystem total file nodes.', figures.files);
    gauge('files_free', 'Filesystem total free file nodes.', figures.ffree);
  } catch {
    // The error is the metric: one file system that fails must not hide the others.
    gauge('device_error', errors, 1);
  }
}

/**
 * A mount that does not answer is not asked again before it has, and no other network mount is
 * asked meanwhile: each such call holds one of the few threads that Node.js has for files.
 */
async function statWithTimeout(context: HostContext, mount: Mount) {
  const { paths, clock, askedMounts } = context;
  const network = NETWORK_TYPES.test(mount.fstype);
  const path = network ? 'a network file system' : join(paths.rootfs, mount.mountpoint);
  if (askedMounts.has(path)) throw new TytoError('timeout', `${path} still does not answer`);
  askedMounts.add(path);
  const asked = statfs(join(paths.rootfs, mount.mountpoint)).finally(() =>
    askedMounts.delete(path),
  );
  return await new Promise<Awaited<typeof asked>>((resolve, reject) => {
    const timer = clock.schedule(FILESYSTEM_TIMEOUT_MS, () =>
      reject(new TytoError('timeout', `${path} does not answer`)),
    );
    asked.then(resolve, reject).finally(() => timer.cancel());
  });
}
