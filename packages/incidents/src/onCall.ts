/** Who has the duty: people take turns of whole days, handed over at a local time of day. */
import type { ScheduleConfig } from './config.ts';
import { instantOf, localTime } from './zonedTime.ts';

export interface OnCall {
  readonly person: string;
  /** When the next one takes over, or the override ends. */
  readonly untilMs: number;
  readonly isOverride: boolean;
}

export function onCall(schedule: ScheduleConfig, nowMs: number): OnCall {
  // The last one that is written wins, so that a swap of a swap can be added below.
  const override = schedule.overrides.findLast(
    ({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs,
  );
  if (override !== undefined) {
    return { person: override.person, untilMs: override.toMs, isOverride: true };
  }
  const { timeZone, handoverMinute, people, turnDays, startDay } = schedule;
  const { day, minute } = localTime(nowMs, timeZone);
  const dutyDay = minute < handoverMinute ? day - 1 : day;
  const turn = Math.floor((dutyDay - startDay) / turnDays);
  const handoverMs = instantOf(startDay + (turn + 1) * turnDays, handoverMinute, timeZone);
  const nextOverride = schedule.overrides
    .map(({ fromMs }) => fromMs)
    .filter((fromMs) => fromMs > nowMs);
  return {
    person: people[((turn % people.length) + people.length) % people.length],
    untilMs: Math.min(handoverMs, ...nextOverride),
    isOverride: false,
  };
}
