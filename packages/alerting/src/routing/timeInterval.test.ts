import { yaml } from '@tyto/base';
import { describe, expect, it } from 'vitest';
import { namedIntervals, TimeIntervals } from './timeInterval.ts';

/** The moments of these that are within the interval. */
function within(spec: string, moments: readonly string[]): string[] {
  const text = `- name: t\n  time_intervals:\n  - ${spec}`;
  const { value, problems } = yaml.decodeYaml(text, 'a.yml', namedIntervals('time interval'));
  expect(yaml.formatProblems(problems)).toBe('');
  const intervals = new TimeIntervals(value ?? []);
  return moments.filter((moment) => intervals.contains('t', Date.parse(moment)));
}

describe('a time interval', () => {
  it('has its first minute and not its last', () => {
    const moments = ['08:59:59', '09:00:00', '16:59:59', '17:00:00'];
    const found = within(
      "{times: [{start_time: '09:00', end_time: '17:00'}]}",
      moments.map((time) => `2026-01-31T${time}Z`),
    );
    expect(found).toEqual(['2026-01-31T09:00:00Z', '2026-01-31T16:59:59Z']);
  });

  it('has whole weekdays and months, by name in any case or by number', () => {
    const spec = "{weekdays: ['Monday:friday'], months: ['january:3', 'DECEMBER']}";
    const moments = ['2026-01-30T00:00Z', '2026-01-31T12:00Z', '2026-04-01T12:00Z'];
    expect(within(spec, [...moments, '2026-12-31T23:59Z'])).toEqual([
      '2026-01-30T00:00Z',
      '2026-12-31T23:59Z',
    ]);
  });

  it('counts negative days from the end of each month', () => {
    const days = ['2026-02-25', '2026-02-26', '2026-02-28', '2028-02-26', '2028-02-27'];
    const moments = days.map((day) => `${day}T12:00Z`);
    expect(within("{days_of_month: ['-3:-1']}", moments)).toEqual([
      '2026-02-26T12:00Z',
      '2026-02-28T12:00Z',
      '2028-02-27T12:00Z',
    ]);
    expect(within("{days_of_month: ['30:31']}", moments)).toEqual([]);
  });

  it('goes by the clocks of its place, summer time included', () => {
    const spec =
      "{times: [{start_time: '09:00', end_time: '10:00'}], location: 'America/New_York'}";
    const moments = ['2026-01-15T13:30Z', '2026-01-15T14:30Z', '2026-07-15T13:30Z'];
    expect(within(spec, moments)).toEqual(['2026-01-15T14:30Z', '2026-07-15T13:30Z']);
  });

  it('has the hour twice that comes twice, and none where it is left out', () => {
    const spec = "{times: [{start_time: '02:00', end_time: '03:00'}], location: 'Europe/Berlin'}";
    const moments = [
      ['2026-03-29T00:59Z', '2026-03-29T01:00Z', '2026-03-29T01:59Z'],
      ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z'],
    ].flat();
    expect(within(spec, moments)).toEqual(['2026-10-25T00:30Z', '2026-10-25T01:30Z']);
  });

  it('is on the day that it is there', () => {
    const spec = "{weekdays: [sunday], location: 'Asia/Seoul', years: ['2026']}";
    expect(within(spec, ['2026-01-31T14:59Z', '2026-01-31T15:00Z', '2026-02-01T15:00Z'])).toEqual([
      '2026-01-31T15:00Z',
    ]);
  });
});

describe('routes with time intervals', () => {
  const { value } = yaml.decodeYaml(
    "- {name: on, time_intervals: [{years: ['1990:2100']}]}\n" +
      "- {name: off, time_intervals: [{years: ['1990']}]}",
    'a.yml',
    namedIntervals('time interval'),
  );
  const intervals = new TimeIntervals(value ?? []);
  const nowMs = Date.UTC(2026, 0, 31);

  it('are muted by the names of what mutes them', () => {
    expect(intervals.muting(['off'], [], nowMs)).toEqual([]);
    expect(intervals.muting(['off', 'on'], [], nowMs)).toEqual(['on']);
  });

  it('are muted by all intervals that they should be active in, when none is now', () => {
    expect(intervals.muting([], ['off', 'on'], nowMs)).toEqual([]);
    expect(intervals.muting(['on'], ['off'], nowMs)).toEqual(['off']);
  });
});
