/** Collectors of temperatures, fans and voltages in /sys/class, with node_exporter's names. */
import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TytoError } from '@tyto/base';
import {
  type HostCollector,
  type HostContext,
  listOptional,
  readOptional,
  toNumber,
} from './hostContext.ts';

export const thermalZone: HostCollector = async (context) => {
  const { families, paths } = context;
  const root = join(paths.sysfs, 'class/thermal');
  for (const entry of await listOptional(root)) {
    const read = async (file: string) => await readOptional(join(root, entry, file));
    const type = (await read('type')) ?? '';
    const zone = /^thermal_zone(\d+)$/.exec(entry)?.[1];
    if (zone !== undefined) {
      const celsius = toNumber(await read('temp')) / 1000;
      const labels = { zone, type };
      families.gauge('node_thermal_zone_temp', 'Zone temperature in Celsius', celsius, labels);
    }
    const name = /^cooling_device(\d+)$/.exec(entry)?.[1];
    if (name === undefined) continue;
    const labels = { name, type };
    const state = async (file: string) => toNumber(await read(file));
    const current = 'Current throttle state of the cooling device';
    families.gauge('node_cooling_device_cur_state', current, await state('cur_state'), labels);
    const maximum = 'Maximum throttle state of the cooling device';
    families.gauge('node_cooling_device_max_state', maximum, await state('max_state'), labels);
  }
};

const SENSOR_FILE = /^([^0-9]+)([0-9]*)(?:_(.+))?$/;
const SENSOR_TYPES = new Set([
  'vrm',
  'beep_enable',
  'update_interval',
  'in',
  'cpu',
  'fan',
  'pwm',
  'temp',
  'curr',
  'power',
  'energy',
  'humidity',
  'intrusion',
  'freq',
]);

export const hwmon: HostCollector = async (context) => {
  const root = join(context.paths.sysfs, 'class/hwmon');
  const chips = await listOptional(root);
  if (chips.length === 0) throw new TytoError('not_found', 'no sensors in /sys/class/hwmon');
  const names = await Promise.all(chips.map((entry) => chipName(join(root, entry))));
  for (let i = 0; i < chips.length; i++) {
    // Several chips on one device are told apart by their drivers' names.
    const shared = names.filter((name) => name === names[i]).length > 1;
    await chip(context, join(root, chips[i]), names[i], shared);
  }
};

async function chip(
  context: HostContext,
  directory: string,
  chipPlace: string,
  shared: boolean,
): Promise<void> {
  const { families } = context;
  const readable = cleanName((await readOptional(join(directory, 'name'))) ?? '');
  const name = shared && readable !== '' ? `${chipPlace}_${readable}` : chipPlace;
  if (readable !== '') {
    const help = 'Annotation metric for human-readable chip names';
    const labels = { chip: name, chip_name: readable };
    families.gauge('node_hwmon_chip_names', help, 1, labels);
  }
  const sensors = new Map<string, Map<string, string>>();
  await readSensors(directory, sensors);
  await readSensors(join(directory, 'device'), sensors);
  for (const [sensor, elements] of sensors) addSensor(context, name, sensor, elements);
}

async function readSensors(
  directory: string,
  sensors: Map<string, Map<string, string>>,
): Promise<void> {
  for (const file of await listOptional(directory)) {
    const match = SENSOR_FILE.exec(file);
    if (match === null || !SENSOR_TYPES.has(match[1])) continue;
    const value = await readOptional(join(directory, file));
    if (value === undefined) continue;
    const sensor = `${match[1]}${match[2] || '0'}`;
    const elements = sensors.get(sensor) ?? new Map<string, string>();
    elements.set(match[3] ?? '', value);
    sensors.set(sensor, elements);
  }
}

/** Where the chip is attached names it best; then its driver, then its directory. */
async function chipName(directory: string): Promise<string> {
  try {
    const device = await realpath(join(directory, 'device'));
    const [bus, name] = [cleanName(basename(dirname(device))), cleanName(basename(device))];
    if (bus !== '' && name !== '') return `${bus}_${name}`;
    if (name !== '') return name;
  } catch {
    // Virtual chips have no device.
  }
  const name = cleanName((await readOptional(join(directory, 'name'))) ?? '');
  if (name !== '') return name;
  try {
    return cleanName(basename(await readlink(directory)));
  } catch {
    return cleanName(basename(directory));
  }
}

function cleanName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9:_]/g, '_')
    .replace(/^_+|_+$/g, '');
}

function addSensor(
  context: HostContext,
  chipLabel: string,
  sensor: string,
  elements: ReadonlyMap<string, string>,
): void {
  const { families } = context;
  const type = sensor.replace(/\d+$/, '');
  const labels = { chip: chipLabel, sensor };
  const label = elements.get('label');
  if (label !== undefined && label !== '') {
    const help = 'Label for given chip and sensor';
    families.gauge('node_hwmon_sensor_label', help, 1, { ...labels, label });
  }
  for (const [element, text] of elements) {
    if (element === 'label') continue;
    const value = toNumber(text);
    const named = element === 'input' && !elements.has('') ? '' : element;
    const suffix = named === '' ? '' : `_${cleanName(named)}`;
    const { unit, factor, help } = describe(type, element);
    const clock = type === 'freq' && element === 'input' ? cleanName(label ?? '') : '';
    families[unit === '_joule_total' ? 'counter' : 'gauge'](
      `node_hwmon_${type}${suffix}${unit}`,
      help,
      value * factor,
      clock === '' ? labels : { ...labels, sensor: clock },
    );
  }
}

interface Description {
  readonly unit: string;
  readonly factor: number;
  readonly help: string;
}

function describe(type: string, element: string): Description {
  const shown = element === '' ? 'input' : element;
  const as = (unit: string, factor: number, what: string) => ({
    unit,
    factor,
    help: `Hardware monitor for ${what} (${shown})`,
  });
  if (element === 'fault' || element === 'alarm') {
    return { unit: '', factor: 1, help: `Hardware sensor ${element} status (${type})` };
  }
  if (element === 'beep') {
    return { unit: '_enabled', factor: 1, help: 'Hardware monitor sensor has beeping enabled' };
  }
  if (type === 'in' || type === 'cpu') return as('_volts', 0.001, 'voltage');
  if (type === 'temp' && element !== 'type') return as('_celsius', 0.001, 'temperature');
  if (type === 'curr') return as('_amps', 0.001, 'current');
  if (type === 'energy') return as('_joule_total', 1e-6, 'joules used so far');
  if (type === 'power' && element === 'accuracy')
    return as('', 1e-6, 'power meter accuracy, as a ratio');
  if (type === 'power' && element.startsWith('average_interval')) {
    return as('_seconds', 0.001, 'power usage update interval');
  }
  if (type === 'power') return as('_watt', 1e-6, 'power usage in watts');
  if (type === 'humidity') return as('', 1e-3, 'humidity, as a ratio');
  if (type === 'fan' && ['input', 'min', 'max', 'target'].includes(element)) {
    return as('_rpm', 1, 'fan revolutions per minute');
  }
  if (type === 'freq' && element === 'input') return as('_freq_mhz', 1e-6, 'frequency in MHz');
  return { unit: '', factor: 1, help: `Hardware monitor ${type} element ${shown}` };
}
