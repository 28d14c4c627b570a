/** Opens what a killed process left behind, and holds it against what the process had promised. */
import { type Clock, type LogFields, type Logger, systemClock, TytoError } from '@tyto/base';
import { APPENDED, createMatcher, Labels, SampleColumns } from '@tyto/model';
import { Tsdb } from '@tyto/tsdb';
import type { Damage, LostSample } from './crashDamage.ts';
import type { CrashHistory } from './crashHistory.ts';
import {
  type CrashPlan,
  labelsOf,
  sampleOf,
  slotsOf,
  START_MS,
  startTimeOf,
  timeOf,
} from './crashPlan.ts';

/** One hour: pieces of a series that lie in different chunks. */
const PIECE_MS = 3600_000;

interface Expected {
  readonly value: number;
  readonly startTimeMs: number;
  readonly batch: number;
  readonly isAcknowledged: boolean;
}

type FoundSample = readonly [timestampMs: number, value: number, startTimeMs: number];

/** Samples by series, then by time. */
type Samples = Map<string, Map<number, Expected>>;

/** What a reader finds out and how far it reads. */
interface Reader {
  readonly problems: string[];
  readonly logger: ListeningLogger;
  readonly endMs: number;
}

export interface CrashResult {
  readonly problems: readonly string[];
  readonly acknowledged: number;
  readonly lost: number;
}

/** Keeps what was said of damage. */
class ListeningLogger implements Logger {
  readonly lines: string[] = [];

  debug(): void {}
  info(): void {}
  warn(message: string, fields: LogFields = {}): void {
    this.lines.push(`${message} ${JSON.stringify(fields)}`);
  }
  error(message: string, fields?: LogFields): void {
    this.warn(message, fields);
  }
  child(): Logger {
    return this;
  }
}

function expectedSamples(plan: CrashPlan, history: CrashHistory): Samples {
  const samples: Samples = new Map();
  for (const [batch, { refused, acknowledgement }] of history.batches) {
    for (const slot of slotsOf(plan.seed, batch)) {
      if (refused.has(slot)) continue;
      const series = labelsOf(slot, batch).toString();
      const ofSeries = samples.get(series) ?? new Map<number, Expected>();
      samples.set(series, ofSeries);
      const value = sampleOf(plan.seed, slot, batch);
      const startTimeMs = startTimeOf(slot, batch);
      const isAcknowledged = acknowledgement !== undefined;
      ofSeries.set(timeOf(batch), { value, startTimeMs, batch, isAcknowledged });
    }
  }
  return samples;
}

/**
 * All samples of a metric by series. Where a series cannot be read at once, the store says so with
 * `io`; then it is read in pieces, of which the damaged ones fail and are left out.
 */
async function readAll(
  db: Tsdb,
  name: string,
  logger: ListeningLogger,
  endMs: number,
): Promise<Map<string, FoundSample[]>> {
  const matchers = [createMatcher('=', '__name__', name)];
  const found = new Map<string, FoundSample[]>();
  const broken = new Set<string>();
  const read = async (minTimeMs: number, maxTimeMs: number, isWanted: (key: string) => boolean) => {
    const selection = await db.select({ matchers, minTimeMs, maxTimeMs });
    for (let i = 0; i < selection.size; i++) {
      const key = selection.labels(i).toString();
      if (!isWanted(key)) continue;
      const columns = new SampleColumns();
      try {
        selection.readInto(i, columns);
      } catch (error) {
        if (!(error instanceof TytoError) || error.kind !== 'io') throw error;
        logger.warn(error.message);
        broken.add(key);
        continue;
      }
      const samples = found.get(key) ?? [];
      if (columns.length > 0) found.set(key, samples);
      for (let sample = 0; sample < columns.length; sample++) {
        const startTimeMs = columns.startTimes?.[sample] ?? 0;
        samples.push([columns.timestamps[sample], columns.values[sample], startTimeMs]);
      }
    }
  };
  await read(-8e15, 8e15, () => true);
  const inPieces = new Set(broken);
  for (let fromMs = START_MS; inPieces.size > 0 && fromMs <= endMs; fromMs += PIECE_MS) {
    await read(fromMs, fromMs + PIECE_MS - 1, (key) => inPieces.has(key));
  }
  return found;
}

/** Everything that is there has to be right; what was acknowledged and is not there is returned. */
async function readBack(db: Tsdb, expected: Samples, reader: Reader): Promise<LostSample[]> {
  const { problems, logger, endMs } = reader;
  const found = await readAll(db, 'crash', logger, endMs);
  for (const [series, samples] of found) {
    let lastMs = -Infinity;
    for (const [timestampMs, value, startTimeMs] of samples) {
      const right = expected.get(series)?.get(timestampMs);
      if (right === undefined) {
        problems.push(`${series} has a sample at ${timestampMs} that nobody wrote`);
      } else if (right.value !== value) {
        problems.push(`${series} at ${timestampMs} is ${value}, not ${right.value}`);
      } else if (right.startTimeMs !== startTimeMs) {
        problems.push(`${series} at ${timestampMs} starts ${startTimeMs}: ${right.startTimeMs}`);
      }
      if (timestampMs <= lastMs) problems.push(`${series}: ${timestampMs} after ${lastMs}`);
      lastMs = timestampMs;
    }
  }
  const lost: LostSample[] = [];
  for (const [series, samples] of expected) {
    const times = new Set((found.get(series) ?? []).map(([timestampMs]) => timestampMs));
    for (const [timestampMs, { batch, isAcknowledged }] of samples) {
      if (isAcknowledged && !times.has(timestampMs)) lost.push({ series, batch, timestampMs });
    }
  }
  return lost;
}

/** A commit after all others, of a series of its own. */
async function appendMark(db: Tsdb, timestampMs: number): Promise<boolean> {
  const appender = db.appender();
  const ref = appender.series(Labels.of({ __name__: 'mark' }));
  const result = appender.append(ref, timestampMs, 1);
  await appender.commit();
  return result === APPENDED;
}

/** Opens the directory twice; between the two it is written to, and blocks are cut. */
export async function checkDirectory(
  directory: string,
  plan: CrashPlan,
  history: CrashHistory,
  damage: Damage,
): Promise<CrashResult> {
  const problems = [...history.problems];
  const expected = expectedSamples(plan, history);
  const logger = new ListeningLogger();
  const markMs = timeOf(history.nextBatch);
  const clock: Clock = { ...systemClock, nowMs: () => markMs };
  const reader = { problems, logger, endMs: markMs };
  const options = { directory, clock, logger, maintenanceIntervalMs: 0 };

  const db = await Tsdb.open(options);
  const lost = await readBack(db, expected, reader);
  const verdict = damage.judge(lost);
  if (verdict !== undefined) problems.push(`${verdict} (${lost.length} samples are lost)`);
  const isTold = damage.names.some((name) => logger.lines.some((line) => line.includes(name)));
  if (lost.length > 0 && damage.names.length > 0 && !isTold) {
    problems.push(`${lost.length} samples are lost, and no line of the log names the file`);
  }
  if (!(await appendMark(db, markMs))) problems.push('a sample after the restart is refused');
  await db.maintain();
  await db.close();

  const again = await Tsdb.open(options);
  const known = new Set(lost.map(({ series, batch }) => `${batch} ${series}`));
  const later = await readBack(again, expected, reader);
  const fresh = later.filter(({ series, batch }) => !known.has(`${batch} ${series}`));
  if (fresh.length > 0) problems.push(`${fresh.length} samples more are lost after another start`);
  const marks = await readAll(again, 'mark', logger, markMs);
  if (marks.size !== 1) problems.push('the sample after the restart is lost');
  await again.close();
  return { problems, acknowledged: history.acknowledged, lost: lost.length };
}
