import { expect, it } from 'vitest';
import { formatText, formatValue } from '@tyto/dashboards';

it.each([
  [0, 'short', '0'],
  [1234, 'short', '1.23 K'],
  [1.5e6, 'short', '1.50 Mil'],
  [0.00042, 'none', '0.000420'],
  [1536, 'bytes', '1.50 KiB'],
  [5, 'mbytes', '5 MiB'],
  [1.5e9, 'decbytes', '1.50 GB'],
  [2_500_000, 'Bps', '2.50 MB/s'],
  [2048, 'binBps', '2 KiB/s'],
  [8000, 'bps', '8 kb/s'],
  [12.34, 'percent', '12.3%'],
  [0.12, 'percentunit', '12%'],
  [0.0042, 's', '4.20 ms'],
  [60, 's', '1 min'],
  [5400, 's', '1.50 hours'],
  [90, 'ms', '90 ms'],
  [1500, 'ms', '1.50 s'],
  [0, 'ms', '0 ms'],
  [3, 'h', '3 hours'],
  [97_445, 'dtdurations', '1 day, 3 hours'],
  [93_784, 'dthms', '26:03:04'],
  [1500, 'reqps', '1.50K req/s'],
  [2_000_000, 'hertz', '2 MHz'],
  [0.003, 'volt', '3 mV'],
  [21.5, 'celsius', '21.5 °C'],
  [1234567, 'currencyKRW', '₩1.23M'],
  [1234567.891, 'locale', '1,234,567.891'],
  [1, 'bool_yes_no', 'Yes'],
  [255, 'hex0x', '0xFF'],
  [3, 'suffix:개', '3 개'],
  [3, 'prefix:~', '~3'],
  [3, 'widgets', '3 widgets'],
  [1700000000000, 'time: YYYY-MM-DD HH:mm', '2023-11-14 22:13'],
  [1700000000000, 'dateTimeAsIso', '2023-11-14 22:13:20'],
  [1700000000000, 'dateTimeFromNow', '3 minutes ago'],
  [Number.NaN, 'bytes', 'NaN'],
  [-Infinity, 's', '-∞'],
  [-0.00001, 'percent', '-0.0000100%'],
])('%d in %s is %s', (value, unit, expected) => {
  expect(formatText(value, unit, { timeZone: 'UTC', nowMs: 1700000180000 })).toBe(expected);
});

it('decimals that are asked for are kept, and nothing rounded has a sign', () => {
  expect(formatText(1536, 'bytes', { decimals: 0 })).toBe('2 KiB');
  expect(formatText(-0.001, 'none', { decimals: 2 })).toBe('0.00');
  expect(formatValue(12, 's')).toEqual({ prefix: '', text: '12', suffix: ' s' });
});

it('a time is shown in the zone that is chosen', () => {
  const pattern = 'time:ddd D MMM YYYY, h:mm a Z';
  expect(formatText(1700000000000, pattern, { timeZone: 'Asia/Seoul' })).toBe(
    'Wed 15 Nov 2023, 7:13 am +09:00',
  );
});
