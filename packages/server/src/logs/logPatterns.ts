/**
 * What kinds of lines there are, by level, in a sample of the newest; and which of them are new
 * since a time, a deployment for example.
 */
import { PatternMiner } from '@tyto/logql';
import type { LogStore, Matcher } from '@tyto/model';

export interface PatternsRequest {
  readonly tenant: string;
  readonly matchers: readonly Matcher[];
  /** [startNs, endNs). */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly stepMs: number;
  readonly signal: AbortSignal;
}

export interface LevelPattern {
  readonly level: string;
  readonly pattern: string;
  readonly count: number;
  readonly samples: readonly { readonly timestampMs: number; readonly count: number }[];
}

export interface FoundPatterns {
  readonly patterns: readonly LevelPattern[];
  readonly lines: number;
  /** Whether there are older lines that were not looked at. */
  readonly isPartial: boolean;
}

/** Some seconds of work; the miner takes about a microsecond a word. */
const LINES_MAX = 100_000;
const LEVELS_MAX = 20;
const LEVEL = 'detected_level';
const UNKNOWN = 'unknown';
const NS_PER_MS = 1e6;

/** The most frequent first. */
export async function findPatterns(
  store: LogStore,
  request: PatternsRequest,
): Promise<FoundPatterns> {
  const miners = new Map<string, PatternMiner>();
  const size = await mine(store, request, miners);
  return { ...size, patterns: sorted(miners) };
}

/** Patterns with lines from `sinceNs` on and none before it. */
export async function findNewPatterns(
  store: LogStore,
  request: PatternsRequest,
  sinceNs: bigint,
): Promise<FoundPatterns> {
  const miners = new Map<string, PatternMiner>();
  // The same miner sees both, so that a pattern of both is one; what was there is seen first.
  const before = await mine(store, { ...request, endNs: sinceNs }, miners);
  const after = await mine(store, { ...request, startNs: sinceNs }, miners);
  const sinceMs = Number(sinceNs) / NS_PER_MS;
  return {
    lines: before.lines + after.lines,
    isPartial: before.isPartial || after.isPartial,
    patterns: sorted(miners).filter(({ samples }) =>
      samples.every(({ timestampMs }) => timestampMs + request.stepMs > sinceMs),
    ),
  };
}

async function mine(
  store: LogStore,
  { stepMs, ...request }: PatternsRequest,
  miners: Map<string, PatternMiner>,
): Promise<{ lines: number; isPartial: boolean }> {
  let lines = 0;
  const read = { ...request, filters: [], direction: 'backward', wanted: LINES_MAX } as const;
  for await (const chunk of store.read(read)) {
    for (let i = 0; i < chunk.lines.length; i++) {
      if (lines >= LINES_MAX) return { lines, isPartial: true };
      const given = chunk.metadata[i].get(LEVEL) || UNKNOWN;
      const level = miners.has(given) || miners.size < LEVELS_MAX ? given : UNKNOWN;
      const miner = miners.get(level) ?? new PatternMiner({ stepMs });
      miners.set(level, miner);
      miner.add(chunk.lines[i], Number(chunk.timestampsNs[i]) / NS_PER_MS);
      lines++;
    }
  }
  return { lines, isPartial: false };
}

function sorted(miners: ReadonlyMap<string, PatternMiner>): LevelPattern[] {
  return [...miners]
    .flatMap(([level, miner]) => miner.patterns().map((found) => ({ level, ...found })))
    .sort((a, b) => b.count - a.count);
}
